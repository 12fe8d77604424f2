"""What a trained dictionary can show of itself: its atoms or filters, in space, the strongest first."""

from __future__ import annotations

from math import prod

from torch import Tensor, nn

from MedSRLib.sparse.csc_sr import CSCSR, interleaved


def atoms_of(network: nn.Module) -> dict[str, Tensor]:
    """Titles and atoms (count, *edges), each kind by falling energy; empty for a network that has none in space.

    CSC-SR shows coarse and fine filters; WEENIE those of source and target; patch dictionaries their fine patches, and
    A+ what each regressor makes of its own atom.
    """
    if isinstance(network, CSCSR):
        found = {"coarse filters": network.coarse, "fine filters": interleaved(network.fine, network.config.scale)}
    else:
        buffers = dict(network.named_buffers())
        found = {}
        if "source" in buffers and "target" in buffers:
            found = {"source filters": buffers["source"], "target filters": buffers["target"]}
        elif "high" in buffers:
            found = {"fine atoms": _in_space(buffers["high"].T, network)}
        elif "regressors" in buffers and "low" in buffers:
            made = (buffers["regressors"] @ buffers["low"].T[:, :, None])[:, :, 0]
            found = {"regressors of their own atoms": _in_space(made, network)}
    return {title: atoms[_energy(atoms).argsort(descending=True)] for title, atoms in found.items()}


def _in_space(patches: Tensor, network: nn.Module) -> Tensor:
    """Patches (count, voxels) as squares or cubes."""
    dimensions: int = network.config.dimensions  # type: ignore[union-attr, assignment]
    edge = round(patches.shape[1] ** (1 / dimensions))
    assert edge**dimensions == prod(patches.shape[1:])
    return patches.reshape(-1, *[edge] * dimensions)


def _energy(atoms: Tensor) -> Tensor:
    return atoms.flatten(1).square().sum(1)
