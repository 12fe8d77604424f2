"""How fast the metrics run: ours beside scikit-image and a loop over slices of sewar, in one run on one pair.

    medsr bench metrics --json

The pair is a made-up head of ``size``³ voxels and the same blurred. Measures of slices run over all slices of the
three orientations; of other programs' slices eight are timed and scaled to all, and the values of those eight are
compared with ours. PSI and LPC-SI have no other implementation in Python, and LPIPS is left out where its weights
are not on the machine. Ours runs on the device of the runtime, everything else on the processor.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import platform
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from MedSRLib.errors import MissingPackageError, OptionError
from MedSRLib.evaluation import metrics, slicewise
from MedSRLib.evaluation.slicewise import SLICE_METRICS

if TYPE_CHECKING:
    from MedSRLib.inference.runtime import Runtime
    from MedSRLib.progress import Progress

_REPEATS = 3
_SAMPLE = 8
_WHITE = 255.0
_ALONE = ("lpips", "psi", "lpc-si")


def run(size: int, *, runtime: Runtime, progress: Progress) -> dict[str, Any]:
    """Time every metric on a pair of ``size``³ voxels; see the module.

    Args:
        size: voxels along each axis, at least 48 (VIF needs 41).
        runtime: device of our metrics.
        progress: told what is being timed.

    Returns:
        Under "metrics", by name: value and seconds of ours; and, where there is another implementation, its name,
        value, seconds, the ratio of the times and the difference of the values. Ready for JSON.

    Raises:
        OptionError: for a size that cannot be used.
    """
    import torch

    if size < 48:
        raise OptionError(f"A size of {size} cannot be timed.", "VIF needs 41 pixels a side.", "Use 256.")
    reference, image = pair(size, runtime.seed)
    found: dict[str, Any] = {}
    for n, (name, work) in enumerate(_volume_metrics(runtime.device).items()):
        progress.stage(f"Timing {name}")
        found[name] = _beside(name, *work, reference, image)
        progress.update((n + 1) / 16)
    for n, name in enumerate(SLICE_METRICS):
        progress.stage(f"Timing {name}")
        found[name] = _slices(name, reference, image, runtime.device)
        progress.update((2 * n + 6) / 16)
    return {
        "benchmark": "metrics",
        "size": size,
        "metrics": found,
        "machine": {
            "device": runtime.device,
            "processor": platform.processor() or platform.machine(),
            "threads": torch.get_num_threads(),
            "torch": torch.__version__,
        },
    }


def table(found: dict[str, Any]) -> str:
    """What `run` found, as lines to read."""
    lines = [f"{'metric':10}{'value':>12}{'seconds':>10}  {'beside':28}{'value':>12}{'seconds':>10}{'times':>8}"]
    for name, entry in found["metrics"].items():
        if entry["value"] is None:
            lines.append(f"{name:10}{entry['note']}")
            continue
        line = f"{name:10}{entry['value']:12.6f}{entry['seconds']:10.3f}"
        if "other" in entry:
            line += f"  {entry['other']:28}{entry['other_value']:12.6f}{entry['other_seconds']:10.3f}"
            line += f"{entry['ratio']:8.1f}"
        elif "note" in entry:
            line += f"  {entry['note']}"
        lines.append(line)
    return "\n".join(lines)


def pair(size: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A head with folds, fine texture and air around it, 0 to 255, and the same blurred, float32 (k, j, i)."""
    from scipy.ndimage import gaussian_filter

    generator = np.random.default_rng(seed)
    axis = np.linspace(-1, 1, size, dtype=np.float32)
    k, j, i = axis[:, None, None], axis[None, :, None], axis[None, None, :]
    radius = np.sqrt((k / 0.8) ** 2 + (j / 0.9) ** 2 + (i / 0.7) ** 2)
    folds = np.sign(np.sin(22 * k + 3 * i) * np.cos(19 * j) + np.sin(25 * i + 2 * j))
    texture = gaussian_filter(generator.standard_normal((size,) * 3, dtype=np.float32), 1.0)
    head = np.where(radius < 1, 130 + 50 * folds + 60 * texture, 0)
    reference = np.clip(gaussian_filter(head.astype(np.float32), 0.6), 0, _WHITE)
    reference *= _WHITE / reference.max()
    return reference, gaussian_filter(reference, 0.9)


