"""Baseline for the speed comparison: training written the usual way, as in public FER code."""

import time

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from fer_lib import machine
from fer_lib.datasets import synthetic
from fer_lib.experiments import Experiment
from fer_lib.network import Network
from fer_lib.occlusion import AREA, RATIO
from fer_lib.splits import split


class UsualFaces(Dataset):
    """Loads and transforms one PIL image at a time and searches its triplet on access."""

    def __init__(self, images: np.ndarray, labels: np.ndarray, triplets: bool):
        self.images = [Image.fromarray(image) for image in images]
        self.labels, self.triplets = labels, triplets
        self.transform = transforms.Compose(
            [transforms.ToTensor(), transforms.RandomErasing(p=1, scale=AREA, ratio=RATIO)]
        )

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, i: int):
        chosen = [i]
        if self.triplets:
            same = self.labels == self.labels[i]
            chosen += [np.random.choice(np.flatnonzero(same)), np.random.choice(np.flatnonzero(~same))]
        return [self.transform(self.images[k]) for k in chosen], self.labels[i]


def usual_way(experiment: Experiment) -> dict:
    """Train the network with a DataLoader and separate forward passes for anchor, positive and negative.

    Returns frames and seconds of the last epoch, and the peak memory of this process in MB.
    """
    device, faces = machine.device(), synthetic.load()
    train = split(faces, "random").train
    dataset = UsualFaces(faces.images[train], faces.labels[train], experiment.loss == "triplet")
    loader = DataLoader(dataset, batch_size=experiment.batch_size, shuffle=True)
    network = Network(experiment.backbone).to(device).train()
    optimiser = torch.optim.Adam(network.parameters(), lr=experiment.lr)
    criterion = torch.nn.CrossEntropyLoss()
    for _ in range(experiment.epochs):
        frames, began = 0, time.perf_counter()
        for images, labels in loader:
            embeddings = [network(image.to(device))[0] for image in images]
            if experiment.loss == "triplet":
                anchor, positive, negative = embeddings
                near, far = (anchor - positive).pow(2).sum(dim=1), (anchor - negative).pow(2).sum(dim=1)
                loss = (near - far + experiment.margin).clamp(min=0).mean()
            else:
                loss = criterion(embeddings[0], labels.to(device))
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            loss.item()
            frames += len(images) * len(labels)
        seconds = time.perf_counter() - began
    return {"frames": frames, "seconds": seconds, "peak_memory_mb": machine.peak_memory()}
