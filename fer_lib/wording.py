"""How shares are written for the eye: in percent, two decimals, a dash where undefined."""

import pandas as pd


def percent(share: float) -> str:
    """0.98765 -> 98.77."""
    return f"{100 * share:.2f}" if pd.notna(share) else "–"


def interval(low: float, high: float, sign: str = "") -> str:
    """0.9, 1 -> 90.00 to 100.00; with sign "+" both ends carry theirs."""
    return f"{100 * low:{sign}.2f} to {100 * high:{sign}.2f}" if pd.notna(low) else "–"
