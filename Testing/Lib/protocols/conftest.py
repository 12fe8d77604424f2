"""A study of two small volumes, one oblique, in a folder: protocol, manifest, files."""

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from MedSRLib import files
from MedSRLib.inference.runtime import Runtime
from MedSRLib.progress import Progress
from MedSRLib.protocols.run import run_benchmark

RUNTIME = Runtime("cpu", "float32")

PROTOCOL = """
[protocol]
name = "tiny"
scales = [2, [1, 1, 2.5]]
baselines = ["Nearest"]
[[volumes]]
label = "heads"
role = "validation"
modality = "T1w"
[[degradation]]
name = "physical"
kind = "physical"
noise = 0.02
[[method]]
label = "Nearest"
identifier = "nearest"
[[method]]
label = "Spline"
identifier = "bspline"
"""


def head(number, seed_size=(12, 14, 15)):
    """A blob with ripples, float32 (k, j, i)."""
    k, j, i = (n - 6.0 for n in np.indices(seed_size))
    array = 100 * np.exp(-(k**2 + j**2 + i**2) / (20 + 5 * number)) + 20 * np.sin(j)
    return (array + 30).astype(np.float32)


class Study:
    """A folder with a protocol and a manifest, and the run of one on the other."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.runtime = RUNTIME
        self.columns = ["path", "role", "dataset", "subject", "modality", "sha256"]
        self.lines: list[dict[str, str]] = []
        self.write(PROTOCOL)

    def write(self, text: str) -> None:
        """The protocol."""
        self.text = text
        (self.folder / "tiny.toml").write_text(text)

    def add(self, name: str, array: np.ndarray, *, listed: bool = True, direction=None, **columns: str) -> Path:
        """A volume, in the manifest unless told otherwise."""
        path = self.folder / name
        image = sitk.GetImageFromArray(array, isVector=False)
        if array.ndim == 3:
            image.SetSpacing((1.0, 1.1, 1.3))
        if direction:
            image.SetDirection(direction)
        sitk.WriteImage(image, str(path))
        if listed:
            told = {"path": name, "role": "validation", "dataset": "made", "modality": "T1w"}
            self.lines.append(told | {"sha256": files.sha256(path)} | columns)
            self.manifest()
        return path

    def manifest(self) -> None:
        names = list(dict.fromkeys([*self.columns, *(name for line in self.lines for name in line)]))
        lines = ["\t".join(names), *("\t".join(line.get(n, "") for n in names) for line in self.lines)]
        (self.folder / "manifest.tsv").write_text("\n".join(lines) + "\n")

    def run(self, **changes) -> str:
        """The benchmark, into the folder "out"."""
        given = {"progress": Progress(), "runtime": RUNTIME} | changes
        out = self.folder / given.pop("out", "out")
        return run_benchmark(self.folder / "tiny.toml", self.folder / "manifest.tsv", out, **given)


@pytest.fixture
def empty(tmp_path):
    """A study without volumes."""
    return Study(tmp_path)


@pytest.fixture
def study(empty):
    """Two volumes for validation, one oblique, and one of another role."""
    oblique = (0.8, -0.6, 0, 0.6, 0.8, 0, 0, 0, -1)
    for i, role in enumerate(["validation", "validation", "train"]):
        empty.add(f"v{i}.nii.gz", head(i), role=role, subject=f"s{i}", direction=oblique if i == 1 else None)
    return empty
