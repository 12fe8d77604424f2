"""Self-training: a network learns from the fine slices of the very scan whose thick slices it then refines.

    1. the scan's slices, made coarse along one fine axis by the slice profile, are examples        `training.scan`
    2. a network of slices, WDSR, learns to undo that: cubic interpolation plus what it adds        `networks.wdsr`
    3. it is laid over the two kinds of slices that hold the coarse axis; the results are averaged  `inference.gridded`
    4. the average is made to agree with the scan, as closely as the scan's noise allows            `acquisition.model`

S. W. Remedios et al., "ECLARE: Efficient cross-planar learning for anisotropic resolution enhancement", 2025, arXiv
2503.11787, the successor of SMORE (C. Zhao et al., IEEE Trans. Med. Imaging 40(3), 2021,
doi:10.1109/TMI.2020.3037187). Departures:

    slice profile   a Gaussian or a box as thick as the header or an option says, or as `acquisition.slice_width` finds;
                    ECLARE takes its whole shape from ESPRESO, a generative adversarial network
    examples        see `training.scan`: exact distances, and the scan's own noise
    network         narrower, and added to cubic interpolation from nothing; as there, weights are not normalised, and
                    one pixel shuffle by the factor rounded up is resampled exactly
    training        far fewer examples (`PRESETS`), where ECLARE takes a million; a cosine schedule
    intensities     1st to 99th percentile, unclipped (there lowest to highest, clipped), for CT and implants
    step 4          ours: argmin ‖A x - y‖² / σ² + ‖x - x₀‖² / τ², with σ the scan's noise, τ the network's error
    finer voxels    than the scan's own within the slices are interpolated

The result is what slices as thin as the voxels within them would show. 4D images are learned frame by frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, prod
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from MedSRLib import images, intensity
from MedSRLib.grids import Grid, coarse_axis, relate
from MedSRLib.methods.contract import Method, MethodInfo, MethodOptions, Work

if TYPE_CHECKING:
    import numpy as np
    import SimpleITK as sitk
    import torch

    from MedSRLib.inference.runtime import Runtime
    from MedSRLib.intensity import Normalisation
    from MedSRLib.methods.guides import Guides
    from MedSRLib.methods.thick_slices import SliceProfile
    from MedSRLib.models.card import ModelCard
    from MedSRLib.models.library import Model
    from MedSRLib.networks.on_grid import OnGrid
    from MedSRLib.networks.queries import Queries
    from MedSRLib.progress import Progress
    from MedSRLib.training.scan import Scan


@dataclass(frozen=True)
class Preset:
    """A network, WDSR of type B, and how long it learns.

    Attributes:
        features, expansion, blocks: see `networks.wdsr`.
        steps, batch: see `training.scan.Schedule`.
        patch: coarse samples of an example, and its fine voxels across.
        rate: see `training.scan.Schedule`.
    """

    features: int
    expansion: int
    blocks: int
    steps: int
    batch: int
    patch: tuple[int, int]
    rate: float

    def weights(self, factor: int) -> int:
        """Parameters of the network that refines by a whole factor."""
        n, e, middle = self.features, self.expansion, int(0.8 * self.features)
        block = (n + 1) * e + (e + 1) * middle + (9 * middle + 1) * n
        return 10 * n + self.blocks * block + (9 * n + 1) * factor


PRESETS = {
    "quick": Preset(features=32, expansion=192, blocks=8, steps=1500, batch=16, patch=(12, 32), rate=3e-3),
    "full": Preset(features=64, expansion=256, blocks=12, steps=8000, batch=16, patch=(16, 48), rate=2e-3),
}

_SMALLEST_NOISE = 1e-3
"""Of the normalised range: no scan is trusted more than this in step 4."""

_BYTES_PER_CHANNEL = 3.0
"""16 or 32 bits, for the widest layer and three narrow ones."""


class SelfTrainingOptions(MethodOptions):
    """Options of self-training.

    Attributes:
        preset: "quick", minutes on two processor cores, or "full", hours there and minutes on a graphics card.
        steps: of training, where not the preset's.
        thickness_mm: of the slices; by default the header's, or else the distance between the slices.
        profile: "gaussian" (as wide at half its height as the slices are thick), "box", or "estimate": a Gaussian
            whose width is found from the scan.
        consistent: whether the result is made to agree with the scan.
    """

    preset: Literal["quick", "full"] = "quick"
    steps: int | None = Field(default=None, ge=1, le=10_000_000)
    thickness_mm: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    profile: Literal["gaussian", "box", "estimate"] = "gaussian"
    consistent: bool = True


class SelfTraining(Method):
    """A network trained on the scan that it refines."""

    info = MethodInfo(
        identifier="self-training",
        title="Self-training on the scan",
        description="Learns from the scan's fine slices to refine its thick ones. No model; any contrast and organ.",
        citation="S. W. Remedios et al., ECLARE: Efficient cross-planar learning for anisotropic resolution "
        "enhancement, 2025",
        reference="arXiv:2503.11787",
        year=2025,
        family="through-plane",
        trains_on_scan=True,
        axes="through-plane",
        dimensionality=2,
    )
    Options: ClassVar[type[MethodOptions]] = SelfTrainingOptions

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
        """See `Method.upscale`.

        Raises:
            InputError: for an image without thick slices, or with too few voxels within them.
        """
        import torch

        from MedSRLib.methods import thick_slices

        progress.check()
        acquired = Grid.of(image)
        axis = thick_slices.axis_of_slices(acquired)
        wanted, told = self.options.profile, self.options.thickness_mm
        profile = thick_slices.slice_profile(image, axis, wanted, told, progress)
        array = images.to_array(image)
        normalisation = intensity.fit("percentile", array)
        values = normalisation.apply(array)
        scan = _scan(values, acquired, axis, profile)
        share = self._share_of_training(acquired)
        network, error = self._learned(scan, runtime, progress.part(0, share))
        y = torch.from_numpy(values)
        found, difference = _over_both(network, y, 2 - axis, _queries(grid, acquired), runtime, progress.part(share, 1))
        _tell(error, difference, normalisation, progress)
        if self.options.consistent and grid.spacing[axis] < acquired.spacing[axis]:
            noise = max(scan.noise, _SMALLEST_NOISE)
            trust = max(error - scan.noise**2, error / 10) / noise**2
            found = thick_slices.agreeing(found, y, grid, acquired, profile, trust)
        return images.from_array(normalisation.invert(found.numpy()), grid)

    def _learned(self, scan: Scan, runtime: Runtime, progress: Progress) -> tuple[OnGrid, float]:
        """The network, and its mean squared error on the scan's own slices."""
        from MedSRLib.training.scan import Schedule, train

        preset = self._preset
        network = untrained(preset, _whole(scan.factors), runtime.seed)
        schedule = Schedule(self.options.steps or preset.steps, preset.batch, preset.patch, preset.rate)
        return network, train(network, scan, schedule, runtime=runtime, progress=progress)

    def work(self, source: Grid, target: Grid, card: ModelCard | None = None) -> Work:
        """Forwards and backwards through the examples, and forwards through the scan twice."""
        learning, refining = self._flops(source)
        held = _BYTES_PER_CHANNEL * (self._preset.expansion + 3 * self._preset.features)
        return Work(learning + refining, 3.0 * prod(target.size), held * prod(source.size))

    @property
    def _preset(self) -> Preset:
        return PRESETS[self.options.preset]

    def _flops(self, source: Grid) -> tuple[float, float]:
        """Of training, and of inference."""
        axis, preset = coarse_axis(source.spacing), self._preset
        if axis is None:
            return 0.0, 0.0  # such an image is refused
        finest = min(source.spacing)
        weights = 2.0 * preset.weights(_whole((source.spacing[axis] / finest,)))
        pixels = (self.options.steps or preset.steps) * preset.batch * prod(preset.patch)
        return 3 * weights * pixels, 2 * weights * prod(source.size)

    def _share_of_training(self, source: Grid) -> float:
        learning, refining = self._flops(source)
        return learning / (learning + refining)


