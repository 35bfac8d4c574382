"""The machine: the training device, its name, timing, memory and power meters."""

import platform
import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import joblib
import torch


def device() -> str:
    """The device that trains networks: `cuda` if PyTorch finds a GPU, else `cpu`."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def cores() -> int:
    """Number of usable CPU cores, within a container's limits."""
    return joblib.cpu_count()


def name() -> str:
    """Name of the machine: the GPU's, or the processor's with its number of cores and best instruction set."""
    if device() == "cuda":
        return torch.cuda.get_device_name()
    found = re.search(r"^model name\s*:\s*(.+)$", _text(Path("/proc/cpuinfo")), flags=re.MULTILINE)
    processor = found[1] if found else platform.processor() or platform.machine()
    return f"{processor}, {cores()} cores, {torch.backends.cpu.get_cpu_capability()}"


def has_avx512() -> bool:
    """Whether the CPU has AVX-512, which PyTorch's fast convolutions and bf16 need."""
    return torch.backends.cpu.get_cpu_capability().startswith("AVX512")


def seconds(function: Callable[[], object]) -> float:
    """Time the device takes for a call, in seconds."""
    wait = torch.cuda.synchronize if device() == "cuda" else (lambda: None)
    wait()
    began = time.perf_counter()
    function()
    wait()
    return time.perf_counter() - began


def best(function: Callable[[], object], repeats: int) -> float:
    """Seconds of the fastest of `repeats` calls, after one warm-up call."""
    return min([seconds(function) for _ in range(repeats + 1)][1:])


def peak_memory() -> float:
    """Peak memory of this process in MB: allocated on the GPU, else resident (NaN outside Linux)."""
    if device() == "cuda":
        return torch.cuda.max_memory_allocated() / 1e6
    found = re.search(r"^VmHWM:\s*(\d+) kB$", _text(Path("/proc/self/status")), flags=re.MULTILINE)
    return int(found[1]) * 1024 / 1e6 if found else float("nan")


def joules() -> float:
    """Energy counter of the processors (RAPL), in joules; NaN if missing or not readable."""
    meters = [_text(meter) for meter in Path("/sys/class/powercap").glob("intel-rapl:?/energy_uj")]
    return sum(map(int, meters)) / 1e6 if meters and all(meters) else float("nan")


def gpu_watts() -> float:
    """Mean power of the GPU over the last second, in watts; NaN if not available."""
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
