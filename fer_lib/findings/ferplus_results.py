"""What the networks trained on FERPlus's labels score, beside what its authors print; from `results/` alone.

images: `quality.read("images")`, a row per image of FER2013.
"""

import pandas as pd

from fer_lib.datasets.fer2013 import USAGES
from fer_lib.datasets.ferplus import CLASSES
from fer_lib.findings import fer2013_results, quality
from fer_lib.findings.claims import Claim, claims_table
from fer_lib.measures import votes
from fer_lib.words import fer2013_wording
from fer_lib.words.rounding import percent
from fer_lib.words.wording import not_run

DATASET = "ferplus"

CLAIMS = (Claim("the votes as target beat their majority", {"target": "votes"}, {"target": "label"}),)
"""Barsoum et al. 2016; their accuracies stand in `published_ferplus.csv`."""


def kept(images: pd.DataFrame) -> pd.DataFrame:
    """How many images of each usage get a label, and why the others do not.

    Columns usage, images, labelled, no majority, unknown, no face.
    """
    read = votes.clear_majority(images).replace("", "no majority")
    counts = pd.crosstab(images["usage"], read.where(~read.isin(CLASSES), "labelled"))
    columns = ["labelled", "no majority", "unknown", "no face"]
    counts = counts.reindex(index=list(USAGES), columns=columns, fill_value=0).rename_axis(columns=None)
    counts.insert(0, "images", counts.sum(axis=1))
    return counts.reset_index()


def tested(images: pd.DataFrame) -> pd.DataFrame:
    """The rows of PrivateTest with a label."""
    return images[(images["usage"] == "PrivateTest") & votes.clear_majority(images).isin(CLASSES)]


def published(images: pd.DataFrame) -> pd.DataFrame:
    """`quality.published` of FERPlus."""
    return quality.published(DATASET, len(tested(images)))


def scores() -> pd.DataFrame:
    """`fer2013_results.scores`; no row if nothing is trained."""
    return fer2013_results.scores(DATASET) if fer2013_results.is_trained(DATASET) else pd.DataFrame()


def claimed() -> pd.DataFrame:
    """What the votes as target add, as `claims_table`; no row if no two networks differ only in the target."""
    return claims_table(DATASET, CLAIMS) if fer2013_results.is_trained(DATASET) else pd.DataFrame()


def answer(table: pd.DataFrame, gained: pd.DataFrame, images: pd.DataFrame) -> str:
    """The section's findings in sentences; table: `scores`, gained: `claimed`."""
    if table.empty:
        return "No network is trained on these labels yet; `make ferplus` trains those that `experiments.csv` lists."
    voter = votes.voters(tested(images))["top"].mean()
    lines = [fer2013_wording.reached(row, networks=1) for _, row in table.iterrows()]
    undecided = ["No two networks that differ only in the target are trained yet."]
    lines += fer2013_wording.claimed(gained, "The authors' claim") or undecided
    lines.append(
        f"A randomly drawn voter agrees with the label on {percent(voter)} % of these images. The comparison favours "
        "the voter, because the label is made of the same votes."
    )
    return "\n\n".join([*lines, not_run(DATASET)])
