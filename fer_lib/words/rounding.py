"""Numbers as text: shares in percent, with their intervals, and what a comparison found in points."""

import re

import pandas as pd


def gained(row) -> str:
    """What a comparison found, with both intervals of its verdict: +1.00 points [0.00 to +2.00; folds -1.00 to +3.00].

    row: the columns of `comparisons.COMPARISON`, as attributes.
    """
    said = f"{100 * row.difference:+z.2f} points"
    if pd.isna(row.ci_low):
        return said
    ends = interval(row.ci_low, row.ci_high, "+")
    if pd.notna(row.trained_low):
        ends += f"; {_trained_apart(row.pairs)} {interval(row.trained_low, row.trained_high, '+')}"
    return f"{said} [{ends}]"


def judged(row) -> str:
    """`gained` and the verdict: +1.00 points [0.00 to +2.00] (not resolvable)."""
    return f"{gained(row)} ({row.verdict})"


def briefly(row) -> str:
    """`judged` without intervals, for what a figure or its data have in full."""
    return f"{100 * row.difference:+z.2f} points ({row.verdict})"


def in_points(row) -> str:
    """`gained` in a cell, of which no interval breaks: +1.00 [0.00 to +2.00] folds [-1.00 to +3.00].

    A line may begin with the interval after a name longer than folds, for tables would not fit the page otherwise.
    """
    said = points(row.difference, row.ci_low, row.ci_high)
    if pd.isna(row.trained_low):
        return said
    ends = interval(row.trained_low, row.trained_high, "+").replace(" ", "\N{NO-BREAK SPACE}")
    apart = _trained_apart(row.pairs)
    gap = "\N{NO-BREAK SPACE}" if apart == "folds" else " "
    return f"{said} {apart}{gap}[{ends}]"


def _trained_apart(pairs: str) -> str:
    """subjects in 10 folds (20 and 10 runs) -> folds; subjects in 3 starts and 30 single runs -> starts and runs."""
    return " and ".join(re.findall(r"[a-z]+(?= and \d|$)", pairs.split(" (")[0]))


def points(difference: float, low: float, high: float) -> str:
    """`in_cell` with signs: 0.01, -0.01, 0.03 -> +1.00 [-1.00 to +3.00]."""
    return in_cell(difference, low, high, "+z.2%")


def paired(row) -> str:
    """What a comparison pairs: 118 subjects in 10 folds (20 and 10 runs), breaking before "in" and "(" only."""
    said = f"{row.n:,} {row.pairs}".replace(" ", "\N{NO-BREAK SPACE}")
    return re.sub("\N{NO-BREAK SPACE}(?=in\N{NO-BREAK SPACE}|\\()", " ", said)


def in_folds(protocol: str, n: int, trainings: int) -> str:
    """What an interval is over: ("subject", 20, 10) -> 20 runs in 10 folds; 4 runs under a protocol without folds.

    Its line breaks before "in" only.
    """
    runs = members_and_subjects(n)
    return f"{runs} in\N{NO-BREAK SPACE}{trainings}\N{NO-BREAK SPACE}folds" if protocol == "subject" else runs


def members_and_subjects(members: int, subjects: int | None = None) -> str:
    """(1,) -> 1 run; (20, 118) -> 20 runs, 118 subjects, breaking after the comma only."""
    said = f"{members}\N{NO-BREAK SPACE}run{'s' if members != 1 else ''}"
    return said if subjects is None else f"{said}, {subjects}\N{NO-BREAK SPACE}subjects"


def percent(share: float) -> str:
    """0.98765 -> 98.77."""
    return f"{100 * share:.2f}" if pd.notna(share) else "–"


def p_value(p: float) -> str:
    """0.0312 -> 0.031; 0.0004 -> < 0.001, for no test says that a chance is nil."""
    if pd.isna(p):
        return "–"
    return f"{p:.3f}" if p >= 0.001 else "<\N{NO-BREAK SPACE}0.001"


def listed(words: list[str]) -> str:
    """a, b and c."""
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def interval(low: float, high: float, sign: str = "") -> str:
    """0.9, 1 -> 90.00 to 100.00; with sign "+" both ends carry theirs."""
    return f"{100 * low:{sign}z.2f} to {100 * high:{sign}z.2f}" if pd.notna(low) else "–"


def in_cell(mean: float, low: float, high: float, form: str) -> str:
    """(0.9, 0.85, 0.95, ".2f") -> 0.90 [0.85 to 0.95], whose line breaks before the ends only; no ends if undefined.

    form: a format of numbers; with a percent sign the three are given in percent, without the sign.
    """
    if pd.isna(mean):
        return "–"
    said, low_end, high_end = (f"{x:{form}}".removesuffix("%") for x in (mean, low, high))
    ends = f" [{low_end}\N{NO-BREAK SPACE}to\N{NO-BREAK SPACE}{high_end}]" if pd.notna(low) else ""
    return f"{said}{ends}"


def with_ends(found: pd.Series | tuple) -> str:
    """(0.9, 0.85, 0.95), or a row with mean, ci_low, ci_high -> 90.00 % [85.00 to 95.00]; without ends if undefined."""
    mean, low, high = found[["mean", "ci_low", "ci_high"]] if isinstance(found, pd.Series) else found
    return f"{percent(mean)} %" + (f" [{interval(low, high)}]" if pd.notna(low) else "")


def intervals(low: pd.Series, high: pd.Series, sign: str = "") -> list[str]:
    """`interval` of each row, in cells, of which no line breaks."""
    said = [interval(*ends, sign) for ends in zip(low, high, strict=True)]
    return [ends.replace(" ", "\N{NO-BREAK SPACE}") for ends in said]
