import numpy as np
import pytest
import torch
from torchvision.transforms import RandomErasing

from fer_lib.occlusion import (
    AREA,
    COVERED,
    HEAVY_AREA,
    HEAVY_COVERED,
    LOW,
    MIXED_FILLS,
    RATIO,
    apply_mask,
    draw_fills,
    draw_heavy,
    draw_mixed,
    draw_rectangles,
    mixed_fill,
    rectangle_mask,
)


def test_mask_covers_exactly_the_box():
    mask = rectangle_mask(torch.tensor([[2, 40, 3, 8], [0, 0, 0, 0]]))
    assert mask.sum(dim=(1, 2)).tolist() == [24, 0]
    assert mask[0, 2:5, 40:48].all()
    both = rectangle_mask(torch.tensor([[[2, 40, 3, 8], [0, 0, 1, 2]], [[-2, 46, 4, 5], [0, 46, 2, 2]]]))
    assert both.sum(dim=(1, 2)).tolist() == [26, 4], "two apart; two that overlap, one beyond the edge"


def test_fill_goes_under_the_mask_only():
    images = torch.full((1, 1, 48, 48), 0.7)
    mask = rectangle_mask(torch.tensor([[0, 0, 24, 48]]))
    covered = apply_mask(images, mask)
    assert covered[0, 0, :24].eq(0).all()
    assert covered[0, 0, 24:].eq(images[0, 0, 24:]).all()
    assert apply_mask(images, mask, torch.full_like(images, 0.2))[0, 0, 0, 0] == torch.tensor(0.2)


def test_boxes_stay_in_the_image_and_in_their_bounds():
    boxes = draw_rectangles(np.random.default_rng(0), 5000)
    top, left, height, width = boxes.T
    assert (top >= 0).all() and (left >= 0).all() and (top + height <= 48).all() and (left + width <= 48).all()
    assert height.max() == width.max() == 47, "as torchvision's, which refuses one as long as the face"
    assert (top + height).max() == (left + width).max() == 48, "the last row and column can be covered"
    assert np.log(height / width).mean() == pytest.approx(0, abs=0.05), "as often tall as wide"
    # Sides are rounded to pixels, so area and ratio may pass their bounds by half a pixel a side.
    assert ((height - 0.5) * (width - 0.5) <= AREA[1] * 48**2).all()
    assert ((height + 0.5) * (width + 0.5) >= AREA[0] * 48**2).all()
    assert ((height - 0.5) / (width + 0.5) <= RATIO[1]).all()
    assert ((height + 0.5) / (width - 0.5) >= RATIO[0]).all()


def test_covers_as_much_as_torchvisions_random_erasing():
    boxes = draw_rectangles(np.random.default_rng(1), 4000)
    ours = boxes[:, 2] * boxes[:, 3] / 48**2
    torch.manual_seed(0)
    erase, face = RandomErasing(p=1, scale=AREA, ratio=RATIO), torch.ones(1, 48, 48)
    theirs = np.array([(erase(face) == 0).float().mean().item() for _ in range(4000)])
    # Both means have a standard error of 0.0014.
    assert abs(ours.mean() - theirs.mean()) < 0.006
    assert abs(ours.std() - theirs.std()) < 0.006


def test_mixed_occlusion_covers_half_the_faces_with_every_number_and_fill():
    masks = rectangle_mask(torch.from_numpy(draw_mixed(np.random.default_rng(0), 3000))).numpy()
    fills, noise = draw_fills(np.random.default_rng(0), 3000)
    assert masks.shape == noise.shape == (3000, 48, 48) and masks.dtype == bool and noise.dtype == np.uint8
    covered = masks.any(axis=(1, 2))
    assert abs(covered.mean() - COVERED) < 0.03
    share = masks[covered].mean(axis=(1, 2))
    assert share.max() < 0.5 and abs(share.mean() - np.mean(AREA)) < 0.03, "overlaps aside, as one rectangle"
    whole = [(mask.any(axis=0).sum() * mask.any(axis=1).sum() == mask.sum()) for mask in masks[covered]]
    assert 0.3 < np.mean(whole) < 0.45, "about a third is a single rectangle"
    assert np.bincount(fills).min() > 0.9 * 3000 / len(MIXED_FILLS) and len(np.bincount(fills)) == len(MIXED_FILLS)


def test_heavy_occlusion_covers_most_faces_and_often_the_lower_part():
    masks = rectangle_mask(torch.from_numpy(draw_heavy(np.random.default_rng(0), 3000))).numpy()
    covered = masks[masks.any(axis=(1, 2))]
    assert abs(len(covered) / 3000 - HEAVY_COVERED) < 0.02
    whole = np.array([mask.any(axis=0).sum() * mask.any(axis=1).sum() == mask.sum() for mask in covered])
    assert abs(whole.mean() - LOW) < 0.05, "one rectangle; few of those with several look like one"
    wide = covered[whole]
    assert (wide[:, 24:].sum(axis=(1, 2)) > wide[:, :24].sum(axis=(1, 2))).mean() > 0.95, (
        "its middle is in the lower half"
    )
    assert 0.3 < wide.mean() < 0.5, "30 to 70 % of the face, less what is beyond its edge"
    assert covered[~whole].mean() < (AREA[0] + HEAVY_AREA) / 2, "overlaps, and what is beyond the edge, aside"
    assert covered[:, 0].any(axis=1).mean() > 0.15, "rectangles reach the edge"


def test_each_fill_of_mixed_occlusion():
    images = torch.rand(4, 1, 48, 48)
    noise, others = torch.full((4, 48, 48), 51, dtype=torch.uint8), torch.rand(4, 1, 48, 48)
    filled = mixed_fill(
        images, torch.tensor([MIXED_FILLS.index(x) for x in ("black", "mean", "noise", "face")]), noise, others
    )
    assert filled[0].unique().tolist() == [0]
    torch.testing.assert_close(filled[1], images[1].mean().expand(1, 48, 48))
    torch.testing.assert_close(filled[2], torch.full((1, 48, 48), 0.2))
    assert torch.equal(filled[3], others[3])
