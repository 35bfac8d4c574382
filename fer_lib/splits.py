"""Protocols: which frames train and which test, and how much of the test set the training set has already seen."""

from dataclasses import dataclass, field

import numpy as np

from fer_lib.faces import Faces

PROTOCOLS = ("random", "sequence", "subject", "inner", "usage")
LEAST_EXPOSED = ("subject", "sequence", "random", "usage")
"""Those that results are told of, from the one whose training has seen least of its test set; FER2013 has its own."""

FOLDS = 10
TEST_SHARE = 181 / 981
"""Kim et al. 2022, section 3: of 981 frames 800 train and 181 test."""

ASKED = 1000
"""Of a larger data set no more than so many faces are occluded and explained: all would take hours."""


@dataclass(frozen=True)
class Split:
    """Indices into a `Faces`, ascending and disjoint; those to choose by are none under most protocols."""

    train: np.ndarray
    test: np.ndarray
    selection: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int64))


def fold_count(protocol: str) -> int:
    """Folds of one pass over the protocol: 10 for `subject`, 5 for `inner`, else 1. Raises ValueError if unknown."""
    if protocol not in PROTOCOLS:
        raise ValueError(f"unknown protocol {protocol!r}; known: {', '.join(PROTOCOLS)}")
    return {"subject": FOLDS, "inner": FOLDS // 2}.get(protocol, 1)


def served(faces: Faces) -> tuple[str, ...]:
    """The protocols that the data set can serve, from the most to the least exposed."""
    known = (faces.frames["subject"].to_numpy(dtype=str) != "").all()
    return ("random", "sequence", "subject") if known else ("random", "usage")


def split(faces: Faces, protocol: str, seed: int = 0, fold: int = 0) -> Split:
    """Split `faces` by `protocol`.

    - `random`: frames at random by seed, the paper's (800/181 on CK+). Frames of one sequence fall on both sides.
    - `sequence`: sequences at random by seed, in the same proportion. Subjects fall on both sides.
    - `subject`: 10 folds, subjects in ascending ID order, fold i tests every tenth from i on. The seed changes nothing.
    - `inner`: 5 folds, fold i tests the subjects of folds 2i and 2i + 1 of `subject` together. What it says of one of
      the two may choose what is trained for the other, whose frames it has neither trained on nor is asked about.
    - `usage`: Training trains, PublicTest selects and PrivateTest tests, as FER2013 comes. The seed changes nothing.

    Raises ValueError for an unknown protocol or fold, a protocol that the data set cannot serve, or a training set
    without a class.
    """
    if not 0 <= fold < fold_count(protocol):
        raise ValueError(f"fold {fold} of protocol {protocol!r}: it has folds 0 to {fold_count(protocol) - 1}")
    column = {"inner": "subject", "random": "frame_id"}.get(protocol, protocol)
    groups = faces.frames[column].to_numpy(dtype=str)
    if (groups == "").any():
        raise ValueError(f"protocol {protocol!r} needs the {column} of each frame, which {faces.name} does not tell")
    if protocol == "usage":
        return _checked(faces, *(np.flatnonzero(groups == name) for name in ("Training", "PrivateTest", "PublicTest")))
    ids = np.unique(groups)
    if protocol == "subject":
        tested = ids[fold::FOLDS]
    elif protocol == "inner":
        tested = np.concatenate([ids[2 * fold :: FOLDS], ids[2 * fold + 1 :: FOLDS]])
    else:
        tested = np.random.default_rng([seed, 0x5917]).permutation(ids)[: round(len(ids) * TEST_SHARE)]
    test = np.isin(groups, tested)
    return _checked(faces, np.flatnonzero(~test), np.flatnonzero(test))


def draws(faces: Faces, protocol: str, seeds: int) -> list[tuple[int, int, Split]]:
    """Seed, fold and split of each fold, and of `seeds` draws where the protocol draws.

    Without the draws that leave a class out of training, as those of a rare one may.
    """
    found, drawn = [], protocol in ("random", "sequence")
    for seed in range(seeds if drawn else 1):
        for fold in range(fold_count(protocol)):
            try:
                found.append((seed, fold, split(faces, protocol, seed, fold)))
            except ValueError:
                if not drawn:
                    raise
    return found


def _checked(faces: Faces, train: np.ndarray, test: np.ndarray, *selection: np.ndarray) -> Split:
    missing = [faces.classes[i] for i in set(range(len(faces.classes))) - set(faces.labels[train].tolist())]
    if missing or len(test) == 0:
        what = f"no training frame of {', '.join(missing)}" if missing else "no test frame"
        raise ValueError(
            f"this split of {faces.name} has {what}; add faces of it, or take fewer seeds or another protocol"
        )
    return Split(train, test, *selection)


def asked(faces: Faces, protocol: str) -> np.ndarray:
    """The frames whose answers under occlusion, embedding and attribution are stored where a member tests them.

    All frames; of more than `ASKED`, every so manieth that `usage` tests, and else some at random, ascending, the same
    for every seed and fold: every third may be the same third of every recording.
    """
    if protocol == "usage":
        rows = split(faces, protocol).test
        return rows[:: -(-len(rows) // ASKED)]
    return np.sort(np.random.default_rng(0).permutation(len(faces))[:ASKED])


def exposure(faces: Faces, parts: Split) -> dict[str, float]:
    """Share of the test frames whose sequence, and whose subject, is also in training: 0 where nothing leaks."""
    shares = {}
    for column in ("sequence", "subject"):
        groups = faces.frames[column].to_numpy(dtype=str)
        shares[column] = float(np.isin(groups[parts.test], groups[parts.train]).mean())
    return shares
