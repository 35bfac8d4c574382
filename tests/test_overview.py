"""The overview: where to read on."""

from fer_lib.figures import overview


def test_every_page_is_linked_with_its_question():
    links = overview.read_on("ckplus").splitlines()
    assert links[1:3] == [
        "- [Table 2](02_table.html): Does the method reach the numbers it prints?",
        "- [Occlusion](03_occlusion.html): Is it robust to occlusion?",
    ]
    assert len(links) == len(overview.PAGES) - 1
