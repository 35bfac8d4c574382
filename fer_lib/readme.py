"""Keeps the results in README.md equal to the results in `results/`: `python -m fer_lib.readme` rewrites that part.

Its pictures are `summary.svg` and `gains.svg` in `results/reports/`, which are rewritten too.
"""

import matplotlib.pyplot as plt
import pandas as pd

from fer_lib import (
    answers,
    claims,
    gains,
    paths,
    plots,
    references,
    report,
    results,
    robustness,
    summary,
    tables,
    wording,
)

REPORTS = paths.ROOT / "results" / "reports"

UNDER_OCCLUSION = (
    f"Under {len(robustness.SCORES['unseen'])} occlusions of other kinds than the rectangles and squares that training "
    "shows (page *Occlusion*), in percent; kept: of the accuracy on clear faces, with its interval as above. Rows that "
    "were asked about other people do not compare:"
)

START, END = "<!-- results: python -m fer_lib.readme -->", "<!-- end of results -->"


def with_results(readme: str) -> str:
    """The text with what stands between the two marks replaced by today's table and sentences.

    Raises ValueError if the marks are not there.
    """
    if START not in readme or END not in readme:
        raise ValueError(f"README.md lacks the marks {START!r} and {END!r}; put them around the place for the results")
    head, rest = readme.split(START)
    return f"{head}{START}\n{results_text()}\n{END}{rest.split(END)[1]}"


def results_text() -> str:
    """The answer in a picture and in short, what each part gains, the paper's arms and claims, and occlusion."""
    dataset = "ckplus"
    reached, parts = summary.table(dataset), gains.table(dataset)
    listed = tables.accuracy_table(dataset).query("part == 'Table 2'")
    said = [
        f"![{summary.in_words(reached)}]({REPORTS.relative_to(paths.ROOT)}/summary.svg)",
        f"{summary.CAPTION} {wording.not_run(dataset)}",
        answers.in_short(dataset),
        markdown(summary.to_beat(dataset)),
        summary.BESIDE,
        "**What does each part gain?**",
        f"![{gains.in_full(parts)}]({REPORTS.relative_to(paths.ROOT)}/gains.svg)",
        gains.CAPTION,
        "**The paper's numbers beside ours**",
        markdown(wording.readable(listed)),
        wording.CAPTION,
        wording.lost_in_words(listed),
        references.in_words(results.of_data_set(dataset, "references.csv")),
        "**Its claims**",
        markdown(wording.readable_claims(claims.claims_table(dataset))),
        wording.CLAIMED,
        "**Under occlusion**",
        UNDER_OCCLUSION,
        markdown(kept(robustness.robustness_table(dataset))),
    ]
    return "\n\n".join(said)


def kept(scores: pd.DataFrame) -> pd.DataFrame:
    """`robustness.robustness_table` in percent, a row per arm: what it keeps of its accuracy on clear faces."""
    rows = []
    for (protocol, label), own in scores.groupby(["protocol", "label"], sort=False):
        by_score = own.set_index("score")
        means = by_score.loc[["clean", "unseen", "kept"], "mean"].map(wording.percent)
        n = robustness.counted(next(own.itertuples()))
        rows.append((protocol, label, n, *means, wording.interval(*by_score.loc["kept", ["ci_low", "ci_high"]])))
    return pd.DataFrame(rows, columns=["protocol", "method", "n", "clear", "occluded", "kept", "95 % interval"])


def markdown(table: pd.DataFrame) -> str:
    """A table as Markdown."""
    rows = [table.columns, ["---"] * len(table.columns), *table.itertuples(index=False)]
    return "\n".join(f"| {' | '.join(map(str, row))} |" for row in rows)


def pictures(dataset: str = "ckplus") -> dict[str, str]:
    """The pictures of the README as SVG, by the name of their file."""
    reached, parts = summary.table(dataset), gains.table(dataset)
    with plt.rc_context(plots.STYLE):
        return {
            "summary.svg": report.picture(summary.picture(reached), summary.in_words(reached)),
            "gains.svg": report.picture(gains.picture(parts), gains.in_full(parts)),
        }


if __name__ == "__main__":
    file = paths.ROOT / "README.md"
    results.write(file, with_results(file.read_text()).encode())
    for name, drawn in pictures().items():
        results.write(REPORTS / name, drawn.encode())