Metric = Callable[[np.ndarray, np.ndarray], float]


def _volume_metrics(device: str) -> dict[str, tuple[Metric, Metric]]:
    """Ours and scikit-image's, for the measures of whole volumes."""
    from skimage.metrics import peak_signal_noise_ratio, structural_similarity

    from MedSRLib.evaluation import box_similarity

    window = (metrics.SSIM_WINDOW,) * 3
    return {
        "psnr": (
            lambda x, y: metrics.psnr(x, y, data_range=_WHITE),
            lambda x, y: float(peak_signal_noise_ratio(x, y, data_range=_WHITE)),
        ),
        "ssim": (
            lambda x, y: box_similarity.box_mean(x, y, data_range=_WHITE, window=window, device=device),
            lambda x, y: float(structural_similarity(x, y, data_range=_WHITE)),
        ),
    }


def _beside(name: str, ours: Metric, other: Metric, x: np.ndarray, y: np.ndarray) -> dict[str, Any]:
    ours(x, y)  # to warm up
    value, seconds = _timed(lambda: ours(x, y), _REPEATS)
    theirs, their_seconds = _timed(lambda: other(x, y), 1)
    return _entry(value, seconds) | _other(_scikit_image(), theirs, their_seconds, seconds, value)


def _slices(name: str, x: np.ndarray, y: np.ndarray, device: str) -> dict[str, Any]:
    """One measure over all slices, and another program's over a sample of them."""

    def ours() -> slicewise.SliceScores:
        return slicewise.measure(name, x, y, low=0.0, high=_WHITE, device=device)

    try:
        scores, seconds = _timed(ours, 1)
    except MissingPackageError as error:
        return {"value": None, "note": str(error)}
    entry = _entry(scores.mean, seconds)
    if name in _ALONE:
        return entry
    program = _slice_program(name)
    if program is None:
        return entry | {"note": "nothing to compare with; run: pip install sewar"}
    title, other = program
    counted = [n for n in np.linspace(0, len(x) - 1, 4 * _SAMPLE).astype(int) if np.isfinite(scores.values["k"][n])]
    sample = counted[len(counted) // 4 :][:_SAMPLE]
    theirs, their_seconds = _timed(lambda: float(np.mean([other(x[n], y[n]) for n in sample])), 1)
    total = sum(scores.counted.values())
    same = float(scores.values["k"][sample].mean())
    note = {"note": f"{len(sample)} of {total} slices timed and compared, then scaled"}
    return entry | _other(title, theirs, their_seconds * total / len(sample), seconds, same) | note


def _slice_program(name: str) -> tuple[str, Metric] | None:
    """Another implementation of a measure of slices, where there is one on this machine."""
    if name == "ssim-2d":
        from skimage.metrics import structural_similarity

        return _scikit_image(), lambda x, y: float(structural_similarity(x, y, data_range=_WHITE))
    if name == "vif":
        try:
            module = importlib.import_module("sewar.full_ref")
        except ImportError:
            return None
        return "sewar, slice by slice", lambda x, y: float(module.vifp(x.astype(np.float64), y.astype(np.float64)))
    return None


def _scikit_image() -> str:
    return f"scikit-image {importlib.metadata.version('scikit-image')}"


def _timed(work: Callable[[], Any], repeats: int) -> tuple[Any, float]:
    """The result and the median seconds of ``repeats`` runs."""
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        result = work()
        seconds.append(time.perf_counter() - started)
    return result, float(np.median(seconds))


def _entry(value: float, seconds: float) -> dict[str, Any]:
    return {"value": value, "seconds": round(seconds, 4)}


def _other(title: str, value: float, seconds: float, our_seconds: float, our_value: float) -> dict[str, Any]:
    return {
        "other": title,
        "other_value": value,
        "other_seconds": round(seconds, 4),
        "ratio": round(seconds / our_seconds, 2),
        "difference": abs(our_value - value),
    }
