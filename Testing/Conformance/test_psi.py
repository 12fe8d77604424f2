"""PSI by hand on constructed edges, by a literal reading of the paper, and on real slices under blur."""

import math

import numpy as np
import pytest
import SimpleITK as sitk
import torch
from scipy.ndimage import gaussian_filter

from MedSRLib.demo import reference
from MedSRLib.evaluation.psi import psi
from MedSRLib.progress import Progress


def picture(column, width=96):
    """The same column of intensities everywhere, (1, j, i)."""
    return torch.from_numpy(np.repeat(np.asarray(column, dtype=np.float64)[:, None], width, axis=1))[None]


def ramp(steps, rows=96, middle=48, height=1.0):
    """0, then ``steps`` equal climbs to ``height``."""
    return np.clip((np.arange(rows) - middle) / steps, 0, 1) * height


def test_a_step_is_one_pixel_wide():
    assert psi(picture(ramp(1))).item() == 1
    assert psi(picture(1 - ramp(1))).item() == 1


def test_a_climb_below_the_just_noticeable_blur_keeps_its_width():
    assert psi(picture(ramp(2))).item() == pytest.approx(1 / 2)


@pytest.mark.parametrize("height", [1.0, 0.5])
def test_of_wider_climbs_the_slope_is_taken_off(height):
    # Width 4, slope height / 4: PSI = 1 / (4 - height / 4).
    assert psi(picture(ramp(4, height=height))).item() == pytest.approx(1 / (4 - height / 4))
    assert psi(picture(ramp(4, height=height)[::-1].copy())).item() == pytest.approx(1 / (4 - height / 4))


def test_the_sharpest_22_percent_of_the_blocks_count():
    """Eight blocks side by side, one sharp: ⌈0.22 · 8⌉ = 2 count, widths 1 and 4 - 1/4."""
    wide = picture(ramp(4), 32 * 10)
    wide[:, :, 32 * 3 : 32 * 4] = picture(ramp(1), 32)
    found = psi(wide).item()
    # The borders between the two kinds of block make edges of their own within 8° of neither: widths stay.
    assert found == pytest.approx(2 / (1 + 3.75), rel=0.02)


def test_only_edges_across_the_columns_count_and_none_gives_zero():
    upright = picture(ramp(1)).transpose(1, 2)
    assert psi(upright).item() == 0
    assert psi(torch.zeros(1, 96, 96)).item() == 0
    assert psi(torch.full((1, 120, 99), 0.7)).item() == 0


def test_an_edge_whose_climb_reaches_the_border_is_left_out():
    column = np.linspace(0, 1, 96)
    column[48:] += 1  # an edge in the middle of a climb that never ends
    assert psi(picture(column / 2)).item() == 0


def literal(image):
    """The paper and `edge`, pixel by pixel, as slowly as they read."""
    rows, columns = image.shape
    framed = np.pad(image, 1, mode="edge")
    bx, by = np.zeros_like(image), np.zeros_like(image)
    for j in range(rows):
        for i in range(columns):
            w = framed[j : j + 3, i : i + 3]
            bx[j, i] = (w[:, 0] - w[:, 2]) @ [1, 2, 1] / 8
            by[j, i] = [1, 2, 1] @ (w[0] - w[2]) / 8
    b = bx**2 + by**2
    widths = np.zeros_like(image)
    for j in range(1, rows - 1):
        for i in range(1, columns - 1):
            across = abs(bx[j, i]) >= abs(by[j, i]) and b[j, i - 1] <= b[j, i] > b[j, i + 1]
            down = abs(by[j, i]) >= abs(bx[j, i]) and b[j - 1, i] <= b[j, i] > b[j + 1, i]
            if b[j, i] > 4 * b.mean() and (across or down):
                widths[j, i] = literal_width(image, j, i)
    means = []
    for j in range(32, rows // 32 * 32 - 32, 32):
        for i in range(32, columns // 32 * 32 - 32, 32):
            found = widths[j : j + 32, i : i + 32]
            if found.sum() >= 2:
                means.append(found[found != 0].mean())
    used = math.ceil(0.22 * len(means))
    return used / sum(sorted(means)[:used]) if used else 0.0


def literal_width(image, j, i):
    iy, ix = (image[j + 1, i] - image[j - 1, i]) / 2, (image[j, i + 1] - image[j, i - 1]) / 2
    angle = math.degrees(math.atan2(iy, ix))
    sign = 1 if angle > 0 else -1
    if abs(angle - sign * 90) >= 8:
        return 0.0
    column = sign * image[:, i]
    top = bottom = j
    while top > 0 and column[top - 1] < column[top]:
        top -= 1
    while bottom < len(column) - 1 and column[bottom + 1] > column[bottom]:
        bottom += 1
    if top == 0 or bottom == len(column) - 1:
        return 0.0
    width = (bottom - top) / math.cos(math.radians(angle - sign * 90))
    return width - abs(column[bottom] - column[top]) / width if width >= 3 else width


def test_it_is_the_papers_procedure_read_literally():
    rng = np.random.default_rng(8)
    slices = np.stack([gaussian_filter(rng.normal(size=(131, 103)), s) for s in (1.0, 2.5)])
    slices = (slices - slices.min()) / np.ptp(slices)
    expected = [literal(s) for s in slices]
    assert min(expected) > 0
    assert psi(torch.from_numpy(slices)).tolist() == pytest.approx(expected, rel=1e-9)


def test_small_slices_are_mirrored_outwards():
    small = torch.from_numpy(gaussian_filter(np.random.default_rng(1).random((1, 40, 50)), (0, 1, 3)))
    large = torch.from_numpy(np.pad(small.numpy(), ((0, 0), (28, 28), (23, 23)), mode="symmetric"))
    assert psi(small).item() == psi(large).item() > 0


def test_real_slices_lose_sharpness_with_every_step_of_blur():
    array = sitk.GetArrayFromImage(reference(Progress()))[40:120:8].astype(np.float64)
    array /= array.max()
    blurred = [gaussian_filter(array, (0, s, s)) if s else array for s in (0, 0.5, 0.8, 1.2, 1.6, 2.4)]
    scores = [psi(torch.from_numpy(b)).mean().item() for b in blurred]
    assert (np.diff(scores) < 0).all()
