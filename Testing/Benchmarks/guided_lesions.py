"""What becomes of lesions that a guide does not show. Prints; asserts nothing.

    python Testing/Benchmarks/guided_lesions.py MODEL T1W FLAIR [--lesions MASK] [--scale 1,4,1] [--option planes=axial]
                                                [-o TABLE.json]

FLAIR, of a patient with bright lesions, is made coarse along one axis with 2 % noise and brought back, without a guide
and with T1W, registered. Within the lesions: root mean square error and mean error; those that T1W does not show, too;
and in how many lesions the guided error is the smaller one, with Wilcoxon's p, two-sided, over lesions.

Without MASK, lesions are voxels at least 28 mm below the head's surface that are more than 3 robust standard deviations
above the median there, in groups of 15 or more that share faces. T1W does not show voxels where it differs from its own
median in depth by less than one robust standard deviation.

Then the same with balls of 3 to 8 mm drawn into FLAIR alone, and into T1W alone, all in depth and half of them dark:
how much of their contrast the result shows (1 and 0 are right).
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from scipy import ndimage, stats

from MedSRLib import images
from MedSRLib.acquisition.degrading import degrade
from MedSRLib.files import write_text_atomic
from MedSRLib.foreground import foreground
from MedSRLib.grids import Grid
from MedSRLib.inference.registration import register
from MedSRLib.inference.regridding import resample
from MedSRLib.models import library
from MedSRLib.progress import Progress
from MedSRLib.upscaling import upscale

DEPTH_MM = 28.0
SMALLEST = 15
BALLS = 40


def deep(values: np.ndarray, spacing: np.ndarray) -> np.ndarray:
    """Voxels far below the head's surface; spacing in mm, k, j, i."""
    head = np.stack([ndimage.binary_fill_holes(one) for one in foreground(values)])
    return ndimage.distance_transform_edt(head, sampling=spacing) >= DEPTH_MM


def deviations(values: np.ndarray, within: np.ndarray) -> np.ndarray:
    """Robust standard deviations from the median there."""
    middle = np.median(values[within])
    return (values - middle) / (1.4826 * np.median(np.abs(values[within] - middle)))


def found_lesions(values: np.ndarray, within: np.ndarray) -> np.ndarray:
    """Bright voxels in groups."""
    labels, _ = ndimage.label(within & (deviations(values, within) > 3))
    large = np.bincount(labels.ravel()) >= SMALLEST
    large[0] = False
    return large[labels]


def balls(within: np.ndarray, spacing: np.ndarray, seed: int) -> np.ndarray:
    """Balls of 3 to 8 mm apart from each other, +1 or -1 inside, else 0."""
    generator = np.random.default_rng(seed)
    places = np.argwhere(within)
    drawn = np.zeros(within.shape, dtype=np.float32)
    count = 0
    while count < BALLS:
        centre, radius = places[generator.integers(len(places))], generator.uniform(1.5, 4.0)
        reach = np.ceil((radius + 2) / spacing).astype(int)
        low = np.maximum(centre - reach, 0)
        box = tuple(slice(a, b) for a, b in zip(low, centre + reach + 1, strict=True))
        index = np.indices(drawn[box].shape) + (low - centre)[:, None, None, None]
        inside = np.sum((index * spacing[:, None, None, None]) ** 2, axis=0) < radius**2
        if not drawn[box].any():
            drawn[box] = inside * (1.0 if count % 2 else -1.0)
            count += 1
    return drawn


class Measuring:
    """One patient, made coarse and brought back.

    Attributes:
        rows: what was measured.
    """

    def __init__(self, given: argparse.Namespace) -> None:
        self._model = library.load(given.model)
        self._options = dict(option.split("=", 1) for option in given.option)
        self._scale = [float(f) for f in given.scale.split(",")]
        self.image, self.guide = (sitk.Cast(images.read(p), sitk.sitkFloat32) for p in (given.image, given.guide))
        self.rows: list[dict[str, float | str]] = []

    def restored(self, image: sitk.Image, guide: sitk.Image | None, **options: str) -> np.ndarray:
        """The image made coarse and brought back, (k, j, i)."""
        method = self._model.card.method
        coarse = degrade(image, self._scale, noise=0.02)
        options = self._options | options if guide is not None else self._options
        guides = None if guide is None else {"T1w": guide}
        result = upscale(coarse, method, like=image, model=self._model, guide=guides, options=options)
        return images.to_array(result)

    def tell(self, **row: float | str) -> None:
        """Keep and print a row."""
        self.rows.append({n: v if isinstance(v, str | int) else round(float(v), 4) for n, v in row.items()})
        print(json.dumps(self.rows[-1]), flush=True)


