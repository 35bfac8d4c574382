"""How fast training is, compared with a standard loop and with the hardware limit, and what was tried to speed it up.

Everything is timed in one go on one machine, on the synthetic faces, so that anyone can repeat it; the ratios matter. A
frame is one image in one training step: a triplet is three.
"""

import json
import multiprocessing
import os
import re
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import pandas as pd
import torch
from torch.utils.flop_counter import FlopCounterMode

from fer_lib import machine, paths, results
from fer_lib.datasets import synthetic
from fer_lib.experiments import Experiment, Member
from fer_lib.faces import Faces
from fer_lib.measures import speed_occlusion
from fer_lib.measures.speed_baseline import usual_way
from fer_lib.measures.speed_tried import tried
from fer_lib.network import Network
from fer_lib.run import trainee
from fer_lib.side_by_side import fit_side_by_side
from fer_lib.training import fit
from fer_lib.workers import in_parallel

EXPERIMENTS = {loss: Experiment(f"speed-{loss}", loss=loss, epochs=2) for loss in ("softmax", "triplet")}
"""The paper's ResNet-10 at its batch of 8; the first epoch warms up, the second is timed."""

USUAL, ONE, TEN = "the usual way", "ours, 1 member", "ours, 10 members"
MEMBERS = {ONE: 1, TEN: 10}

SHOWN = {USUAL: "standard loop", ONE: "this study, 1 run", TEN: "this study, 10 runs"}
"""The stored ways in words."""


def compare(experiments: dict[str, Experiment] = EXPERIMENTS, members: dict[str, int] = MEMBERS) -> pd.DataFrame:
    """Time the usual way and ours. One row per loss and way.

    Columns: loss, way, members, frames, seconds, frames_per_second, ratio (to the usual way), gflops (of arithmetic,
    achieved), peak_memory_mb (of the training processes on a CPU, allocated on a GPU), joules_per_1000_frames (NaN
    where the machine does not tell).
    """
    rows = []
    for loss, experiment in experiments.items():
        work = training_gflop(experiment)
        for way in (USUAL, *members):
            joules, began = machine.joules(), time.monotonic()
            timed = _alone(partial(usual_way, experiment)) if way == USUAL else ours(experiment, members[way])
            spent = machine.joules() - joules  # the counter wraps after some tens of minutes
            watts = spent / (time.monotonic() - began) if spent >= 0 else float("nan")
            power = machine.gpu_watts() if machine.device() == "cuda" else watts
            rate = timed["frames"] / timed["seconds"]
            row = {"loss": loss, "way": way, "members": members.get(way, 1), **timed, "frames_per_second": rate}
            rows.append({**row, "gflops": rate * work, "joules_per_1000_frames": 1000 * power / rate})
    table = pd.DataFrame(rows)
    usual = table[table["way"] == USUAL].set_index("loss")["frames_per_second"]
    return table.assign(ratio=table["frames_per_second"] / table["loss"].map(usual))


def ours(experiment: Experiment, members: int) -> dict:
    """Train `members` at once as `run` does: in parallel processes on a CPU, side by side on a GPU."""
    every = [Member(seed, 0) for seed in range(members)]
    if machine.device() == "cpu":
        train = partial(_member, experiment)
        timed = pd.DataFrame([row for _, row in in_parallel(train, every, synthetic.load(), lambda: None)])
        return {
            "frames": int(timed["frames"].sum()),
            "seconds": timed["seconds"].sum() / min(members, machine.cores()),
            "peak_memory_mb": timed.groupby("process")["peak_memory_mb"].max().sum(),
        }
    torch.cuda.reset_peak_memory_stats()
    with tempfile.TemporaryDirectory() as folder:
        trainees = [trainee(experiment, Path(folder), member, synthetic.load(), "cuda") for member in every]
        return {**_last_epoch(trainees, fit_side_by_side), "peak_memory_mb": machine.peak_memory()}


def _member(experiment: Experiment, member: Member, faces: Faces, on_epoch: Callable) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        trainees = [trainee(experiment, Path(folder), member, faces, "cpu")]
        timed = _last_epoch(trainees, lambda trainees, on_epoch: fit(trainees[0], on_epoch))
    return {**timed, "process": os.getpid(), "peak_memory_mb": machine.peak_memory()}


def _last_epoch(trainees: list, train: Callable) -> dict:
    """Train for two epochs; frames and seconds of the second."""
    first = []
    train(trainees, lambda: first or first.extend(one.seconds for one in trainees))
    frames = sum(one.experiment.frames_per_anchor * len(one.data.train_labels) for one in trainees)
    return {"frames": frames, "seconds": sum(one.seconds for one in trainees) - sum(first)}


def floor(size: int = 2048, repeats: int = 10) -> pd.DataFrame:
    """What the machine can do at best: one row for each of a large matrix product in several precisions and a copy.

    Columns: what, threads, value, unit. A large fp32 product is the floor that training is held against. Precisions
    that the processor would emulate, for minutes, are left out.
    """
    device, rows = machine.device(), []
    precisions = {"fp32": torch.float32}
    precisions |= {"bf16": torch.bfloat16} if device == "cuda" or machine.has_avx512() else {}
    precisions |= {"tf32": torch.float32} if device == "cuda" else {}
    before = torch.get_num_threads()
    for threads in (1, machine.cores()) if device == "cpu" else (before,):
        torch.set_num_threads(threads)
        for name, dtype in precisions.items():
            torch.backends.cuda.matmul.allow_tf32 = name == "tf32"
            a, b = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))
            seconds = machine.best(lambda a=a, b=b: a @ b, repeats)
            rows.append((f"matrix product, {name}", threads, 2 * size**3 / seconds / 1e9, "GFLOP/s"))
        source = torch.empty(2**26, device=device)
        target = torch.empty_like(source)
        copied = 2 * source.nbytes / machine.best(lambda s=source, t=target: t.copy_(s), repeats)
        rows.append(("copy", threads, copied / 1e9, "GB/s"))
    torch.set_num_threads(before)
    torch.backends.cuda.matmul.allow_tf32 = False
    return pd.DataFrame(rows, columns=["what", "threads", "value", "unit"])


