import pytest
import torch
from pytorch_metric_learning import distances, losses, miners

from fer_lib.triplet import MINERS, squared_distances, triplet_loss

SQUARED = distances.LpDistance(power=2, normalize_embeddings=False)


def on_a_line(*points):
    return torch.tensor(points, dtype=torch.float32)[:, None]


def mined(mining, points, labels, margin=1.0):
    mask = MINERS[mining](squared_distances(on_a_line(*points)), torch.tensor(labels), margin)
    return {tuple(index) for index in mask.nonzero().tolist()}


def test_batch_all_on_a_line():
    # Classes {0, 1} and {2}: two anchors with one positive and one negative each; frame 2 has no positive.
    assert mined("batch-all", [0, 1, 3], [0, 0, 1]) == {(0, 1, 2), (1, 0, 2)}


def test_batch_hard_on_a_line():
    # Anchor 0: farthest positive at 5, nearest negative at 2. Anchor at 5: positive 0, negative at 6.
    triplets = mined("batch-hard", [0, 1, 5, 2, 6], [0, 0, 0, 1, 1])
    assert triplets == {(0, 2, 3), (1, 2, 3), (2, 0, 4), (3, 4, 1), (4, 3, 2)}


def test_semi_hard_on_a_line():
    # Anchor 0, positive 1 (squared 1): of negatives 2, 1.2, 0.5, -1 only 1.44 lies beyond it but within 1 + margin.
    triplets = mined("semi-hard", [0, 1, 2, 1.2, 0.5, -1], [0, 0, 1, 1, 1, 1])
    assert {t for t in triplets if t[:2] == (0, 1)} == {(0, 1, 3)}
    assert mined("semi-hard", [0, 0, 1], [0, 0, 1]) == {(0, 1, 2), (1, 0, 2)}, "by the margin itself is not too far"
    loss, _ = triplet_loss(on_a_line(0, 0, 1.2), torch.tensor([0, 0, 1]), "semi-hard", 2.0)
    assert loss.item() == pytest.approx(2 - 1.44), "the miner has the margin of the loss"


def test_random_takes_the_batch_as_drawn():
    assert mined("random", [0, 9, 1, 8, 5, 4], [0, 1, 0, 1, 1, 0]) == {(0, 2, 4), (1, 3, 5)}


@pytest.mark.parametrize("mining", ["batch-all", "semi-hard", "batch-hard"])
def test_ties_one_class_and_lonely_frames(mining):
    assert mined(mining, [0, 0, 0], [0, 0, 0]) == set()
    assert mined(mining, [0, 1, 2], [0, 1, 2]) == set()
    assert len(mined("batch-hard", [0, 1, -1, 2, -2], [0, 0, 0, 1, 1])) == 5  # of two equals one is taken


@pytest.mark.parametrize(("a", "p", "n", "expected"), [(0, 1, 2, 0), (0, 1, 1, 1), (0, 2, 1, 4), (0, 0, 0, 1)])
def test_equation_1_in_the_head(a, p, n, expected):
    """max(0, (a-p)^2 - (a-n)^2 + 1)."""
    loss, active = triplet_loss(on_a_line(a, p, n), torch.tensor([0, 0, 1]), "random", 1.0)
    assert loss.item() == expected
    assert active.item() == (expected > 0)


def test_the_active_share_is_of_the_mined_triplets():
    # Anchors and positives at 0, negatives at 0.5 and 9: only the first costs, 1 - 0.25.
    loss, active = triplet_loss(on_a_line(0, 0, 0, 0, 0.5, 9), torch.tensor([0, 0, 0, 0, 1, 1]), "random", 1.0)
    assert (loss.item(), active.item()) == (0.375, 0.5)


def test_nothing_mined_costs_nothing_and_moves_nothing():
    points = torch.zeros(4, 2, requires_grad=True)
    loss, active = triplet_loss(points, torch.zeros(4, dtype=torch.int64), "batch-hard", 1.0)
    loss.backward()
    assert (loss.item(), active.item()) == (0, 0)
    assert points.grad.abs().sum() == 0


@pytest.fixture(params=[False, True], ids=["raw", "normalised"])
def batch(request):
    torch.manual_seed(3)
    points, labels = torch.randn(24, 7), torch.randint(0, 7, (24,))
    return (torch.nn.functional.normalize(points) if request.param else points), labels


def test_batch_all_agrees_with_pytorch_metric_learning(batch):
    oracle = losses.TripletMarginLoss(margin=1.0, distance=SQUARED)  # averages the positive ones
    torch.testing.assert_close(triplet_loss(*batch, "batch-all", 1.0)[0], oracle(*batch))


def test_batch_hard_agrees_with_pytorch_metric_learning(batch):
    triplets = miners.BatchHardMiner(distance=SQUARED)(*batch)
    ours = MINERS["batch-hard"](squared_distances(batch[0]), batch[1], 1.0)
    assert {tuple(i) for i in ours.nonzero().tolist()} == set(zip(*(t.tolist() for t in triplets), strict=True))


def test_semi_hard_agrees_with_pytorch_metric_learning(batch):
    triplets = miners.TripletMarginMiner(margin=1.0, distance=SQUARED, type_of_triplets="semihard")(*batch)
    ours = MINERS["semi-hard"](squared_distances(batch[0]), batch[1], 1.0)
    assert len(triplets[0]) > 0
    assert {tuple(i) for i in ours.nonzero().tolist()} == set(zip(*(t.tolist() for t in triplets), strict=True))


def test_random_agrees_with_torch(batch):
    points, _ = batch
    squared = torch.nn.TripletMarginWithDistanceLoss(distance_function=lambda a, b: (a - b).square().sum(1), margin=1.0)
    labels = torch.arange(8).repeat(3)
    labels[16:] += 8
    ours = triplet_loss(points, labels, "random", 1.0)[0]
    torch.testing.assert_close(ours, squared(points[:8], points[8:16], points[16:]))
