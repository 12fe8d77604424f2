"""The networks by the identifier of their method: from a card's or a recipe's architecture to a network.

Every network here tells its ``architecture()``. Those of the kind "queries" answer ``network(image, queries)`` (see
`queries.Queries`); those of the kind "guided" answer ``network(image, queries, guide)`` (see `guided`); those
of the kind "slices" mix the codes of neighbouring slices (see `latent_autoencoder`).
"""

from __future__ import annotations

import importlib
from typing import Any, Literal

from torch import nn

from MedSRLib.errors import ModelError
from MedSRLib.networks.guided import Guided
from MedSRLib.networks.on_grid import OnGrid
from MedSRLib.networks.photographs import Grey

GRID_NETWORKS = {
    "edsr": ("MedSRLib.networks.edsr", "EDSR", "EDSRConfig"),
    "wdsr": ("MedSRLib.networks.wdsr", "WDSR", "WDSRConfig"),
    "srfbn": ("MedSRLib.networks.srfbn", "SRFBN", "SRFBNConfig"),
    "dsrn": ("MedSRLib.networks.dsrn", "DSRN", "DSRNConfig"),
    "srcnn3d": ("MedSRLib.networks.srcnn3d", "SRCNN3D", "SRCNN3DConfig"),
    "srrecnn3d": ("MedSRLib.networks.srrecnn3d", "SRReCNN3D", "SRReCNN3DConfig"),
    "dcsrn": ("MedSRLib.networks.dcsrn", "DCSRN", "DCSRNConfig"),
    "rescnn": ("MedSRLib.networks.rescnn", "ResCNNImage", "ResCNNConfig"),
    "scsr": ("MedSRLib.sparse.scsr", "ScSR", "ScSRConfig"),
    "zeyde": ("MedSRLib.sparse.dictionary", "Zeyde", "ZeydeConfig"),
    "ne-lle": ("MedSRLib.sparse.dictionary", "NELLE", "NELLEConfig"),
    "gr": ("MedSRLib.sparse.dictionary", "GR", "GRConfig"),
    "anr": ("MedSRLib.sparse.dictionary", "ANR", "ANRConfig"),
    "a-plus": ("MedSRLib.sparse.a_plus", "APlus", "APlusConfig"),
    "csc-sr": ("MedSRLib.sparse.csc_sr", "CSCSR", "CSCSRConfig"),
    "weenie": ("MedSRLib.sparse.weenie", "Weenie", "WeenieConfig"),
}
"""Module, network and configuration of the networks that are asked through `OnGrid`."""

GUIDED_NETWORKS = {
    "djf": ("MedSRLib.networks.djf", "DJF", "DJFConfig"),
    "coista": ("MedSRLib.networks.coista", "CoISTA", "CoISTAConfig"),
    "lmcsc": ("MedSRLib.networks.lmcsc", "LMCSC", "LMCSCConfig"),
    "dual-state": ("MedSRLib.networks.dual_state", "DualState", "DualStateConfig"),
}
"""Module, network and configuration of the networks that are asked with a guide, through `Guided`."""

SLICE_NETWORKS = ("sander",)


def known() -> list[str]:
    """Identifiers of the methods that have a network."""
    return ["arssr", *GRID_NETWORKS, *GUIDED_NETWORKS, *SLICE_NETWORKS]


def kind(method: str) -> Literal["queries", "slices", "guided"]:
    """How the network of a method is asked, and so how it is trained."""
    if method in GUIDED_NETWORKS:
        return "guided"
    return "slices" if method in SLICE_NETWORKS else "queries"


def build(method: str, architecture: dict[str, Any]) -> nn.Module:
    """The network of a method, with random weights.

    Raises:
        ModelError: for a method without a network, or settings it does not know.
    """
    if method == "arssr":
        from MedSRLib.networks.arssr import ArSSR, ArSSRConfig

        return ArSSR(ArSSRConfig.of(architecture))
    if method == "sander":
        from MedSRLib.networks.latent_autoencoder import LatentAutoencoder, LatentAutoencoderConfig

        return LatentAutoencoder(LatentAutoencoderConfig.of(architecture))
    known_networks = GRID_NETWORKS | GUIDED_NETWORKS
    if method not in known_networks:
        raise ModelError(f"The method '{method}' has no network.", "", f"Those that have one: {', '.join(known())}.")
    module, network, config = known_networks[method]
    place = importlib.import_module(module)
    settings = dict(architecture)
    residual = settings.pop("residual", "none")
    configured = getattr(place, config).of(settings)
    body = getattr(place, network)(configured)
    if getattr(configured, "channels_in", 1) == 3:
        if residual != "none":
            raise ModelError("A network of three channels adds to no interpolation.", "", "Set residual = 'none'.")
        body = Grey(body)
    wrapper = Guided if method in GUIDED_NETWORKS else OnGrid
    return wrapper(body, getattr(configured, "dimensions", 3), residual)
