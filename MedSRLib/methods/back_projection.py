"""Iterative back-projection: correct the result until its degradation equals the input.

    x₀ = cubic(y),   x ← x + P (y - A x)

A is the acquisition model (`acquisition`), P the back-projection operator; `inference.back_projection` iterates. It
needs no training, and what it adds is only what the model of the acquisition proves: the honest reference for every
learned method.

Reference: M. Irani, S. Peleg: Improving resolution by image registration. CVGIP: Graphical Models and Image
Processing 53(3), 1991, doi:10.1016/1049-9652(91)90045-L.

Departures. The paper fuses several displaced frames; here there is one. Its back-projection kernel is any
with ``‖δ - h ∗ p‖ < 1``; here P is cubic B-spline interpolation of the residual: on three T1w brains
degraded by the physical model it ended 0.1 to 0.3 dB above cubic convolution and 0.2 to 0.6 dB above Aᵀ with
rows normalised, in fewer iterations. The discrepancy principle stops it, so that noise is not amplified:

    ‖y - A x‖² <= τ² N σ²

σ is the noise of the input, given or estimated (`acquisition.estimate_sigma`), N the voxels that are not a
constant background. Theory asks τ >= 1 where noise lies outside the range of A; here every y can be met
exactly, and on nine brain volumes with 2 % noise τ = 0.7 came within 0.2 dB of the best moment to stop on
all but one (an oversampled average, best left alone), where τ = 1 lost up to 0.4 dB.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field, field_validator

from MedSRLib import acquisition, images
from MedSRLib.acquisition import estimate_sigma
from MedSRLib.grids import Grid
from MedSRLib.inference import back_projection
from MedSRLib.inference.sampling import interpolate
from MedSRLib.methods.contract import Method, MethodInfo, MethodOptions, Work

if TYPE_CHECKING:
    import SimpleITK as sitk

    from MedSRLib.inference.runtime import Runtime
    from MedSRLib.methods.guides import Guides
    from MedSRLib.models.card import ModelCard
    from MedSRLib.models.library import Model
    from MedSRLib.progress import Progress


class BackProjectionOptions(MethodOptions):
    """What is assumed of the acquisition, and when to stop.

    Attributes:
        acquisition: how the input was made of a finer image.
        thickness: width of the point spread function in mm along the coarse axes; by default the voxel's.
        profile: shape of the point spread function.
        iterations: the most corrections made.
        noise: standard deviation of the input's noise in its own units; "auto" estimates it, 0 means none.
        discrepancy: how near to the noise level the residual is brought: τ, a fraction of it.
    """

    acquisition: str = Field(default="physical", json_schema_extra={"enum": list(acquisition.KINDS)})
    thickness: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    profile: Literal["gaussian", "box"] = "gaussian"
    iterations: int = Field(default=20, ge=0, le=1000)
    noise: Literal["auto"] | float = Field(default="auto", json_schema_extra={"minimum": 0})
    discrepancy: float = Field(default=back_projection.DISCREPANCY, gt=0, le=10)

    @field_validator("acquisition")
    @classmethod
    def _known(cls, kind: str) -> str:
        if kind not in acquisition.KINDS:
            raise ValueError(f"'{kind}' is none of {', '.join(acquisition.KINDS)}")
        return kind

    @field_validator("noise")
    @classmethod
    def _not_negative(cls, noise: str | float) -> str | float:
        if not isinstance(noise, str) and not 0 <= noise < float("inf"):
            raise ValueError("it must be auto, or a number of at least 0")
        return noise


class BackProjection(Method):
    """Cubic interpolation corrected until its degradation equals the input."""

    Options = BackProjectionOptions
    info: ClassVar[MethodInfo] = MethodInfo(
        identifier="back-projection",
        title="Iterative back-projection",
        description="Cubic interpolation, corrected until its degradation equals the input. No training.",
        citation="M. Irani, S. Peleg: Improving resolution by image registration. CVGIP 53",
        reference="https://doi.org/10.1016/1049-9652(91)90045-L",
        year=1991,
        family="single-image",
    )

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
        acquired = Grid.of(image)
        options = self.options
        forward = acquisition.build(
            options.acquisition, grid, acquired, thickness=options.thickness, profile=options.profile
        )
        values = images.to_array(image)
        sigma = estimate_sigma(values) if options.noise == "auto" else float(options.noise)
        y = torch.from_numpy(values).to(runtime.device)
        x = interpolate(y, forward.acquired, forward.wanted, "cubic")
        done = back_projection.correct(
            x,
            y,
            forward,
            sigma=sigma,
            iterations=options.iterations,
            discrepancy=options.discrepancy,
            progress=progress,
        )
        progress.log(f"Corrections made before back-projection stopped: {done.corrections} (noise level {sigma:.4g}).")
        return images.from_array(x.cpu().numpy(), grid)

    def work(self, source: Grid, target: Grid, card: ModelCard | None = None) -> Work:
        """One resampling, and a tenth of one for each correction: most inputs need few, and matrices are quick."""
        return Work(voxels=float(prod(target.size)) * (1 + self.options.iterations / 10))
