"""What the job "compare" does with its volumes, without its measures; called as a real job is.

Each result is brought to the reference's grid through its field, and the reference taken from it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import SimpleITK as sitk


def main(job_file: str) -> int:
    job = json.loads(Path(job_file).read_text(encoding="utf-8"))
    inputs, folder = job["inputs"], Path(job["outputs"]["folder"])
    results = list(inputs["results"].values())
    frame = sitk.ReadImage(inputs["reference"] or results[0]["image"], sitk.sitkFloat32)
    for number, result in enumerate(results):
        transform = sitk.Transform(3, sitk.sitkIdentity)
        if result["field"] is not None:
            transform = sitk.DisplacementFieldTransform(sitk.ReadImage(result["field"], sitk.sitkVectorFloat64))
        image = sitk.ReadImage(result["image"], sitk.sitkFloat32)
        image = sitk.Resample(image, frame, transform, sitk.sitkBSpline, 0.0)
        sitk.WriteImage(image, str(folder / f"{number}.nrrd"))
        if inputs["reference"]:
            sitk.WriteImage(image - frame, str(folder / f"{number}-difference.nrrd"))
    inside = None if inputs["mask"] is None else int(sitk.GetArrayFromImage(sitk.ReadImage(inputs["mask"])).sum())
    measures = {"keys": list(inputs["results"]), "inside": inside, "job": job}
    (folder / "measures.json").write_text(json.dumps(measures), encoding="utf-8")
    print(json.dumps({"event": "result"}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[3]))
