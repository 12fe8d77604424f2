"""Which way pictures hang, checked with one bright voxel at a known side of the patient."""

import numpy as np
import pytest
import SimpleITK as sitk

from MedSRLib.evaluation.differences import histogram, symmetric_limit
from MedSRLib.evaluation.reference import Reference
from MedSRLib.evaluation.views import AXIAL, CORONAL, SAGITTAL, detail_view, letters, scene
from MedSRLib.grids import Grid, coarsened

IDENTITY = (1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0)
# Image axes towards right, anterior, superior; and a sagittal acquisition with a left-handed twist.
DIRECTIONS = [
    IDENTITY,
    (-1.0, 0, 0, 0, -1.0, 0, 0, 0, 1.0),
    (0, 0, 1.0, 1.0, 0, 0, 0, 1.0, 0),
    (0, 0, 1.0, 1.0, 0, 0, 0, -1.0, 0),
]


def patient(direction):
    """A volume with values that grow to the left, posterior and superior: L + 100 P + 10000 S in mm."""
    image = sitk.Image(9, 8, 7, sitk.sitkFloat32)
    image.SetDirection(direction)
    image.SetSpacing((1.0, 2.0, 3.0))
    grid = Grid.of(image)
    points = grid.physical(np.stack(np.meshgrid(*map(np.arange, grid.size), indexing="ij"), axis=-1))
    values = (points @ np.array([1.0, 100.0, 10000.0])).transpose(2, 1, 0)
    out = sitk.GetImageFromArray((values - values.min()).astype(np.float32))
    out.CopyInformation(image)
    mask = out * 0 + 1
    return Reference.of(out, mask)


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_pictures_hang_as_radiologists_hang_them(direction):
    shown = scene(patient(direction), {})
    volume = shown.volumes["Reference"]
    axial, coronal, sagittal = (view.cut(volume, 3) for view in (AXIAL, CORONAL, SAGITTAL))
    assert (np.diff(axial, axis=1) > 0).all() and (np.diff(axial, axis=1) < 50).all()  # left is on the right
    assert (np.diff(axial, axis=0) > 50).all()  # posterior is at the bottom
    assert (np.diff(coronal, axis=0) < -5000).all()  # superior is at the top
    assert (np.diff(coronal, axis=1) < 50).all()
    assert (np.diff(sagittal, axis=1) > 50).all()  # anterior is on the left
    assert AXIAL.letters(shown.grid) == ("R", "L", "A", "P")
    assert CORONAL.letters(shown.grid) == ("R", "L", "S", "I")
    assert SAGITTAL.letters(shown.grid) == ("A", "P", "S", "I")


def test_leaning_directions_get_two_letters():
    assert letters(np.array([0.9, 0.43, 0.0])) == "LP"
    assert letters(np.array([0.0, -0.1, -0.995])) == "I"


def test_a_physical_point_falls_on_its_voxel_in_the_picture():
    shown = scene(patient(DIRECTIONS[1]), {})
    index = np.array([2, 5, 1])
    x, y = CORONAL.place(shown.grid, shown.grid.physical(index))
    picture = CORONAL.cut(shown.volumes["Reference"], shown.slice_of(CORONAL, shown.grid.physical(index)))
    row, column = int(y / shown.grid.spacing[2]), int(x / shown.grid.spacing[0])
    assert picture[row, column] == shown.volumes["Reference"][index[2], index[1], index[0]]


def test_thick_slices_are_looked_at_across_the_slices():
    grid = Grid((20, 20, 20), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), IDENTITY)
    assert detail_view(grid, None) == (AXIAL, (0, 1))
    assert detail_view(grid, coarsened(grid, 2)) == (AXIAL, (0, 1))
    assert detail_view(grid, coarsened(grid, (1, 1, 4))) == (CORONAL, (2,))
    assert detail_view(grid, coarsened(grid, (4, 1, 1))) == (AXIAL, (0,))


def test_difference_limits_are_round_and_cover_the_maps():
    mask = np.ones((10, 10, 10), dtype=bool)
    ramp = np.linspace(-42, 42, 1000).reshape(mask.shape)
    assert symmetric_limit([ramp, ramp / 2], mask) == 50
    assert symmetric_limit([ramp * 0], mask) == 1
    edges, counts = histogram(ramp * 3, mask, 50)
    assert counts.sum() == 1000 and edges[0] == -50 and edges[-1] == 50
    assert counts[0] > 100  # all below the limit
    assert edges[len(counts) // 2] < 0 < edges[len(counts) // 2 + 1]  # a bin centred on zero
