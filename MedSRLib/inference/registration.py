"""Rigid registration of a guide to an image of the same patient: the head moved between two sequences.

    T = argmax_T  MI( image(x), guide(T x) ),      T a rotation and a shift

by Mattes' mutual information (D. Mattes et al., "PET-CT image registration in the chest using free-form deformations",
IEEE Trans. Med. Imaging 22(1), 2003), coarse to fine, by SimpleITK. The guide is not resampled: it is given the place
in space that T tells, so that nothing is lost.

The result is taken only if it shares clearly more with the image than the guide did where it was.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from MedSRLib.grids import Grid
from MedSRLib.progress import Progress

_BINS = 32
_BLURS_MM = (4.0, 2.0, 1.0)
"""Standard deviation of the blur of both images, coarse to fine."""

_POINTS = 40_000
"""Voxels of the image that are looked at, drawn at random."""

_LONGEST_STEP_MM, _SHORTEST_STEP_MM = 1.0, 0.003
_ITERATIONS = 80
_WORTH = 1.02
"""By so much the mutual information must rise for a guide to be moved: what half a millimetre brings. Smaller rises are
found in volumes that lie where they belong, too, as thick slices draw the maximum aside."""


@dataclass(frozen=True)
class Registered:
    """A guide where it belongs.

    Attributes:
        guide: the same voxels, moved if that was better.
        shift_mm: how far the centre of the guide's field of view moved.
        angle_degrees: how far it was turned.
        before: mutual information with the image where the guide was, in nats.
        after: where it was moved to.
        moved: whether it was moved; otherwise shift and angle are what was refused.
    """

    guide: sitk.Image
    shift_mm: float
    angle_degrees: float
    before: float
    after: float
    moved: bool

    @property
    def worse(self) -> bool:
        """Whether the guide would share less with the image where it was to be moved."""
        return self.after < self.before

    @property
    def told(self) -> str:
        """One sentence."""
        found = f"shift {self.shift_mm:.2f} mm, angle {self.angle_degrees:.2f} degrees"
        metric = f"mutual information {self.before:.4f} before, {self.after:.4f} after"
        return f"{'moved' if self.moved else 'left where it was'}: {found}; {metric}"


def register(
    guide: sitk.Image, image: sitk.Image, *, seed: int, progress: Progress, worth: float = _WORTH
) -> Registered:
    """Move a guide to where the image shows the same patient.

    Args:
        guide: 3D, float32.
        image: 3D, float32, of the same patient.
        seed: of the voxels that are looked at.
        progress: asked whether to go on.
        worth: by so much the mutual information must rise for the guide to be moved.
    """
    method = _method(image, seed)
    start = sitk.Euler3DTransform()
    centre = Grid.of(image).physical((np.array(image.GetSize()) - 1) / 2)
    start.SetCenter([float(c) for c in centre])
    before = _shared(image, guide, start, seed)
    _set_search(method, start)
    method.AddCommand(sitk.sitkIterationEvent, progress.check)
    try:
        found = sitk.Euler3DTransform(sitk.CompositeTransform(method.Execute(image, guide)).GetNthTransform(0))
    except RuntimeError as error:  # too little overlap, or flat
        progress.check()
        progress.warn(f"The guide could not be registered and stays where it is: {_reason(error)}")
        return Registered(guide, 0.0, 0.0, before, before, False)
    after = _shared(image, guide, found, seed)
    placed = moved(guide, found)
    middle = (np.array(guide.GetSize()) - 1) / 2
    shift = float(np.linalg.norm(Grid.of(placed).physical(middle) - Grid.of(guide).physical(middle)))
    turn = np.array(found.GetMatrix()).reshape(3, 3)
    angle = math.degrees(math.acos(float(np.clip((np.trace(turn) - 1) / 2, -1, 1))))
    better = after > worth * before
    return Registered(placed if better else guide, shift, angle, before, after, better)


def moved(guide: sitk.Image, transform: sitk.Transform) -> sitk.Image:
    """The guide's voxels at T⁻¹ of where they are, T a rigid transform from the image's space to the guide's."""
    back = transform.GetInverse()
    grid = Grid.of(guide)
    origin = np.array(back.TransformPoint(grid.origin))
    axes = [np.array(back.TransformVector([float(c) for c in grid.axes[:, a]], grid.origin)) for a in range(3)]
    placed = sitk.Image(guide)
    placed.SetOrigin([float(c) for c in origin])
    placed.SetDirection([float(c) for c in np.stack(axes, axis=1).ravel()])
    return placed


def _method(image: sitk.Image, seed: int) -> sitk.ImageRegistrationMethod:
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(_BINS)
    method.SetMetricSamplingStrategy(method.RANDOM)
    method.SetMetricSamplingPercentage(min(1.0, _POINTS / Grid.of(image).voxels), seed + 1)  # 0 is the clock
    method.SetInterpolator(sitk.sitkLinear)
    method.SetNumberOfWorkUnits(1)  # several would add up in another order each time
    return method


def _set_search(method: sitk.ImageRegistrationMethod, start: sitk.Transform) -> None:
    method.SetOptimizerAsRegularStepGradientDescent(
        _LONGEST_STEP_MM, _SHORTEST_STEP_MM, _ITERATIONS, relaxationFactor=0.6
    )
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetShrinkFactorsPerLevel([1] * len(_BLURS_MM))
    method.SetSmoothingSigmasPerLevel(list(_BLURS_MM))
    method.SmoothingSigmasAreSpecifiedInPhysicalUnitsOn()
    method.SetInitialTransform(start, inPlace=False)


def _shared(image: sitk.Image, guide: sitk.Image, transform: sitk.Transform, seed: int) -> float:
    """Mutual information, nats; 0 where the two do not overlap."""
    method = _method(image, seed)
    method.SetInitialTransform(transform)
    try:
        return -float(method.MetricEvaluate(image, guide))
    except RuntimeError:  # no point of the image lies in the guide
        return 0.0


def _reason(error: RuntimeError) -> str:
    return str(error).strip().splitlines()[-1].strip()
