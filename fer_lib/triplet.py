"""Triplet mining and triplet loss.

A triplet is anchor, positive (same class, another frame) and negative (another class). Miners take squared
Euclidean distances (M, M) and labels (M,) of one batch and return a bool mask (M, M, M), True at [anchor, positive,
negative]. They keep every tensor's shape independent of the data, so that a GPU never waits for the host.
"""

import torch


def squared_distances(embeddings: torch.Tensor) -> torch.Tensor:
    """Squared Euclidean distances (M, M) between the rows of (M, D)."""
    return (embeddings[:, None] - embeddings[None]).square().sum(dim=-1)


def valid(labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Masks (M, M) of positive pairs [a, p] (same class, not the same frame) and negative pairs [a, n]."""
    same = labels[:, None] == labels[None]
    return same & ~torch.eye(len(labels), dtype=torch.bool, device=labels.device), ~same


def random_triplets(distances: torch.Tensor, labels: torch.Tensor, margin: float) -> torch.Tensor:
    """The triplets as drawn: the batch holds n anchors, their n positives and their n negatives, in this order.

    One random positive and one random negative per anchor, as in the author's public code; or, if `balanced`, the
    emotion of the negative is drawn first, so that rare emotions are told apart as often as frequent ones.
    """
    index = torch.arange(len(labels), device=labels.device)
    count = len(labels) // 3
    anchor, positive, negative = index[:, None, None], index[None, :, None], index
    return (anchor < count) & (positive == anchor + count) & (negative == anchor + 2 * count)


def batch_all(distances: torch.Tensor, labels: torch.Tensor, margin: float) -> torch.Tensor:
    """Every valid triplet of the batch (Hermans et al. 2017)."""
    positive, negative = valid(labels)
    return positive[:, :, None] & negative[:, None, :]


def semi_hard(distances: torch.Tensor, labels: torch.Tensor, margin: float) -> torch.Tensor:
    """Valid triplets whose negative is farther than the positive, but by at most the margin (Schroff et al. 2015)."""
    gap = distances[:, None, :] - distances[:, :, None]
    return batch_all(distances, labels, margin) & (gap > 0) & (gap <= margin)


def batch_hard(distances: torch.Tensor, labels: torch.Tensor, margin: float) -> torch.Tensor:
    """Each anchor with its farthest positive and its nearest negative (Hermans et al. 2017).

    Ties go to the first frame; anchors without a positive or a negative give no triplet.
    """
    positive, negative = valid(labels)
    farthest = distances.masked_fill(~positive, -torch.inf).argmax(dim=1)
    nearest = distances.masked_fill(~negative, torch.inf).argmin(dim=1)
    index = torch.arange(len(labels), device=labels.device)
    is_farthest = (farthest[:, None] == index)[:, :, None]
    is_nearest = (nearest[:, None] == index)[:, None, :]
    return is_farthest & is_nearest & batch_all(distances, labels, margin)


MINERS = {
    "random": random_triplets,
    "balanced": random_triplets,
    "batch-all": batch_all,
    "semi-hard": semi_hard,
    "batch-hard": batch_hard,
}


def triplet_loss(
    embeddings: torch.Tensor, labels: torch.Tensor, mining: str, margin: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean of max(0, |a - p|^2 - |a - n|^2 + margin) over the mined triplets (Eq. 1 of Kim et al. 2022).

    embeddings (M, D), labels (M,). `batch-all` averages only over triplets with positive loss, as in its source, since
    the many solved triplets would dominate the mean. Returns the loss and the share of mined triplets with positive
    loss; both are 0 if no triplet was mined, so that such a batch has zero gradients.

    Raises KeyError for an unknown mining strategy.
    """
    distances = squared_distances(embeddings)
    mined = MINERS[mining](distances.detach(), labels, margin)
    cost = (distances[:, :, None] - distances[:, None, :] + margin).relu() * mined
    active = (cost > 0).sum()
    averaged = active if mining == "batch-all" else mined.sum()
    return cost.sum() / averaged.clamp(min=1), active / mined.sum().clamp(min=1)
