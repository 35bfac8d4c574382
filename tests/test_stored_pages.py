"""The pages in `results/reports/` are those of the notebooks and results beside them."""

import papermill
import pytest
from links import Links

from fer_lib import paths
from fer_lib.pages import PAGES, render

STORED = paths.ROOT / "results" / "reports"
ON_CKPLUS = ("index", "02_table", "03_occlusion", "04_embeddings", "05_attention", "06_audit", "09_recipe")
MADE_FROM_RESULTS = {
    **{page: {"dataset": "ckplus"} for page in ON_CKPLUS},
    **{page: {} for page in ("07_speed", "08_fer2013", "10_fer2013_networks", "11_transfer")},
}


@pytest.mark.parametrize("page", MADE_FROM_RESULTS)
def test_a_stored_page_is_that_of_the_stored_results(page, tmp_path):
    executed = tmp_path / f"{page}.ipynb"
    given = MADE_FROM_RESULTS[page]
    papermill.execute_notebook(paths.NOTEBOOKS / f"{page}.ipynb", executed, given, progress_bar=False)
    render(executed, tmp_path / f"{page}.html")
    assert (tmp_path / f"{page}.html").read_text() == (STORED / f"{page}.html").read_text(), "render it again"


@pytest.mark.parametrize("page", PAGES)
def test_a_stored_page_shows_no_warning_and_leads_to_all_others(page):
    text = (STORED / f"{page}.html").read_text()
    assert "Warning: " not in text, "a cell of the page shows a warning"
    links = Links(text).links
    assert {f"{name}.html" for name in PAGES} <= {*links, f"{page}.html"}, "render it again"
