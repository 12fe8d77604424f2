"""ArSSR: arbitrary-scale super-resolution by an implicit voxel function.

Q. Wu, Y. Li, Y. Sun, Y. Zhou, H. Wei, J. Yu, Y. Zhang, "An arbitrary scale super-resolution approach for 3D MR
images via implicit neural representation", IEEE J. Biomed. Health Inform. 27(2), 2023, arXiv 2110.14476.

    V = encoder(image);   intensity(p) = decoder([V(p), c(p)]),   V(p) trilinear (Eq. 4)

Departures: the output grid keeps the field of view (the released code truncates the size and keeps the old
origin, an error of up to half a voxel); intensities come back in the input's units; models may be of the kinds
that `networks.arssr` lists, the released ones run exactly as released. Inference follows `inference.implicit`.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any, ClassVar

from MedSRLib import images, intensity
from MedSRLib.errors import ModelError
from MedSRLib.grids import Grid, relate
from MedSRLib.methods.contract import Method, MethodInfo, MethodOptions, Work

if TYPE_CHECKING:
    import SimpleITK as sitk

    from MedSRLib.inference.runtime import Runtime
    from MedSRLib.methods.guides import Guides
    from MedSRLib.models.card import ModelCard
    from MedSRLib.models.library import Model
    from MedSRLib.progress import Progress


class ArSSROptions(MethodOptions):
    """Options of ArSSR.

    Attributes:
        skip_flat: fill perfectly flat surroundings (the zeros around a stripped head) by cubic interpolation.
    """

    skip_flat: bool = True


class ArSSR(Method):
    """Arbitrary-scale super-resolution by an implicit voxel function."""

    info = MethodInfo(
        identifier="arssr",
        title="ArSSR",
        description="Learned sharpening at any scale by an implicit voxel function; needs a trained model.",
        citation="Q. Wu et al., An arbitrary scale super-resolution approach for 3D MR images via implicit "
        "neural representation, IEEE JBHI 27(2), 2023",
        reference="arXiv:2110.14476",
        year=2023,
        family="single-image",
        needs_model=True,
        learns=True,
    )
    Options: ClassVar[type[MethodOptions]] = ArSSROptions

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
            ModelError: without a model, or with one of another method or architecture.
        """
        import torch

        from MedSRLib.inference.implicit import evaluate
        from MedSRLib.models.building import network_of
        from MedSRLib.networks.queries import Queries

        if model is None:
            raise ModelError("ArSSR needs a trained model.", "", "Choose one of `medsr models list`.")
        network = network_of(model, "arssr")
        where = relate(grid, Grid.of(image))
        if where is None:
            raise ValueError("the grid's directions are not the image's")  # the caller's fault, not a user's
        array = images.to_array(image)
        normalisation = intensity.fit(model.card.normalisation, array)
        x, y, z = where.step
        result = evaluate(
            network,
            torch.from_numpy(normalisation.apply(array)),
            Queries(where.positions(grid), (z, y, x)),
            runtime=runtime,
            progress=progress,
            skip_flat=self.options.skip_flat,
        )
        return images.from_array(normalisation.invert(result.numpy()), grid)

    def work(self, source: Grid, target: Grid, card: ModelCard | None = None) -> Work:
        """The encoder over the voxels of the input, the decoder over those of the result, and the cubic base."""
        voxels = float(prod(target.size))
        if card is None:
            return Work(voxels=voxels)
        architecture = card.architecture
        decoder = _decoder_weights(architecture)
        features = int(architecture.get("feature_dim", 128))
        encoder = max(card.parameters - decoder, 0)
        # Every weight of the encoder is used once a voxel; features are interpolated along three axes.
        flops = 2.0 * encoder * prod(source.size) + (2.0 * decoder + 12.0 * features) * voxels
        return Work(flops, voxels)

    def fit(self, recipe: Any, data: Any, *, runtime: Runtime, progress: Progress) -> Model:
        """Train by a recipe (`training.recipe.Recipe`) on a manifest; see `training.engine`."""
        from MedSRLib.training.engine import fit

        return fit(recipe, data, runtime=runtime, progress=progress)


def _decoder_weights(architecture: dict[str, Any]) -> int:
    """Numbers in the two stages of `networks.implicit_decoder`."""
    inputs = int(architecture.get("feature_dim", 128)) + (6 if architecture.get("cell") else 3)
    width, depth = int(architecture.get("width", 256)), int(architecture.get("depth", 4))
    hidden = inputs * width + width + (depth - 2) * (width * width + width)
    return 2 * hidden + (width * inputs + inputs) + (width + 1)