def real(measuring: Measuring, lesions: np.ndarray, hidden: np.ndarray) -> None:
    """The patient's own lesions."""
    truth = images.to_array(measuring.image)
    head = foreground(truth)
    labels, count = ndimage.label(lesions)
    each = {}
    for way, guide in (("alone", None), ("guided", measuring.guide)):
        error = measuring.restored(measuring.image, guide) - truth
        psnr = 20 * np.log10(np.ptp(truth) / np.sqrt(np.mean(error[head] ** 2)))
        for name, where in (("lesions", lesions), ("lesions that T1W does not show", hidden)):
            rms = np.sqrt(np.mean(error[where] ** 2))
            row = {"within": name, "voxels": int(where.sum()), "rms": rms, "mean": error[where].mean()}
            measuring.tell(way=way, **row, psnr_db=psnr)
        each[way] = np.sqrt(ndimage.mean(error**2, labels, range(1, count + 1)))
    better = int((each["guided"] < each["alone"]).sum())
    p = stats.wilcoxon(each["guided"], each["alone"]).pvalue if count > 1 else 1.0
    measuring.tell(way="guided against alone", lesions=int(count), smaller_error=better, p=p)


def drawn(measuring: Measuring, placed: sitk.Image, within: np.ndarray, spacing: np.ndarray) -> None:
    """Balls in one of the two alone; the guide is on the image's grid, registered."""
    truth, t1w = images.to_array(measuring.image), images.to_array(placed)
    grid = Grid.of(measuring.image)
    still = {"registration": "none"}
    clean = {way: measuring.restored(measuring.image, g, **still) for way, g in (("alone", None), ("guided", placed))}
    mine, theirs = balls(within, spacing, 1), balls(within, spacing, 2)
    height = [3 * 1.4826 * np.median(np.abs(v[within] - np.median(v[within]))) for v in (truth, t1w)]
    ill = images.from_array(truth + height[0] * mine, grid)
    for way, guide in (("alone", None), ("guided", placed)):
        change = measuring.restored(ill, guide, **still) - clean[way]
        error = change - height[0] * mine
        kept = np.mean((change * mine)[mine != 0]) / height[0]
        measuring.tell(way=way, within="balls of FLAIR alone", shown=kept, rms=np.sqrt(np.mean(error[mine != 0] ** 2)))
    other = images.from_array(t1w + height[1] * theirs, grid)
    change = measuring.restored(measuring.image, other, **still) - clean["guided"]
    leaked = np.abs(change)[theirs != 0].mean() / height[0]
    measuring.tell(way="guided", within="balls of T1W alone", shown=leaked)


def main() -> None:
    """Read, find lesions, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("model", "guide", "image"):
        parser.add_argument(name)
    parser.add_argument("--lesions", type=Path)
    parser.add_argument("--scale", default="1,4,1")
    parser.add_argument("--option", action="append", default=[])
    parser.add_argument("--skip-balls", action="store_true")
    parser.add_argument("-o", "--output", type=Path)
    given = parser.parse_args()
    measuring = Measuring(given)
    spacing = np.array(measuring.image.GetSpacing())[::-1]
    truth = images.to_array(measuring.image)
    within = deep(truth, spacing)
    lesions = found_lesions(truth, within) if given.lesions is None else images.to_array(images.read(given.lesions)) > 0
    found = register(measuring.guide, measuring.image, seed=0, progress=Progress())
    print(f"T1W was {found.told}.", flush=True)
    placed = resample(found.guide, Grid.of(measuring.image), "bspline", beyond=0.0)
    real(measuring, lesions, lesions & (np.abs(deviations(images.to_array(placed), within)) < 1))
    if not given.skip_balls:
        drawn(measuring, placed, within, spacing)
    if given.output is not None:
        write_text_atomic(given.output, json.dumps(measuring.rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
