"""Keeps the results in README.md equal to the results in `results/`: `python -m fer_lib.readme` rewrites that part."""

import pandas as pd

from fer_lib import claims, paths, recipe_results, references, results, robustness, tables, transfer_results, wording

UNDER_OCCLUSION = "Under 53 occlusions of kinds that no training showed (page *Occlusion*; intervals as above):"

START, END = "<!-- results: python -m fer_lib.readme -->", "<!-- end of results -->"


def with_results(readme: str) -> str:
    """The text with what stands between the two marks replaced by today's table and sentences.

    Raises ValueError if the marks are not there.
    """
    if START not in readme or END not in readme:
        raise ValueError(f"README.md lacks the marks {START!r} and {END!r}; put them around the place for the results")
    head, rest = readme.split(START)
    return f"{head}{START}\n{results_text()}\n{END}{rest.split(END)[1]}"


def results_text(dataset: str = "ckplus") -> str:
    """The table of the paper's arms as Markdown, and what the intervals say of its claims."""
    table = wording.readable(tables.accuracy_table(dataset).query("part == 'Table 2'"))
    lines = [" | ".join(table.columns), " | ".join("---" for _ in table.columns)]
    lines += [" | ".join(map(str, row)) for row in table.itertuples(index=False)]
    occlusion = robustness.answer(robustness.robustness_table(dataset), robustness.questions_table(dataset))
    learned_little = references.in_words(pd.read_csv(paths.RESULTS / dataset / "references.csv"))
    return "\n".join(
        [
            *(f"| {line} |" for line in lines),
            "",
            wording.CAPTION,
            "",
            learned_little,
            "",
            wording.claims_in_words(claims.claims_table(dataset)),
            "",
            " ".join(filter(None, (recipe_results.in_short(dataset), transfer_results.in_short()))),
            "",
            UNDER_OCCLUSION,
            "",
            occlusion,
        ]
    )


if __name__ == "__main__":
    file = paths.ROOT / "README.md"
    results.write(file, with_results(file.read_text()).encode())