def measure() -> Path:
    """Time this machine; the tables go to `results/speed/<machine>/`, whose path is returned."""
    folder = paths.RESULTS / "speed" / re.sub(r"[^a-z0-9]+", "-", machine.name().lower()).strip("-")
    measured = {
        "floor": floor(),
        "compare": compare(),
        "tried": tried(),
        "occlusion": speed_occlusion.suite(EXPERIMENTS),
    }
    for name, table in measured.items():
        results.write_csv(folder / f"{name}.csv", table)
    work = training_gflop(EXPERIMENTS["triplet"])
    record = {"machine": machine.name(), "gflop_per_frame": work, **results.provenance()}
    results.write_json(folder / "run.json", record)
    return folder


def training_gflop(experiment: Experiment) -> float:
    """Arithmetic of a training step a frame, in 10^9 operations: forward and backward pass, counted by PyTorch."""
    network, images = Network(experiment.backbone), torch.zeros(8, 1, 48, 48)
    with FlopCounterMode(display=False) as counter:
        network(images)[0].sum().backward()
    return counter.get_total_flops() / len(images) / 1e9


def _alone(function: Callable[[], dict]) -> dict:
    """The function's outcome from a fresh process, with a memory of its own and all cores."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function).result()


def measured() -> list[Path]:
    """The folders of the machines that were timed."""
    return sorted(file.parent for file in (paths.RESULTS / "speed").glob("*/run.json"))


def compared(folder: Path) -> pd.DataFrame:
    """What `compare` found on a stored machine, the ways in words (`SHOWN`)."""
    return pd.read_csv(folder / "compare.csv").replace({"way": SHOWN})


def limit(folder: Path) -> float:
    """Frames per second if training were arithmetic only, at the speed of an fp32 (GPU: tf32) matrix product."""
    floors = pd.read_csv(folder / "floor.csv")
    product = floors[floors["what"].isin(["matrix product, tf32", "matrix product, fp32"])]
    best = product[product["threads"] == product["threads"].max()]["value"].max()
    return best / json.loads((folder / "run.json").read_text())["gflop_per_frame"]


def readable(folder: Path) -> pd.DataFrame:
    """`compare` of a stored machine, rounded, with the share of `limit` that each way reaches.

    Energy is left out where the machine does not tell it.
    """
    table, at_most = compared(folder), limit(folder)
    shown = pd.DataFrame(
        {
            "loss": table["loss"],
            "training": table["way"],
            "frames / s": [f"{x:.0f}" for x in table["frames_per_second"]],
            "× standard loop": [f"{x:.2f}" for x in table["ratio"]],
            "% of the hardware limit": [f"{100 * x / at_most:.0f}" for x in table["frames_per_second"]],
            "peak memory, GB": [f"{x / 1000:.2f}" for x in table["peak_memory_mb"]],
            "J / 1000 frames": [f"{x:.0f}" if pd.notna(x) else "–" for x in table["joules_per_1000_frames"]],
        }
    )
    return shown if table["joules_per_1000_frames"].notna().any() else shown.drop(columns="J / 1000 frames")


def answer(folder: Path) -> str:
    """How long ten runs take, and how this compares with one standard loop and the hardware limit, in sentences."""
    table, at_most = pd.read_csv(folder / "compare.csv"), limit(folder)
    alone = table[table["way"] == ONE].set_index("loss")["ratio"]
    lines = [f"**{name(folder)}**\n"]
    for row in table[table["way"] == TEN].itertuples():
        frames = 800 * 100 * row.members * EXPERIMENTS[row.loss].frames_per_anchor
        minutes = frames / row.frames_per_second / 60
        lines.append(
            f"- {row.loss.capitalize()}: {row.members} runs of 100 epochs on 800 frames, as in the paper, would take "
            f"{minutes:.0f} minutes, at {row.frames_per_second / at_most:.0%} of the hardware limit. Together they "
            f"train {row.ratio:.1f} times as many frames per second as one standard loop, and one run alone "
            f"{alone[row.loss]:.2f} times as many."
        )
    return "\n".join([*lines, speed_occlusion.answer(speed_occlusion.stored(folder))]).rstrip()


def readable_tried(folder: Path) -> pd.DataFrame:
    """`tried` of a stored machine, rounded for display."""
    table = pd.read_csv(folder / "tried.csv")
    shown = {"change": table["change"].str.replace("members", "runs")}
    shown |= {name: [f"{x:.2f}" if pd.notna(x) else "–" for x in table[name]] for name in ("predicted", "measured")}
    return pd.DataFrame({**shown, "reason for the prediction": table["why"]})


def name(folder: Path) -> str:
    """The name of the timed machine."""
    return json.loads((folder / "run.json").read_text())["machine"]
