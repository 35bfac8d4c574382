import numpy as np
import pytest
import torch

from fer_lib.batches import draw_batches, draw_epoch
from fer_lib.experiments import Experiment, Member


def test_batches_visit_every_frame_once():
    batches = draw_batches(np.random.default_rng(0), np.arange(19) % 3, 8, triplets=False)
    assert [len(batch) for batch in batches] == [8, 8, 3]
    assert sorted(np.concatenate(batches)) == list(range(19))


def test_triplet_batches():
    labels = np.random.default_rng(1).integers(0, 7, 203)
    partners, negatives = [], []
    for seed in range(30):
        batches = draw_batches(np.random.default_rng(seed), labels, 8, triplets=True)
        anchor, positive, negative = np.concatenate([batch.reshape(3, -1) for batch in batches], axis=1)
        assert sorted(anchor) == list(range(203))
        assert (labels[anchor] == labels[positive]).all() and (anchor != positive).all()
        assert (labels[anchor] != labels[negative]).all()
        partners += positive[anchor == 0].tolist()
        negatives += negative.tolist()
    assert len(set(partners)) > 10  # of some 29 frames of its class, drawn 30 times
    assert np.bincount(negatives, minlength=203).min() > 0  # 6090 draws over 203 frames


def test_balanced_negatives_are_of_any_other_class_alike():
    labels = np.repeat([0, 2, 5], [60, 30, 10])  # not every class need be there
    drawn = [draw_batches(np.random.default_rng(i), labels, 100, triplets=True, balanced=True)[0] for i in range(60)]
    anchor, positive, negative = np.concatenate([batch.reshape(3, -1) for batch in drawn], axis=1)
    assert (labels[anchor] == labels[positive]).all() and (anchor != positive).all()
    for own, others in ((0, (2, 5)), (2, (0, 5)), (5, (0, 2))):
        asked = labels[negative[labels[anchor] == own]]
        assert set(asked) == set(others)
        assert (asked == others[0]).mean() == pytest.approx(0.5, abs=0.07)
    assert np.bincount(negative, minlength=100).min() > 0, "of 6000 triplets"


def test_every_other_frame_of_a_class_may_be_the_positive():
    rng, labels = np.random.default_rng(0), np.array([0, 0, 0, 1, 1])
    drawn = [draw_batches(rng, labels, 5, triplets=True)[0].reshape(3, 5) for _ in range(60)]
    pairs = {(anchors[i], positives[i]) for anchors, positives, _ in drawn for i in range(5)}
    assert pairs == {(a, p) for a in range(5) for p in range(5) if labels[a] == labels[p] and a != p}


@pytest.mark.parametrize(("occlusion", "boxes"), [("mixed", 16), ("heavy", 36 + 1)])
def test_other_faces_cover_under_mixed_and_heavy_occlusion(occlusion, boxes):
    experiment = Experiment("x", loss="softmax", occlusion=occlusion, batch_size=70)
    (batch,) = draw_epoch(experiment, Member(0, 0), 1, torch.arange(70) % 7)
    assert batch["boxes"].shape == (70, boxes, 4)
    assert (batch["other"] == batch["index"]).float().mean() < 0.1


def test_a_lonely_frame_has_no_positive():
    with pytest.raises(ValueError, match="class 1 has a single training frame"):
        draw_batches(np.random.default_rng(0), np.array([0, 0, 1]), 2, triplets=True)


def test_an_epoch_is_drawn_from_seed_fold_and_epoch_alone():
    labels = torch.arange(21) % 7
    experiment = Experiment("x", head_layers=2)
    first = draw_epoch(experiment, Member(1, 2), 3, labels)
    again = draw_epoch(experiment, Member(1, 2), 3, labels)
    assert all(torch.equal(a, other[name]) for one, other in zip(first, again, strict=True) for name, a in one.items())
    assert [[tuple(part.shape) for part in batch.values()] for batch in first] == [
        [(24,), (24, 4), (24, 640)],
        [(24,), (24, 4), (24, 640)],
        [(15,), (15, 4), (15, 640)],
    ]
    for other in (Member(0, 2), 3), (Member(1, 0), 3), (Member(1, 2), 4), (Member(1, 3), 2), (Member(2, 1), 3):
        drawn = draw_epoch(experiment, *other, labels)
        assert not any(torch.equal(first[0][name], drawn[0][name]) for name in ("index", "boxes"))


def test_dropout_keeps_half_and_changes_no_other_draw():
    labels = torch.arange(70) % 7
    with_dropout = draw_epoch(Experiment("x", head_layers=2, loss="softmax"), Member(0, 0), 1, labels)
    without = draw_epoch(Experiment("x", loss="softmax"), Member(0, 0), 1, labels)
    kept = torch.cat([batch["kept"] for batch in with_dropout])
    assert kept.dtype == torch.bool and kept.float().mean().item() == pytest.approx(0.5, abs=0.01)
    for one, other in zip(with_dropout, without, strict=True):
        assert set(other) == {"index", "boxes"}
        assert all(torch.equal(one[name], tensor) for name, tensor in other.items())
