"""What every registered method promises."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import SimpleITK as sitk
import torch

from MedSRLib import images
from MedSRLib.errors import Cancelled, OptionError
from MedSRLib.grids import Grid, scaled
from MedSRLib.inference import ensemble
from MedSRLib.inference.runtime import Runtime
from MedSRLib.methods import registry
from MedSRLib.methods.contract import FAMILIES
from MedSRLib.methods.guides import Guide
from MedSRLib.models.card import ModelCard
from MedSRLib.models.library import Model
from MedSRLib.networks import catalogue
from MedSRLib.progress import Progress

OBLIQUE = (0.8, 0.6, 0.0, -0.6, 0.8, 0.0, 0.0, 0.0, 1.0)
LEFT_HANDED = (0.8, 0.6, 0.0, -0.6, 0.8, 0.0, 0.0, 0.0, -1.0)
GRIDS = {
    "odd": Grid((13, 10, 7), (0.9, 1.0, 2.0), (-3.0, 5.0, 9.0), OBLIQUE),
    "left-handed": Grid((7, 9, 8), (1.1, 0.7, 2.5), (4.0, 0.0, -2.0), LEFT_HANDED),
    "two-thick": Grid((10, 9, 2), (1.0, 1.0, 5.0), (0.0, 0.0, 0.0), OBLIQUE),
    "one-slice": Grid((9, 1, 8), (1.0, 6.0, 1.0), (0.0, 0.0, 0.0), LEFT_HANDED),
}
RUNTIME = Runtime()


def _tiny_arssr() -> Model:
    from MedSRLib.networks.arssr import ArSSR, ArSSRConfig

    config = ArSSRConfig(
        encoder="rescnn", feature_dim=8, channels=8, blocks=1, width=16, coordinates="local", padding="border"
    )
    torch.manual_seed(0)
    network = ArSSR(config)
    card = ModelCard(name="tiny", method="arssr", architecture=config.asdict(), scale_max=4)
    return Model(card, dict(network.state_dict()))


def _tiny_grid(method: str, **architecture) -> Model:
    """A network of random weights, of slices or of volumes."""
    torch.manual_seed(0)
    settings = {"blocks": 1, "features": 4, "residual": "cubic", **architecture}
    network = catalogue.build(method, {name: value for name, value in settings.items() if value is not None})
    card = ModelCard(name="tiny", method=method, architecture=network.architecture(), scale_max=4)
    return Model(card, dict(network.state_dict()))


def _tiny_dictionary(method: str, **architecture) -> Model:
    """A patch dictionary of random atoms."""
    torch.manual_seed(0)
    network = catalogue.build(method, {"scale": (2, 2), "atoms": 16, **architecture})
    for buffer in network.buffers():
        buffer.normal_().mul_(0.01)
    network.body.low /= network.body.low.norm(dim=0)
    card = ModelCard(name="tiny", method=method, architecture=network.architecture(), scale_max=4)
    return Model(card, dict(network.state_dict()))


def _tiny_filters() -> Model:
    """Convolutional filters of chance."""
    torch.manual_seed(0)
    settings = {"scale": (2, 2, 2), "filters": 3, "fine_filters": 4, "support": 3, "iterations": 5}
    network = catalogue.build("csc-sr", settings)
    for buffer in network.buffers():
        buffer.normal_().mul_(0.2)
    card = ModelCard(name="tiny", method="csc-sr", architecture=network.architecture(), scale_max=4)
    return Model(card, dict(network.state_dict()))


def _tiny_guided(method: str, **architecture) -> Model:
    model = _tiny_grid(method, blocks=None, **architecture)
    return dataclasses.replace(model, card=model.card.model_copy(update={"guide_optional": True}))


def _tiny_autoencoder() -> Model:
    torch.manual_seed(0)
    network = catalogue.build("sander", {"blocks": 2, "features": 4, "latent": 3})
    card = ModelCard(name="tiny", method="sander", architecture=network.architecture(), scale_max=4)
    return Model(card, dict(network.state_dict()))


def _tiny_weenie() -> Model:
    torch.manual_seed(0)
    network = catalogue.build("weenie", {"filters": 3, "support": 3, "iterations": 3})
    for buffer in network.buffers():
        buffer.normal_().mul_(0.1)
    card = ModelCard(name="tiny", method="weenie", architecture=network.architecture(), scale_max=4)
    return Model(card, dict(network.state_dict()))


TINY_MODELS = {
    "arssr": _tiny_arssr,
    "edsr": lambda: _tiny_grid("edsr", scale=(2, 2)),
    "wdsr": lambda: _tiny_grid("wdsr", scale=(2, 1, 3), dimensions=3, expansion=8),
    "srfbn": lambda: _tiny_grid("srfbn", scale=(3, 3), blocks=None, groups=2, steps=2),
    "dsrn": lambda: _tiny_grid("dsrn", scale=(2, 1, 2), dimensions=3, blocks=None, steps=3),
    "srcnn3d": lambda: _tiny_grid("srcnn3d", blocks=None, features=(4, 3)),
    "srrecnn3d": lambda: _tiny_grid("srrecnn3d", blocks=None, layers=3),
    "dcsrn": lambda: _tiny_grid("dcsrn", blocks=None, features=None, growth=3),
    "rescnn": lambda: _tiny_grid("rescnn", layers=2),
    "sander": _tiny_autoencoder,
    "scsr": lambda: _tiny_dictionary("scsr", iterations=5),
    "zeyde": lambda: _tiny_dictionary("zeyde", components=6),
    "ne-lle": lambda: _tiny_dictionary("ne-lle", components=6, neighbours=4),
    "gr": lambda: _tiny_dictionary("gr", components=6, scale=(3, 3)),
    "anr": lambda: _tiny_dictionary("anr", components=6, scale=(2, 2, 2), dimensions=3),
    "a-plus": lambda: _tiny_dictionary("a-plus", components=6, scale=(2, 2, 2), dimensions=3),
    "csc-sr": _tiny_filters,
    "weenie": _tiny_weenie,
    "djf": lambda: _tiny_guided("djf", features=(4, 3), fused=(4, 3)),
    "coista": lambda: _tiny_guided("coista", features=None, patch=4, atoms=6, layers=2),
    "lmcsc": lambda: _tiny_guided("lmcsc", kernel=3, steps=2, guide_steps=2, dimensions=3, scale=(2, 1, 3)),
    "dual-state": lambda: _tiny_guided("dual-state", kernel=3, steps=2, scale=(2, 1)),
}


QUICK_OPTIONS = {"self-training": {"steps": 2}}


@pytest.fixture(params=list(registry.BUILTIN))
def identifier(request) -> str:
    return request.param


def _image(grid: Grid) -> sitk.Image:
    return images.from_array(np.random.default_rng(0).random(grid.shape, np.float32) * 100, grid)


def _guide(image: sitk.Image) -> sitk.Image:
    """An image with other axes and voxels that shows most of the place."""
    grid = Grid.of(image)
    centre = grid.physical((np.array(grid.size) - 1) / 2)
    half = np.linalg.norm(grid.corners()[0] - grid.corners()[-1]) / 2
    n = int(half / 0.8)
    origin = centre - 0.8 * (n - 1) / 2
    other = Grid((n, n, n), (0.8, 0.8, 0.8), tuple(float(o) for o in origin), (1, 0, 0, 0, 1, 0, 0, 0, 1))
    return images.from_array(np.random.default_rng(1).random(other.shape, np.float32), other)


def _upscale(identifier: str, image: sitk.Image, grid: Grid, progress: Progress | None = None) -> sitk.Image:
    method = registry.create(identifier, QUICK_OPTIONS.get(identifier))
    model = TINY_MODELS[identifier]() if method.info.needs_model else None
    guides = (Guide(_guide(image)),) if method.info.needs_guide else ()
    return method.upscale(image, grid, guides=guides, model=model, runtime=RUNTIME, progress=progress or Progress())


def test_it_says_what_it_is(identifier):
    info = registry.get(identifier).info
    assert info.identifier == identifier == identifier.lower().replace("_", "-")
    assert info.family in FAMILIES
    assert all((info.title, info.description, info.citation, info.reference))
    assert info.reference.startswith(("https://doi.org/", "arXiv:", "https://arxiv.org/"))
    assert 1900 < info.year < 2100


@pytest.mark.parametrize("name", GRIDS)
@pytest.mark.parametrize("scale", [1.0, 1.7, (1, 2.5, 4)])
def test_the_result_is_exactly_on_the_wanted_grid_and_finite(identifier, name, scale):
    image, wanted = _image(GRIDS[name]), scaled(GRIDS[name], scale)
    result = _upscale(identifier, image, wanted)
    assert Grid.of(result).equals(wanted, 1e-9)
    assert result.GetPixelID() == sitk.sitkFloat32
    assert np.isfinite(images.to_array(result)).all()


def test_the_input_is_left_as_it_is_and_the_result_repeats_bit_for_bit(identifier):
    image, wanted = _image(GRIDS["odd"]), scaled(GRIDS["odd"], 1.7)
    before = images.to_array(image)
    first = images.to_array(_upscale(identifier, image, wanted))
    again = images.to_array(_upscale(identifier, image, wanted))
    assert np.array_equal(images.to_array(image), before)
    assert Grid.of(image).equals(GRIDS["odd"], 1e-9)
    assert np.array_equal(first, again)


def test_it_stops_when_asked(identifier):
    image = _image(GRIDS["odd"])
    with pytest.raises(Cancelled):
        _upscale(identifier, image, scaled(GRIDS["odd"], 2), Progress(cancelled=lambda: True))


def test_progress_grows_to_one(identifier):
    events = []
    _upscale(identifier, _image(GRIDS["odd"]), scaled(GRIDS["odd"], 2), Progress(events.append))
    fractions = [event["fraction"] for event in events if event["event"] == "progress"]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0


def test_positions_anywhere_along_the_axes_are_answered(identifier):
    """The wanted grid need not share the field of view: it may be a part, shifted, or reach beyond."""
    grid = GRIDS["odd"]
    fine = scaled(grid, 2)
    part = dataclasses.replace(fine, size=(9, 8, 5), origin=tuple(fine.physical((5, 4, 3))))
    beyond = dataclasses.replace(fine, origin=tuple(fine.physical((-3, 2, 1))))
    for wanted in (part, beyond):
        result = _upscale(identifier, _image(grid), wanted)
        assert Grid.of(result).equals(wanted, 1e-9)
        assert np.isfinite(images.to_array(result)).all()


def test_a_method_that_does_not_learn_says_so(identifier):
    method = registry.create(identifier)
    if not method.info.learns:
        with pytest.raises(OptionError, match="not trained"):
            method.fit(None, None, runtime=RUNTIME, progress=Progress())


def test_unknown_options_are_refused(identifier):
    with pytest.raises(OptionError, match="no_such_option"):
        registry.create(identifier, {"no_such_option": 1})


def test_turned_copies_lie_on_the_wanted_grid_and_show_the_same_place(identifier):
    """A coarse pattern: however the input is turned, it stays where it is, and the spread is small beside it."""
    if registry.get(identifier).info.trains_on_scan:
        pytest.skip("it would train eight times; the geometry of its result is tested above")
    grid = GRIDS["odd"]
    k, j, i = np.meshgrid(*(np.linspace(-1, 1, n) for n in grid.shape), indexing="ij")
    image, wanted = images.from_array(50 + 30 * i + 20 * j + 10 * k, grid), scaled(grid, (2, 1.7, 1))
    found = ensemble.average(
        lambda turned, there, progress: _upscale(identifier, turned, there, progress),
        image,
        wanted,
        ensemble.turns("flips", grid, wanted),
        Progress(),
    )
    assert Grid.of(found.mean) == Grid.of(found.spread) == wanted
    assert np.isfinite(images.to_array(found.mean)).all() and images.to_array(found.spread).min() >= 0
    if not registry.get(identifier).info.needs_model:  # of random weights anything may come
        assert images.to_array(found.spread).max() < 5
