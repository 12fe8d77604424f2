"""WEENIE's synthesis beside two honest references, on a subject that nothing was trained on.

    python Testing/Conformance/synthesis_references.py --data MANIFEST.tsv --source T1w --target T2w [--scale 2]

joint histogram   E[y | x]: the mean target intensity of every source intensity, one curve for all
patch ridge       the target voxel as a linear function of the 5 × 5 × 5 source voxels around it, ridge 1

Both are fitted to the voxels of the very registered volumes that the recipe of WEENIE's model takes, degraded and
interpolated as there, normalised as there. They are a script and not methods: they are what a method must beat, and
nobody should make images with them. Every result is compared in the unit of a synthesised volume, 100 for the middle of
the patient, which the truth is brought to by itself and not by what was synthesised; "fitted" is the PSNR after the
best straight line between result and truth, so that a wrong brightness of the whole does not count.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

from MedSRLib import images, intensity, upscaling
from MedSRLib.acquisition.degrading import degrade
from MedSRLib.evaluation import metrics
from MedSRLib.evaluation.measures import Measurer
from MedSRLib.evaluation.reference import Reference
from MedSRLib.grids import Grid
from MedSRLib.inference.runtime import Runtime
from MedSRLib.manifests import load
from MedSRLib.models import library
from MedSRLib.progress import Progress
from MedSRLib.training import frames, recipe, whole_pairs
from MedSRLib.training.split import split_by_subject
from MedSRLib.training.whole_pairs import WholePair

BINS, RADIUS, RIDGE = 128, 2, 1.0


def curve_of(pairs: list[WholePair], highest: float) -> np.ndarray:
    """The mean target intensity of each bin of source intensities from 0 to ``highest``; gaps are filled linearly."""
    total, count = np.zeros(BINS), np.zeros(BINS)
    for pair in pairs:
        where = _bins(pair.source[pair.mask].numpy(), highest)
        total += np.bincount(where, pair.target[pair.mask].numpy(), BINS)
        count += np.bincount(where, minlength=BINS)
    seen = count > 20
    return np.interp(np.arange(BINS), np.flatnonzero(seen), total[seen] / count[seen])


def _bins(values: np.ndarray, highest: float) -> np.ndarray:
    return np.clip(np.rint(values / highest * (BINS - 1)), 0, BINS - 1).astype(int)


def patches_of(volume: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The surroundings of every voxel of a mask, and a one, (n, 126)."""
    padded = np.pad(volume, RADIUS, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (2 * RADIUS + 1,) * 3)[mask]
    return np.concatenate([windows.reshape(len(windows), -1), np.ones((len(windows), 1), np.float32)], 1)


def weights_of(pairs: list[WholePair]) -> np.ndarray:
    """The ridge regression of the middle target voxel on its surroundings."""
    size = (2 * RADIUS + 1) ** 3 + 1
    left, right = RIDGE * np.eye(size), np.zeros(size)
    for pair in pairs:
        some = pair.mask.clone()
        some[1::2] = False  # every second plane: 126 numbers want no more
        rows = patches_of(pair.source.numpy(), some.numpy())
        left += (rows.T @ rows).astype(np.float64)
        right += rows.T @ pair.target[some].numpy()
    return np.linalg.solve(left, right)


def main() -> None:
    """Print a line of JSON for each method."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--source", required=True)
    parser.add_argument("--target", required=True)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--noise", type=float, default=0.0)
    parser.add_argument("--subject", default="stroke01")
    parser.add_argument("--model", nargs="*", default=[], help="names or paths; by default the shipped one")
    parser.add_argument("--save", type=Path, help="a folder for the volumes")
    given = parser.parse_args()
    manifest = load(given.data)
    default = f"weenie-{given.source}-{given.target}".lower() + ("-x2" if given.scale > 1 else "")
    models = [library.load(name, "weenie") for name in given.model or [default]]
    known = {v.modality: v.path for v in manifest.volumes if v.subject == given.subject}
    fine, truth = (images.read(known[name]) for name in (given.source, given.target))
    scan = degrade(fine, given.scale, noise=given.noise, seed=1) if given.scale > 1 or given.noise else fine
    results = {card_name(m): made_by(m, scan, fine) for m in models}
    results |= references(models[0], manifest, scan, fine)
    normal = intensity.fit("foreground", images.to_array(truth))
    values = normal.apply(images.to_array(truth)) * intensity.SYNTHETIC_UNIT
    reference = Reference.of(images.from_array(values, Grid.of(truth)))
    measurer = Measurer(reference, ("psnr", "ssim", "ncc"))
    for name, made in results.items():
        print(json.dumps({"method": name, **measured(measurer, reference, made)}), flush=True)
        if given.save:
            images.write(images.from_array(made, Grid.of(truth)), given.save / f"{name}.nii.gz")


def card_name(model: Any) -> str:
    """How a model is called in the table."""
    return str(model.card.name)


def made_by(model: Any, scan: Any, fine: Any) -> np.ndarray:
    """What WEENIE makes of the scan, on the grid of the fine one."""
    return images.to_array(upscaling.upscale(scan, "weenie", like=fine, model=model, runtime=Runtime()))


def references(model: Any, manifest: Any, scan: Any, fine: Any) -> dict[str, np.ndarray]:
    """What both references make of the scan."""
    progress = Progress()
    checked = recipe.Recipe.model_validate(model.card.recipe)
    split = split_by_subject(manifest, checked)
    train = frames.read(split.train.volumes, checked.data.normalisation, progress, split.companions)
    pairs = whole_pairs.whole_pairs(train, checked, progress)
    values = images.to_array(scan)
    normal = intensity.fit("foreground", values)
    same = upscaling.upscale(images.from_array(normal.apply(values), Grid.of(scan)), "cubic", like=fine)
    source, mask = images.to_array(same), images.to_array(fine) > 0
    highest = max(float(torch.quantile(p.source[p.mask][::50], 0.999)) for p in pairs)
    curve, weights = curve_of(pairs, highest), weights_of(pairs)
    linear = np.zeros_like(source)
    linear[mask] = patches_of(source, mask) @ weights
    histogram = np.where(mask, curve[_bins(source, highest)], 0)
    return {
        name: (intensity.SYNTHETIC_UNIT * made).astype(np.float32)
        for name, made in (("joint histogram", histogram), ("patch ridge", linear))
    }


def measured(measurer: Measurer, reference: Reference, made: np.ndarray) -> dict[str, float]:
    """PSNR, SSIM and NCC inside the head, and the PSNR after the best straight line."""
    scores = measurer.of(made, Progress())
    mask = reference.mask
    slope, offset = np.polyfit(made[mask].astype(np.float64), reference.array[mask].astype(np.float64), 1)
    span = float(np.ptp(reference.array))
    fitted = metrics.psnr(reference.array, (slope * made + offset).astype(np.float32), data_range=span, mask=mask)
    found = {name: round(score["mask"], 4) for name, score in scores.items()}
    return {**found, "psnr fitted": round(fitted, 4)}


if __name__ == "__main__":
    main()
