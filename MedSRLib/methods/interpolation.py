"""Interpolation: the values between voxels from the voxels around, one matrix per axis.

    y = (W_k ⊗ W_j ⊗ W_i) x,   W[p, i] = weight of voxel i at the position p of an output voxel

The kernels and their references are those of `inference.sampling`. Nothing is invented: no frequency is added
that the input does not have, which makes these the yardstick of every other method.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from MedSRLib import images
from MedSRLib.grids import Grid
from MedSRLib.inference.sampling import interpolate
from MedSRLib.methods.contract import Method, MethodInfo

if TYPE_CHECKING:
    import SimpleITK as sitk

    from MedSRLib.inference.runtime import Runtime
    from MedSRLib.methods.guides import Guides
    from MedSRLib.models.library import Model
    from MedSRLib.progress import Progress

_SURVEY = "T. Lehmann et al.: Survey: Interpolation methods in medical image processing. IEEE TMI 18"


class _Interpolation(Method):
    def upscale(
        self,
        image: sitk.Image,
        grid: Grid,
        *,
        guides: Guides = (),
        model: Model | None = None,
        runtime: Runtime,
        progress: Progress,
    ) -> sitk.Image:
        import torch

        progress.update(0.0)
        values = torch.from_numpy(images.to_array(image)).to(runtime.device)
        result = interpolate(values, Grid.of(image), grid, self.info.identifier)
        progress.update(1.0)
        return images.from_array(result.cpu().numpy(), grid)


class Nearest(_Interpolation):
    """The value of the nearest voxel."""

    info: ClassVar[MethodInfo] = MethodInfo(
        identifier="nearest",
        title="Nearest neighbour",
        description="Copies the nearest voxel.",
        citation=_SURVEY,
        reference="https://doi.org/10.1109/42.816070",
        year=1999,
        family="interpolation",
    )


class Linear(_Interpolation):
    """Trilinear interpolation."""

    info: ClassVar[MethodInfo] = MethodInfo(
        identifier="linear",
        title="Linear",
        description="Trilinear interpolation between the eight neighbours.",
        citation=_SURVEY,
        reference="https://doi.org/10.1109/42.816070",
        year=1999,
        family="interpolation",
    )


class Cubic(_Interpolation):
    """Tricubic convolution with Keys' kernel."""

    info: ClassVar[MethodInfo] = MethodInfo(
        identifier="cubic",
        title="Cubic",
        description="Cubic convolution (Keys, a = -1/2) over 4 neighbours along each axis.",
        citation="R. Keys: Cubic convolution interpolation for digital image processing. IEEE Trans. ASSP 29",
        reference="https://doi.org/10.1109/TASSP.1981.1163711",
        year=1981,
        family="interpolation",
    )


class BSpline(_Interpolation):
    """The cubic B-spline through the voxels."""

    info: ClassVar[MethodInfo] = MethodInfo(
        identifier="bspline",
        title="Cubic B-spline",
        description="The smooth cubic spline through every voxel: the best all-round interpolation.",
        citation="M. Unser: Splines: a perfect fit for signal and image processing. IEEE SPM 16",
        reference="https://doi.org/10.1109/79.799930",
        year=1999,
        family="interpolation",
    )


class Lanczos(_Interpolation):
    """Sinc interpolation with a Lanczos window of radius 5."""

    info: ClassVar[MethodInfo] = MethodInfo(
        identifier="lanczos",
        title="Lanczos-windowed sinc",
        description="Sinc interpolation in a Lanczos window of radius 5; sharp, may ring at strong edges.",
        citation="C. Duchon: Lanczos filtering in one and two dimensions. J. Appl. Meteorol. 18",
        reference="https://doi.org/10.1175/1520-0450(1979)018<1016:LFIOAT>2.0.CO;2",
        year=1979,
        family="interpolation",
    )
