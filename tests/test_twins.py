import numpy as np
import pandas as pd
import pytest
from sklearn.neighbors import NearestNeighbors

from fer_lib.measures import twins


def noise(count: int, seed: int = 0) -> np.ndarray:
    """Images of large random blocks, so that they survive being shrunk."""
    blocks = np.random.default_rng(seed).integers(0, 200, (count, 12, 12), dtype=np.uint8)
    return blocks.repeat(4, axis=1).repeat(4, axis=2)


@pytest.fixture
def images():
    """0 to 19 noise; 20 = 3; 21 = 5 brighter and flatter; 22 = 7 mirrored; 23 and 24 black; 25 = 3 again."""
    one = noise(20)
    brighter = (one[5] // 2 + 90).astype(np.uint8)
    black = np.zeros((48, 48), np.uint8)
    return np.stack([*one, one[3], brighter, one[7][:, ::-1], black, black, one[3]])


@pytest.mark.parametrize("block", [5, 7, 100])
def test_pairs_by_hand(images, block):
    _, pairs = twins.search(images, 0.95, block)
    found = pairs[["first", "second", "mirrored", "identical"]].to_numpy().tolist()
    assert found == [
        [3, 20, False, True],
        [3, 25, False, True],
        [5, 21, False, False],
        [7, 22, True, False],
        [20, 25, False, True],
    ]
    assert pairs["similarity"].to_numpy() == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("block", [4, 26, 1000])
def test_the_nearest_is_the_one_that_scikit_learn_finds(images, block):
    shown = np.flatnonzero(~twins.constant(images))
    every = np.concatenate([twins.shrunk(images[shown]), twins.shrunk(images[shown][:, :, ::-1])])
    search = NearestNeighbors(metric="correlation", algorithm="brute").fit(every)
    distance, order = search.kneighbors(every[: len(shown)], n_neighbors=6)
    nearest, _ = twins.search(images, 0.95, block)
    for row, image in enumerate(shown):
        allowed = order[row] % len(shown) != row
        assert nearest["similarity"][image] == pytest.approx(1 - distance[row][allowed][0], abs=1e-5)
    assert nearest.loc[[5, 7, 21, 22], "neighbour"].tolist() == [21, 22, 5, 7]
    assert nearest.loc[[7, 22], "mirrored"].all() and not nearest.loc[[3, 5, 20, 21, 25], "mirrored"].any()


def test_exact_pairs_are_those_of_numpy(images):
    _, group = np.unique(images.reshape(len(images), -1), axis=0, return_inverse=True)
    shown = ~twins.constant(images)
    same = (group[:, None] == group) & shown[:, None] & shown
    _, pairs = twins.search(images, 0.9)
    exact = twins.of_kind(pairs, "exact")
    assert exact[["first", "second"]].to_numpy().tolist() == np.argwhere(np.triu(same, 1)).tolist()


def test_constant_images_have_no_neighbour(images):
    nearest, pairs = twins.search(images, -1)
    assert nearest.loc[[23, 24], "neighbour"].tolist() == [-1, -1]
    assert nearest.loc[[23, 24], "similarity"].isna().all()
    assert not pairs[["first", "second"]].isin([23, 24]).any(axis=None)
    assert len(pairs) == 24 * 23 / 2
    assert np.isfinite(twins.shrunk(images)).all()


def test_a_symmetric_image_is_no_mirrored_twin():
    half = noise(1)[0][:, :24]
    symmetric = np.concatenate([half, half[:, ::-1]], axis=1)
    _, pairs = twins.search(np.stack([symmetric, symmetric]), 0.9)
    assert pairs[["mirrored", "identical"]].to_numpy().tolist() == [[False, True]]


PAIRS = pd.DataFrame(
    [
        (0, 1, 1.0, False, True),
        (1, 4, 0.97, False, False),
        (2, 5, 0.94, False, False),
        (2, 6, 0.95, True, False),
        (3, 4, 0.91, False, False),
        (4, 5, 0.92, True, False),
    ],
    columns=["first", "second", "similarity", "mirrored", "identical"],
)
IMAGES = pd.DataFrame(
    {
        "usage": ["Training", "Training", "Training", "Training", "PrivateTest", "PublicTest", "PrivateTest"],
        "label": ["fear", "anger", "fear", "fear", "fear", "sadness", "fear"],
    }
)


def test_a_mirrored_pair_is_no_twin():
    assert twins.of_kind(PAIRS, "exact")["second"].tolist() == [1]
    assert twins.of_kind(PAIRS, "near")["second"].tolist() == [1, 4, 5]


def test_mirrored_pairs_count_those_of_chance():
    table = twins.chance_share(PAIRS, np.array([0.9, 0.945, 0.99, 1.1]))
    assert table[["pairs", "mirrored"]].to_numpy().tolist() == [[4, 2], [2, 1], [1, 0], [0, 0]]
    assert table["share"][:3].tolist() == [0.5, 0.5, 0] and np.isnan(table["share"][3])


def test_groups_are_joined_through_a_third():
    found = twins.groups(twins.of_kind(PAIRS, "near"), IMAGES)
    assert sorted(found.to_numpy().tolist()) == [[2, 2, 2], [3, 2, 2]]
    (exact,) = twins.groups(twins.of_kind(PAIRS, "exact"), IMAGES).to_numpy().tolist()
    assert exact == [2, 1, 2]


def test_whose_twins_by_hand():
    found = twins.whose(twins.of_kind(PAIRS, "near"), IMAGES)
    assert np.flatnonzero(found["within"]).tolist() == [0, 1]
    assert np.flatnonzero(found["across"]).tolist() == [1, 2, 4, 5]
    assert np.flatnonzero(found["in_training"]).tolist() == [4, 5]
    assert np.flatnonzero(found["disagree"]).tolist() == [4, 5]
    # With a second twin in Training that has its label, image 4 has some, not all, against it.
    more = twins.whose(PAIRS[~PAIRS["mirrored"]], IMAGES)
    assert np.flatnonzero(more["disagree"]).tolist() == [4, 5]
    assert np.flatnonzero(more["all_disagree"]).tolist() == [5]
