"""Keeps the results in README.md equal to the results in `results/`: `python -m fer_lib.readme` rewrites that part.

Its pictures are `summary.svg` and `gains.svg` in `results/reports/`, which are rewritten too.
"""

import matplotlib.pyplot as plt
import pandas as pd

from fer_lib import paths, report, results
from fer_lib.figures import gains_plots, plots, summary
from fer_lib.findings import gains, initialisations, tables
from fer_lib.measures import references
from fer_lib.words import answers, wording

DATASET = "ckplus"
REPORTS = paths.ROOT / "results" / "reports"

START, END = "<!-- results: python -m fer_lib.readme -->", "<!-- end of results -->"


def with_results(readme: str, said: str) -> str:
    """The text with what stands between the two marks replaced by `said`.

    Raises ValueError if the marks are not there.
    """
    if START not in readme or END not in readme:
        raise ValueError(f"README.md lacks the marks {START!r} and {END!r}; put them around the place for the results")
    head, rest = readme.split(START)
    return f"{head}{START}\n{said}\n{END}{rest.split(END)[1]}"


def results_text(parts: pd.DataFrame) -> str:
    """The answer in a picture and in short, what there is to beat, what each part gains, and the paper's numbers.

    parts: `gains.table`, here and below.
    """
    pages = f"{REPORTS.relative_to(paths.ROOT)}/"
    table = tables.accuracy_table(DATASET)
    listed = table.query("part == 'Table 2'")
    said = [
        f"![Accuracy of each method under a random split, on unseen subjects, and occluded]({pages}summary.svg)",
        f"{summary.CAPTION} {wording.not_run(DATASET)}",
        *answers.in_brief(DATASET, table, answers.over_reference(DATASET, table), parts, pages),
        markdown(summary.to_beat(DATASET)),
        summary.BESIDE,
        "**What does each part gain?**",
        f"![{gains.in_words(parts)}]({pages}gains.svg)",
        f"{gains.caption(parts)} {initialisations.found_by_chance(DATASET)}",
        "**The paper's numbers beside ours**",
        markdown(wording.readable(listed)),
        wording.CAPTION,
        wording.collapsed_in_words(listed),
        references.in_words(results.of_data_set(DATASET, "references.csv")),
    ]
    return "\n\n".join(said)


def markdown(table: pd.DataFrame) -> str:
    """A table as Markdown."""
    rows = [table.columns, ["---"] * len(table.columns), *table.itertuples(index=False)]
    return "\n".join(f"| {' | '.join(map(str, row))} |" for row in rows)


def pictures(parts: pd.DataFrame) -> dict[str, str]:
    """The pictures of the README as SVG, by the name of their file."""
    reached = summary.table(DATASET)
    with plt.rc_context(plots.STYLE):
        return {
            "summary.svg": report.picture(summary.picture(reached), summary.in_words(reached)),
            "gains.svg": report.picture(gains_plots.picture(parts), gains.in_full(parts)),
        }


if __name__ == "__main__":
    file = paths.ROOT / "README.md"
    parts = gains.table(DATASET)
    results.write(file, with_results(file.read_text(), results_text(parts)).encode())
    for name, drawn in pictures(parts).items():
        results.write(REPORTS / name, drawn.encode())
