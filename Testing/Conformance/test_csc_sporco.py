"""Convolutional coding of a real slice and a real 3D crop, whole and with unknown voxels: the objectives that sporco's
ConvBPDN and ConvBPDNMaskDcpl reach.

`csc_example.npz` holds 64 × 60 pixels of a slice and a crop of 20 × 21 × 22 voxels of a T1w brain (FNNDSC/data,
eun_uchar_8, Apache-2.0). The recorded objectives are those of sporco 0.2.2.post1 in float64, 1500 iterations:

    python Testing/Conformance/test_csc_sporco.py        prints them anew; needs sporco
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from MedSRLib.sparse import coding, smooth, spectra
from MedSRLib.sparse.coding import Settings

PENALTY = 0.02
RECORDED = {"slice": 0.864158, "crop": 2.116159}
RECORDED_OF_KNOWN = {"slice": 0.739844, "crop": 1.714483}


def problem(name: str) -> tuple[torch.Tensor, torch.Tensor]:
    """High-pass image (*size) and eight filters (8, *support) of unit norm, float64."""
    with np.load(Path(__file__).with_name("csc_example.npz")) as held:
        image = torch.from_numpy(held[name] / 255.0)
    high = smooth.split(image[None], 5.0)[1][0]
    support = (6, 5) if image.ndim == 2 else (4, 3, 5)
    made = torch.from_numpy(np.random.RandomState(0).standard_normal((8, *support)))
    return high, made / made.flatten(1).norm(dim=1).view(-1, *[1] * image.ndim)


def known_part(image: torch.Tensor) -> torch.Tensor:
    """A mask without two borders and without every twentieth voxel."""
    known = torch.ones(image.shape, dtype=torch.bool)
    known[:3], known[:, -4:] = False, False
    lost = np.random.RandomState(1).permutation(image.numel())[: image.numel() // 20]
    known.view(-1)[torch.from_numpy(lost)] = False
    return known


def sporco_objective(name: str, iterations: int, masked: bool = False) -> float:
    """Of sporco's maps, evaluated by convolutions in space."""
    cbpdn = pytest.importorskip("sporco.admm.cbpdn")
    image, made = (x.numpy() for x in problem(name))
    known = known_part(problem(name)[0]).numpy() if masked else np.ones(image.shape, dtype=bool)
    kind, mask = (cbpdn.ConvBPDNMaskDcpl, [known.astype(float)]) if masked else (cbpdn.ConvBPDN, [])
    options = kind.Options({"Verbose": False, "MaxMainIter": iterations, "RelStopTol": 1e-6})
    solver = kind(np.moveaxis(made, 0, -1), image, PENALTY, *mask, options, dimK=0, dimN=image.ndim)
    solver.solve()
    maps = np.moveaxis(solver.getcoef().reshape(*image.shape, -1), -1, 0)
    shown = sum(made[(k, *q)] * np.roll(maps[k], q, axis=range(image.ndim)) for k, *q in np.ndindex(made.shape))
    return 0.5 * float(((image - shown)[known] ** 2).sum()) + PENALTY * float(np.abs(maps).sum())


@pytest.mark.parametrize("name", ["slice", "crop"])
def test_the_objective_is_the_one_recorded_of_sporco(name: str) -> None:
    image, made = problem(name)
    found = coding.code(made, image[None], Settings(PENALTY, iterations=400, tolerance=1e-4))
    reached = coding.objective(made, image[None], found.maps, PENALTY)
    assert reached == pytest.approx(RECORDED[name], rel=1e-3)
    assert reached < 0.5 * float(image.square().sum())


@pytest.mark.parametrize("name", ["slice", "crop"])
def test_in_float32_too(name: str) -> None:
    image, made = (x.float() for x in problem(name))
    found = coding.code(made, image[None], Settings(PENALTY, iterations=400, tolerance=1e-4))
    assert coding.objective(made, image[None], found.maps, PENALTY) == pytest.approx(RECORDED[name], rel=1e-3)


@pytest.mark.parametrize("name", ["slice", "crop"])
def test_so_is_that_of_an_image_with_unknown_voxels(name: str) -> None:
    image, made = problem(name)
    known = known_part(image)
    lost = torch.where(known, image, torch.full_like(image, torch.nan))
    found = coding.code(made, lost[None], Settings(PENALTY, iterations=400, tolerance=1e-4), known=known)
    assert found.objective[-1] == pytest.approx(RECORDED_OF_KNOWN[name], rel=1e-3)
    rest = image - spectra.synthesised(spectra.of_filters(made, image.shape), found.maps)[0]
    reached = 0.5 * float(rest[known].square().sum()) + PENALTY * float(found.maps.abs().sum())
    assert reached == pytest.approx(RECORDED_OF_KNOWN[name], rel=1e-3)


@pytest.mark.parametrize("name", ["slice", "crop"])
def test_sporco_still_reaches_what_is_recorded(name: str) -> None:
    assert sporco_objective(name, 100) == pytest.approx(RECORDED[name], rel=1e-3)
    assert sporco_objective(name, 80, masked=True) == pytest.approx(RECORDED_OF_KNOWN[name], rel=1e-3)


if __name__ == "__main__":
    print({name: round(sporco_objective(name, 1500), 6) for name in RECORDED})
    print({name: round(sporco_objective(name, 3000, masked=True), 6) for name in RECORDED_OF_KNOWN})
