"""How much each protocol leaks: what training has seen of the test frames."""

import numpy as np
import pandas as pd

from fer_lib.evaluation import nearest_pixels
from fer_lib.faces import Faces
from fer_lib.splits import TEST_SHARE, Split, draws, exposure, served
from fer_lib.words.rounding import percent

DRAWN = {"random": "frame_id", "sequence": "sequence"}
"""Protocol -> what it draws at random."""

KNOWN = ("sequence", "subject")


def ladder(faces: Faces, seeds: int = 20) -> pd.DataFrame:
    """One row per protocol that the data set can serve, from the most to the least exposed.

    Columns: protocol, splits, test frames; and, where the data set knows its subjects, the shares of test frames whose
    sequence or subject is in training (`sequence seen`, `subject seen`), how many test frames a tested sequence or
    subject has (`frames a sequence`, `frames a subject`), and the share of those whose nearest training image in raw
    pixels shows the same person. What `random` and `sequence` leak is expected over all draws; the nearest image
    is found in `seeds` of them.
    """
    subject = faces.frames["subject"].to_numpy(dtype=str)
    known = (subject != "").all()
    rows = []
    for protocol in served(faces):
        splits = [parts for _, _, parts in draws(faces, protocol, seeds)]
        row = {"protocol": protocol, "splits": len(splits), "test frames": np.mean([len(p.test) for p in splits])}
        if known:
            row |= expected(faces.frames, DRAWN[protocol]) if protocol in DRAWN else counted(faces, splits)
            nearest = [nearest_pixels(faces.images, parts.train, parts.test) for parts in splits]
            pairs = zip(splits, nearest, strict=True)
            row["nearest is same person"] = np.mean([(subject[p.test] == subject[near]).mean() for p, near in pairs])
        rows.append(row)
    return pd.DataFrame(rows)


def expected(frames: pd.DataFrame, drawn: str, tested: int | None = None) -> dict[str, float]:
    """What a random test set leaks, expected over all draws: `X seen` and `frames a X` of each X of `KNOWN`.

    frames: a row a frame, with the columns of `KNOWN`. drawn: the column of what is drawn. tested: how many of these
    are, by default the `TEST_SHARE` of all. Both numbers are ratios of expectations.
    """
    sizes = frames.groupby(drawn).size()
    tested = tested or round(len(sizes) * TEST_SHARE)
    found = {}
    for name in KNOWN:
        # Each group: the frames that it has, and in how many of the things that are drawn.
        groups = frames.groupby(name).agg(frames=(drawn, "size"), drawn=(drawn, "nunique"))
        others = [_all_drawn(m - 1, tested - 1, len(sizes) - 1) for m in groups["drawn"]]
        absent = [_all_drawn(m, len(sizes) - tested, len(sizes)) for m in groups["drawn"]]
        found[f"{name} seen"] = float(np.average(1 - np.array(others), weights=groups["frames"]))
        found[f"frames a {name}"] = len(frames) * tested / len(sizes) / float(np.sum(1 - np.array(absent)))
    return found


def _all_drawn(m: int, drawn: int, of: int) -> float:
    """The chance that all of m things are among those that are drawn, so many of so many, without replacement."""
    taken = np.arange(min(m, drawn + 1))
    return float(np.prod((drawn - taken) / (of - taken)))


def counted(faces: Faces, splits: list[Split]) -> dict[str, float]:
    """The numbers of `expected` for splits that are not drawn: the mean share, and all test frames by all groups."""
    seen = pd.DataFrame([exposure(faces, parts) for parts in splits]).mean()
    found = {}
    for name in KNOWN:
        groups = sum(faces.frames[name].iloc[parts.test].nunique() for parts in splits)
        found[f"{name} seen"] = float(seen[name])
        found[f"frames a {name}"] = sum(len(parts.test) for parts in splits) / groups
    return found


SHARES = {
    "sequence seen": "sequence in training, %",
    "subject seen": "subject in training, %",
    "nearest is same person": "nearest image: same subject, %",
}
COUNTS = {"frames a sequence": "test frames per sequence", "frames a subject": "test frames per subject"}


def readable(leaks: pd.DataFrame) -> pd.DataFrame:
    """`ladder` with its shares in percent, rounded, and its columns named for display."""
    in_percent = {name: leaks[name].map(percent) for name in SHARES if name in leaks}
    return leaks.assign(**in_percent).rename(columns=SHARES | COUNTS)
