"""What this machine can compute on, how fast it is, and why a device that is there cannot be used."""

from __future__ import annotations

import ctypes.util
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
import torch

from MedSRLib.inference.runtime import choose, failure, has_fast_bfloat16

_GIB = 2**30
_CHANNELS, _EDGE = 64, 24
_RESAMPLED_EDGE = 96
_LEAST_S = 0.2


@dataclass(frozen=True)
class Device:
    """One device, as `runtime.choose` names it.

    Attributes:
        name: "cpu", "cuda:0", "mps".
        title: as its maker calls it.
        free_gb, total_gb: memory in GiB; None where it cannot be told.
        precisions: that run in hardware.
        works: whether a small computation succeeded.
        reason: why not, and what to do.
    """

    name: str
    title: str
    free_gb: float | None
    total_gb: float | None
    precisions: tuple[str, ...]
    works: bool = True
    reason: str = ""


@dataclass(frozen=True)
class Speed:
    """How fast a device is.

    Attributes:
        flops: floating-point operations a second of a 3D convolution in the precision that "auto" takes.
        voxels: voxels a second of cubic B-spline resampling (always on the processor).
    """

    flops: float
    voxels: float


def devices() -> list[Device]:
    """All devices: the processor, and graphics cards that work or say why they do not."""
    return [_processor(), *_cards(), *_apple()]


def describe() -> dict[str, Any]:
    """`devices`, the one that "auto" takes, and its and the processor's `Speed`, as plain data."""
    best = choose().device
    measured = {name: asdict(speed(name)) for name in dict.fromkeys(("cpu", best))}
    return {"devices": [asdict(device) for device in devices()], "best": best, "speed": measured}


def speed(device: str) -> Speed:
    """Measured in about half a second."""
    precision = choose(device).dtype
    size = _EDGE if device == "cpu" else 4 * _EDGE
    weight = torch.randn(_CHANNELS, _CHANNELS, 3, 3, 3, device=device, dtype=precision) * 0.02
    weight = weight.contiguous(memory_format=torch.channels_last_3d)
    image = torch.randn(1, _CHANNELS, size, size, size, device=device, dtype=precision)
    image = image.contiguous(memory_format=torch.channels_last_3d)
    operations = 2 * 27 * _CHANNELS**2 * size**3

    def convolve() -> None:
        result = torch.nn.functional.conv3d(image, weight, padding=1)
        result.flatten()[0].item()  # waits until the device is done

    n = _RESAMPLED_EDGE
    volume = sitk.GetImageFromArray(np.zeros((n, n, n), dtype=np.float32))
    resampled = n**3

    def resample() -> None:
        sitk.Resample(volume, volume, sitk.Transform(), sitk.sitkBSpline)

    with torch.inference_mode():
        return Speed(operations / _seconds(convolve), resampled / _seconds(resample))


def _seconds(task: Any) -> float:
    """The shortest time of several runs, after one that warms up."""
    task()
    times: list[float] = []
    while sum(times) < _LEAST_S or len(times) < 2:
        start = time.perf_counter()
        task()
        times.append(time.perf_counter() - start)
    return min(times)


def _processor() -> Device:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    precisions = ("float32", "bfloat16") if has_fast_bfloat16("cpu") else ("float32",)
    free, total = _main_memory()
    return Device("cpu", f"Processor, {cores} cores", free, total, precisions)


def _cards() -> list[Device]:
    if not torch.backends.cuda.is_built() or not torch.cuda.is_available():
        return _hidden_cards()
    return [_card(number) for number in range(torch.cuda.device_count())]


def _card(number: int) -> Device:
    name, title = f"cuda:{number}", torch.cuda.get_device_name(number)
    reason = failure(name)
    if reason is not None:
        advice = "PyTorch may be older than this card: install a newer build of it."
        return Device(name, title, None, None, (), works=False, reason=f"{reason} {advice}")
    free, total = torch.cuda.mem_get_info(number)
    precisions = ("float32", "float16", "bfloat16") if has_fast_bfloat16(name) else ("float32", "float16")
    return Device(name, title, round(free / _GIB, 1), round(total / _GIB, 1), precisions)


def _hidden_cards() -> list[Device]:
    """A card that its driver knows and this build of PyTorch does not use."""
    if ctypes.util.find_library("cuda") is None and ctypes.util.find_library("nvcuda") is None:
        return []
    if torch.version.cuda is None:
        reason = "This build of PyTorch is for processors only. Install the build for your card."
    else:
        reason = "PyTorch finds no usable card: its driver may be too old, or the card is hidden or in use."
    return [Device("cuda:0", "NVIDIA graphics card", None, None, (), works=False, reason=reason)]


def _apple() -> list[Device]:
    if not torch.backends.mps.is_built():
        return []
    reason = failure("mps") if torch.backends.mps.is_available() else "This version of macOS or this Mac has no MPS."
    return [Device("mps", "Graphics processor (Apple)", None, None, ("float32",), reason is None, reason or "")]


def _main_memory() -> tuple[float | None, float | None]:
    """Free and total GiB of this machine; None for what the system does not tell (Windows; macOS: the free part)."""
    try:
        total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / _GIB
    except (AttributeError, ValueError, OSError):
        return None, None
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None, round(total, 1)
    # What a new program may take, file caches included.
    free = next((int(line.split()[1]) * 1024 / _GIB for line in lines if line.startswith("MemAvailable:")), None)
    return None if free is None else round(free, 1), round(total, 1)
