"""ArSSR: an encoder and an implicit decoder that answer at any position.

Q. Wu et al., "An arbitrary scale super-resolution approach for 3D MR images via implicit neural
representation", IEEE JBHI 2022, arXiv 2110.14476. The encoder makes a feature volume V at the resolution of
the input; a query at position p takes v = trilinear V(p) (Eq. 4) and the decoder gives the intensity
f(v, c), where c is the coordinate of the query.

Positions are continuous voxel indices of the input along its axes (k, j, i): 0 is the centre of the first
voxel. The coordinate c is one of
    "released"  (2p + 1) / n - 1 in [-1, 1], n the whole image's size: the paper's and the released code's;
    "local"     p - round(p), the offset to the nearest input voxel, in input voxels: independent of the
                image's size, so that tiles and images of any size mean the same. With ``cell`` the spacing of
                the queries in input voxels (one over the scale) is appended, as in LIIF (Chen et al., CVPR 2021).

Departures, each off for the paper's configuration (`ArSSRConfig()` is the paper's): local coordinates and
cell; ``padding="border"`` (the released code interpolates features against zeros beyond the outermost voxel
centres, which attenuates the rim); ``residual="cubic"`` (the decoder's value is added to Keys' cubic
interpolation of the input) with ``final="linear"``; residual networks start as that interpolation, with He's
initial weights (K. He et al., ICCV 2015) instead of torch's, which learns several times faster.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from MedSRLib.errors import ModelError
from MedSRLib.inference.sampling import apply_separable
from MedSRLib.networks.configuration import NetworkConfig
from MedSRLib.networks.implicit_decoder import ImplicitDecoder
from MedSRLib.networks.queries import Queries, axis_matrices
from MedSRLib.networks.rdn import RDN
from MedSRLib.networks.rescnn import ResCNN
from MedSRLib.networks.srresnet import SRResNet


@dataclass(frozen=True)
class ArSSRConfig(NetworkConfig):
    """The architecture; the defaults are the paper's. ``blocks`` and ``layers`` of 0 mean the encoder's own."""

    title: ClassVar[str] = "ArSSR"
    citation: ClassVar[str] = "Q. Wu et al., IEEE JBHI 27(2), 2023, arXiv 2110.14476"
    choices: ClassVar[dict[str, tuple[Any, ...]]] = {
        "encoder": ("rdn", "rescnn", "srresnet"),
        "coordinates": ("released", "local"),
        "padding": ("zeros", "border"),
        "residual": ("none", "cubic"),
        "final": ("relu", "linear"),
    }

    encoder: str = "rdn"
    feature_dim: int = 128
    channels: int = 64
    blocks: int = 0
    layers: int = 0
    width: int = 256
    depth: int = 4
    coordinates: str = "released"
    cell: bool = False
    padding: str = "zeros"
    residual: str = "none"
    final: str = "relu"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.cell and self.coordinates != "local":
            raise ModelError("The ArSSR setting cell = true needs coordinates = 'local'.")


class ArSSR(nn.Module):
    """Encoder and decoder of one configuration."""

    def __init__(self, config: ArSSRConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = _encoder(config)
        inputs = config.feature_dim + (6 if config.cell else 3)
        self.decoder = ImplicitDecoder(inputs, config.width, config.depth, config.final)
        if config.residual == "cubic":
            _initialise_residual(self)

    def architecture(self) -> dict[str, Any]:
        """What a card needs to rebuild the network."""
        return self.config.asdict()

    @property
    def citation(self) -> str:
        """What a model of this network asks to cite."""
        return self.config.citation

    def forward(self, image: Tensor, queries: Queries) -> Tensor:
        """Intensities on the product grid of ``queries``.

        Args:
            image: (n, 1, k, j, i), normalised.
            queries: of lengths k', j', i'.

        Returns:
            (n, 1, k', j', i').
        """
        shape = image.shape[2:]
        features = self.encoder(image)
        matrices = axis_matrices("linear", shape, queries, self.config.padding)
        values = apply_separable(features, [m.to(features) for m in matrices]).movedim(1, -1)
        coordinates = product_coordinates(self.config, queries, shape).to(values)
        inputs = torch.cat([values, coordinates.expand(*values.shape[:-1], -1)], dim=-1)
        intensity = self.decoder(inputs.flatten(0, -2)).view(*values.shape[:-1], 1).movedim(-1, 1)
        if self.config.residual == "none":
            return intensity
        with torch.autocast(image.device.type, enabled=False):  # 16 bits would coarsen the intensities
            cubic = apply_separable(image, [m.to(image) for m in axis_matrices("cubic", shape, queries)])
            return intensity.to(image.dtype) + cubic

    def at_points(self, image: Tensor, points: Tensor) -> Tensor:
        """Intensities at scattered points, as the paper trains.

        Args:
            image: (n, 1, k, j, i), normalised.
            points: continuous input indices (n, q, 3) in k, j, i order.

        Returns:
            (n, q, 1). Only for ``residual="none"`` and without ``cell``, as in the paper.
        """
        features = self.encoder(image)
        size = torch.tensor(image.shape[2:], device=points.device, dtype=points.dtype)
        normalised = (2 * points + 1) / size - 1
        sampled = nn.functional.grid_sample(
            features.float(),
            normalised.flip(-1)[:, :, None, None],
            mode="bilinear",
            padding_mode=self.config.padding,
            align_corners=False,
        )[..., 0, 0].transpose(1, 2)
        local = points - torch.minimum((points + 0.5).floor().clamp(min=0), size - 1)
        coordinates = normalised if self.config.coordinates == "released" else local
        return self.decoder(torch.cat([sampled, coordinates], dim=-1))


def axis_coordinate(config: ArSSRConfig, positions: np.ndarray, size: int) -> np.ndarray:
    """The coordinate c of query positions along one axis of ``size`` input voxels, float32."""
    if config.coordinates == "released":
        return ((2 * positions + 1) / size - 1).astype(np.float32)
    nearest = np.clip(np.floor(positions + 0.5), 0, size - 1)
    return (positions - nearest).astype(np.float32)


def product_coordinates(config: ArSSRConfig, queries: Queries, shape: tuple[int, ...]) -> Tensor:
    """The decoder's coordinate inputs on a product grid, (k', j', i', 3), or 6 with ``cell``."""
    axes = [
        torch.from_numpy(axis_coordinate(config, where, size))
        for where, size in zip(queries.positions, shape, strict=True)
    ]
    coordinates = torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1)
    if not config.cell:
        return coordinates
    return torch.cat([coordinates, torch.tensor(queries.step).expand_as(coordinates)], dim=-1)


def _encoder(config: ArSSRConfig) -> RDN | ResCNN | SRResNet:
    sizes: dict[str, int] = {"feature_dim": config.feature_dim, "channels": config.channels}
    if config.blocks:
        sizes["blocks"] = config.blocks
    if config.encoder == "srresnet":
        return SRResNet(**sizes)
    if config.layers:
        sizes["layers"] = config.layers
    return RDN(**sizes) if config.encoder == "rdn" else ResCNN(**sizes)


def _initialise_residual(network: ArSSR) -> None:
    """He's weights, inner residual branches damped, and a last layer of zeros: the start is cubic."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv3d | nn.Linear):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.get_parameter("bias"))
    outer = network.encoder
    for layer in (outer.first, outer.fuse, outer.last) if isinstance(outer, SRResNet) else ():
        nn.init.kaiming_normal_(layer.weight, nonlinearity="linear")
    damped = [network.decoder.stage1[-1], *(block.get_submodule("conv2") for block in _blocks(outer))]
    with torch.no_grad():
        for branch in damped:
            if isinstance(branch, nn.Conv3d | nn.Linear):
                branch.weight *= 0.3
        for parameter in network.decoder.stage2[-1].parameters():
            parameter.zero_()


def _blocks(encoder: nn.Module) -> nn.ModuleList:
    return encoder.blocks if isinstance(encoder, SRResNet) else nn.ModuleList()
