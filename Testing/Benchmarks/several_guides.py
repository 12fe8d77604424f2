"""What one guide and two guides at once are worth: each modality of a patient in slices of 4 mm, guided by the others.

    python Testing/Benchmarks/several_guides.py T1w=T1.nii.gz T2w=T2.nii.gz FLAIR=FLAIR.nii.gz

The volumes lie on one grid of fine slices along z. Prints masked PSNR in dB, one JSON object a volume.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping

import numpy as np
import SimpleITK as sitk

from MedSRLib import images, upscaling
from MedSRLib.acquisition.degrading import degrade
from MedSRLib.evaluation import metrics
from MedSRLib.evaluation.reference import Reference

MODEL = "lmcsc-brain-any"
SCALE, NOISE, SEED = (1, 1, 4), 0.02, 2020


def measured(wanted: str, volumes: Mapping[str, sitk.Image]) -> dict[str, float]:
    """PSNR of one volume's methods, by what guides."""
    fine = volumes[wanted]
    reference = Reference.of(fine)
    coarse = degrade(fine, SCALE, noise=NOISE, seed=SEED)
    others = {name: image for name, image in volumes.items() if name != wanted}
    sets = {"alone": {}, **{name: {name: image} for name, image in others.items()}, "all": others}

    def psnr(result: sitk.Image) -> float:
        spread = float(np.ptp(reference.array))
        return metrics.psnr(reference.array, images.to_array(result), data_range=spread, mask=reference.mask)

    found = {name: psnr(upscaling.upscale(coarse, name, like=fine)) for name in ("cubic", "back-projection")}
    for name, guides in sets.items():
        options = {"registration": "none"} if guides else None
        made = upscaling.upscale(coarse, "lmcsc", like=fine, model=MODEL, guide=guides or None, options=options)
        found[name] = psnr(made)
    return found


if __name__ == "__main__":
    given = {name: images.read(path) for name, _, path in (text.partition("=") for text in sys.argv[1:])}
    for modality in given:
        print(json.dumps({"volume": modality, **{k: round(v, 2) for k, v in measured(modality, given).items()}}))