def _whole(factors: tuple[float, ...]) -> int:
    return ceil(max(factors) - 1e-6)


def _scan(values: np.ndarray, acquired: Grid, axis: int, profile: SliceProfile) -> Scan:
    """The scan with its slices across the first axis, values (k, j, i) normalised."""
    from MedSRLib.acquisition import estimate_sigma
    from MedSRLib.training.scan import Scan

    order = (2 - axis, *(a for a in range(3) if a != 2 - axis))
    spacing = acquired.spacing[::-1]
    h, j, i = (spacing[a] for a in order)
    return Scan(
        values.transpose(order),
        (h / j, h / i),
        (profile.thickness / j, profile.thickness / i),
        profile.kind,
        estimate_sigma(values),
    )


def untrained(preset: Preset, factor: int, seed: int) -> OnGrid:
    """Cubic interpolation, to which training adds."""
    import torch

    from MedSRLib.networks.on_grid import OnGrid
    from MedSRLib.networks.wdsr import WDSR, WDSRConfig

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        body = WDSR(
            WDSRConfig(
                scale=(factor, 1),
                features=preset.features,
                expansion=preset.expansion,
                blocks=preset.blocks,
                kind="B",
                weight_norm=False,  # half the time on a processor, and no worse
                skip=0,
                last_zero=True,
            )
        )
    return OnGrid(body, 2, "cubic")


def _queries(grid: Grid, acquired: Grid) -> Queries:
    from MedSRLib.networks.queries import Queries

    where = relate(grid, acquired)
    if where is None:
        raise ValueError("the grid's directions are not the image's")  # the caller's fault, not a user's
    x, y, z = where.step
    return Queries(where.positions(grid), (z, y, x))


def _over_both(
    network: OnGrid, image: torch.Tensor, coarse: int, queries: Queries, runtime: Runtime, progress: Progress
) -> tuple[torch.Tensor, float]:
    """The mean over slices across either fine axis (k', j', i'), and half their root mean square difference."""
    from MedSRLib.inference.gridded import evaluate
    from MedSRLib.networks.queries import Queries

    results = []
    fine = [axis for axis in range(3) if axis != coarse]
    for number, (across, within) in enumerate((fine, fine[::-1])):
        axes = (across, coarse, within)
        turned = Queries(
            (queries.positions[across], queries.positions[coarse], queries.positions[within]),
            (queries.step[across], queries.step[coarse], queries.step[within]),
        )
        part = progress.part(number / 2, (number + 1) / 2)
        found = evaluate(network, image.permute(axes).contiguous(), turned, runtime=runtime, progress=part)
        results.append(found.permute(tuple(axes.index(axis) for axis in range(3))))
    one, other = results
    difference = float((one - other).square().mean().sqrt()) / 2
    return ((one + other) / 2).contiguous(), difference


def _tell(error: float, difference: float, normalisation: Normalisation, progress: Progress) -> None:
    progress.log(
        f"On the scan's own slices the network was wrong by {error**0.5 * normalisation.scale:.4g} (root mean square); "
        f"its two directions differ from their mean by {difference * normalisation.scale:.4g}."
    )
