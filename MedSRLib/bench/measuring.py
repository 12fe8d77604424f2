"""Seconds and memory of a piece of work, and the machine it was done on."""

from __future__ import annotations

import ctypes
import os
import platform
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor

from MedSRLib.inference.runtime import Runtime


def machine(runtime: Runtime) -> dict[str, Any]:
    """Device, processor, threads and torch's version."""
    return {
        "device": runtime.device,
        "processor": platform.processor() or platform.machine(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
    }


def timed(work: Callable[[], Tensor], runtime: Runtime, repeats: int) -> tuple[Tensor, float]:
    """The result and the median seconds of ``repeats`` runs after one to warm up (none if run once)."""
    if repeats > 1:
        work()
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        result = work()
        if runtime.device.startswith("cuda"):
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - started)
    return result, float(np.median(seconds))


@contextmanager
def peak_memory() -> Iterator[list[int]]:
    """The growth of the resident set inside the block, bytes, as the list's only entry; Linux only, else 0."""
    _give_back_free_memory()
    before, stop, peak = _resident(), threading.Event(), [0]

    def watch() -> None:
        while not stop.wait(0.02):
            peak[0] = max(peak[0], _resident() - before)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield peak
    finally:
        stop.set()
        watcher.join()


def _give_back_free_memory() -> None:
    """Else work that follows larger work would find room enough, and seem to need none."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if os.name == "posix" else None
    if trim is not None:
        trim(0)


def _resident() -> int:
    try:
        with open("/proc/self/statm") as stream:  # noqa: PTH123 - a kernel file
            return int(stream.read().split()[1]) * 4096
    except OSError:
        return 0
