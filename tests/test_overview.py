"""The overview: where to read on."""

from fer_lib.figures import overview


def test_every_page_is_linked_with_its_question_and_its_answer(monkeypatch):
    monkeypatch.setattr(overview.answers, "of_each_page", lambda: {"03_occlusion": "Said.", "02_table": ""})
    links = overview.read_on("ckplus").splitlines()
    assert links[1:3] == [
        "- [Table 2](02_table.html): Does the method reach the numbers it prints?",
        "- [Occlusion](03_occlusion.html): Is it robust to occlusion? Said.",
    ]
    assert len(links) == len(overview.PAGES) - 1
