"""Protocols: splits into training and test frames, and how much of the test set is exposed in training."""

from dataclasses import dataclass, field

import numpy as np

from fer_lib.faces import Faces

PROTOCOLS = ("random", "sequence", "subject", "inner", "usage")
LEAST_EXPOSED = ("subject", "sequence", "random", "usage")
"""Protocols to report, from the least exposed test set to the most; `usage` is FER2013's own."""

FOLDS = 10
TEST_SHARE = 181 / 981
"""Kim et al. 2022, section 3: 800 of the 981 frames are for training and 181 for testing."""

ASKED = 1000
"""Maximum number of faces to occlude and explain; all faces of a large data set would take hours."""


@dataclass(frozen=True)
class Split:
    """Indices into a `Faces`, ascending and disjoint; most protocols have no selection frames."""

    train: np.ndarray
    test: np.ndarray
    selection: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int64))


def fold_count(protocol: str) -> int:
    """Number of folds: 10 for `subject`, 5 for `inner`, else 1. Raises ValueError for an unknown protocol."""
    if protocol not in PROTOCOLS:
        raise ValueError(f"unknown protocol {protocol!r}; known: {', '.join(PROTOCOLS)}")
    return {"subject": FOLDS, "inner": FOLDS // 2}.get(protocol, 1)


def served(faces: Faces) -> tuple[str, ...]:
    """Protocols that the data set supports, from the most to the least exposed."""
    known = (faces.frames["subject"].to_numpy(dtype=str) != "").all()
    return ("random", "sequence", "subject") if known else ("random", "usage")


def split(faces: Faces, protocol: str, seed: int = 0, fold: int = 0) -> Split:
    """Split `faces` by `protocol`.

    - `random`: frames at random by seed, as in the paper (800/181 on CK+). Sequences may have frames on both sides.
    - `sequence`: sequences at random by seed, in the same proportion. Subjects may have sequences on both sides.
    - `subject`: 10 folds over subjects in ascending ID order; fold i tests every tenth subject from i on. Ignores seed.
    - `inner`: 5 folds; fold i tests the subjects of folds 2i and 2i + 1 of `subject` together. Its accuracy on the
      subjects of one may select what is trained for the other, whose frames then play no part in the choice.
    - `usage`: Training for training, PublicTest for selection, PrivateTest for testing, as in FER2013. Ignores seed.

    Raises ValueError for an unknown protocol or fold, a protocol that the data set does not support, or a training set
    that lacks a class.
    """
    if not 0 <= fold < fold_count(protocol):
        raise ValueError(f"fold {fold} of protocol {protocol!r}: it has folds 0 to {fold_count(protocol) - 1}")
    column = {"inner": "subject", "random": "frame_id"}.get(protocol, protocol)
    groups = faces.frames[column].to_numpy(dtype=str)
    if (groups == "").any():
        raise ValueError(f"protocol {protocol!r} needs the {column} of each frame, which {faces.name} does not have")
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


class MissingClass(ValueError):
    """A split whose training frames lack a class, or without a test frame."""


def draws(faces: Faces, protocol: str, seeds: int) -> list[tuple[int, int, Split]]:
    """Seed, fold and split of each fold, for `seeds` seeds where the protocol splits at random.

    Random splits whose training set lacks a class, as may happen with a rare one, are skipped.
    """
    found, drawn = [], protocol in ("random", "sequence")
    for seed in range(seeds if drawn else 1):
        for fold in range(fold_count(protocol)):
            try:
                found.append((seed, fold, split(faces, protocol, seed, fold)))
            except MissingClass:
                if not drawn:
                    raise
    return found


def _checked(faces: Faces, train: np.ndarray, test: np.ndarray, *selection: np.ndarray) -> Split:
    missing = [faces.classes[i] for i in set(range(len(faces.classes))) - set(faces.labels[train].tolist())]
    if missing or len(test) == 0:
        what = f"no training frame of {', '.join(missing)}" if missing else "no test frame"
        raise MissingClass(
            f"this split of {faces.name} has {what}; add faces of it, or use fewer seeds or another protocol"
        )
    return Split(train, test, *selection)


def asked(faces: Faces, protocol: str) -> np.ndarray:
    """Frames whose occluded predictions, embeddings and attributions are stored if a member tests them.

    At most `ASKED` frames, ascending and the same for every seed and fold: evenly spaced test frames under `usage`,
    else a random subset, since every third frame may be the same frame of each sequence. It starts with a frame of each
    subject, or a fold of few frames would have none.
    """
    if protocol == "usage":
        rows = split(faces, protocol).test
        return rows[:: -(-len(rows) // ASKED)]
    drawn = np.random.default_rng(0).permutation(len(faces))
    repeated = faces.frames["subject"].iloc[drawn].duplicated().to_numpy()
    return np.sort(np.concatenate([drawn[~repeated], drawn[repeated]])[:ASKED])


def exposure(faces: Faces, parts: Split) -> dict[str, float]:
    """Share of test frames whose sequence, and whose subject, is also in training: 0 without leakage."""
    shares = {}
    for column in ("sequence", "subject"):
        groups = faces.frames[column].to_numpy(dtype=str)
        shares[column] = float(np.isin(groups[parts.test], groups[parts.train]).mean())
    return shares
