"""What a guide in the wrong place costs, and what becomes of a lesion that it does not show. Prints; asserts nothing.

    python Testing/Benchmarks/guided_robustness.py MODEL T1W IMAGE [--lesions MASK] [--scale 1,1,4] [-o TABLE.json]

IMAGE (T2w or FLAIR, fine) is made coarse along one axis with 2 % noise and brought back: without a guide, with T1W
where it belongs, and with T1W moved by 1, 2 and 4 mm along a diagonal and turned by 2 degrees, each taken where it is
and registered. Masked PSNR in dB; with MASK the root mean square error within lesions, too.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from MedSRLib import images
from MedSRLib.acquisition.degrading import degrade
from MedSRLib.files import write_text_atomic
from MedSRLib.foreground import foreground
from MedSRLib.grids import Grid
from MedSRLib.inference.registration import moved
from MedSRLib.models import library
from MedSRLib.upscaling import upscale

MOTIONS = {"in place": (0.0, 0.0), "1 mm": (1.0, 0.0), "2 mm": (2.0, 0.0), "4 mm": (4.0, 0.0), "2 degrees": (0.0, 2.0)}


def away(guide: sitk.Image, shift: float, degrees: float) -> sitk.Image:
    """The guide moved by so many mm along a diagonal, or turned about its middle."""
    transform = sitk.Euler3DTransform()
    transform.SetCenter(Grid.of(guide).physical((np.array(guide.GetSize()) - 1) / 2).tolist())
    transform.SetTranslation([shift / 3**0.5] * 3)
    transform.SetRotation(*[float(np.radians(degrees)) / 3**0.5] * 3)
    return moved(guide, transform)


def main() -> None:
    """Read, degrade, restore in every way, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("model", "guide", "image"):
        parser.add_argument(name)
    parser.add_argument("--lesions", type=Path)
    parser.add_argument("--scale", default="1,1,4")
    parser.add_argument("-o", "--output", type=Path)
    given = parser.parse_args()
    guide, image = (sitk.Cast(images.read(path), sitk.sitkFloat32) for path in (given.guide, given.image))
    model = library.load(given.model)
    truth = images.to_array(image)
    mask = foreground(truth)
    within = None if given.lesions is None else images.to_array(images.read(given.lesions)) > 0
    coarse = degrade(image, [float(f) for f in given.scale.split(",")], noise=0.02)
    rows = []

    def measure(label: str, **arguments) -> None:
        error = images.to_array(upscale(coarse, like=image, **arguments)) - truth
        row = {"way": label, "psnr_db": 20 * np.log10(np.ptp(truth) / np.sqrt(np.mean(error[mask] ** 2)))}
        if within is not None:
            row["lesion_rms"] = np.sqrt(np.mean(error[within] ** 2))
            row["lesion_bias"] = np.mean(error[within])
        rows.append({name: round(float(v), 4) if name != "way" else v for name, v in row.items()})
        print(json.dumps(rows[-1]), flush=True)

    measure("cubic", method="cubic")
    measure("back-projection", method="back-projection")
    measure("without a guide", method=model.card.method, model=model)
    for label, motion in MOTIONS.items():
        for option in ("none", "rigid"):
            options = {"registration": option}
            place = away(guide, *motion)
            measure(f"{label}, {option}", method=model.card.method, model=model, guide={"T1w": place}, options=options)
    if given.output is not None:
        write_text_atomic(given.output, json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
