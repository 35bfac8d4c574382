"""The machine: the device that trains, its name, and what its meters show."""

import platform
import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import joblib
import torch


def device() -> str:
    """Where networks are trained: cuda where PyTorch finds a GPU, else cpu."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def cores() -> int:
    """How many processes the machine runs at once, as far as a container lets it."""
    return joblib.cpu_count()


def name() -> str:
    """What the machine is, in words: the GPU's name, or the processor's with its cores and best instruction set."""
    if device() == "cuda":
        return torch.cuda.get_device_name()
    found = re.search(r"^model name\s*:\s*(.+)$", _text(Path("/proc/cpuinfo")), flags=re.MULTILINE)
    processor = found[1] if found else platform.processor() or platform.machine()
    return f"{processor}, {cores()} cores, {torch.backends.cpu.get_cpu_capability()}"


def has_avx512() -> bool:
    """Whether the CPU computes in vectors of 512 bits, for which PyTorch's convolutions and bf16 are written."""
    return torch.backends.cpu.get_cpu_capability().startswith("AVX512")


def seconds(function: Callable[[], object]) -> float:
    """How long the device works on a call."""
    wait = torch.cuda.synchronize if device() == "cuda" else (lambda: None)
    wait()
    began = time.perf_counter()
    function()
    wait()
    return time.perf_counter() - began


def best(function: Callable[[], object], repeats: int) -> float:
    """Seconds of the fastest of several calls, after one that warms up."""
    return min([seconds(function) for _ in range(repeats + 1)][1:])


def peak_memory() -> float:
    """Most memory that this process has had, in MB: allocated on a GPU, else resident (NaN outside Linux)."""
    if device() == "cuda":
        return torch.cuda.max_memory_allocated() / 1e6
    found = re.search(r"^VmHWM:\s*(\d+) kB$", _text(Path("/proc/self/status")), flags=re.MULTILINE)
    return int(found[1]) * 1024 / 1e6 if found else float("nan")


def joules() -> float:
    """What the processors' own meters (RAPL) show; NaN where there are none, or they are not readable."""
    meters = [_text(meter) for meter in Path("/sys/class/powercap").glob("intel-rapl:?/energy_uj")]
    return sum(map(int, meters)) / 1e6 if meters and all(meters) else float("nan")


def gpu_watts() -> float:
    """What the GPU has drawn in the last second, NaN where it does not tell."""
    command = ["nvidia-smi", "--query-gpu=power.draw.average", "--format=csv,noheader,nounits", "--id=0"]
    try:
        return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    except (OSError, ValueError, subprocess.CalledProcessError):
        return float("nan")


def _text(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:
        return ""
