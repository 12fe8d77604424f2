"""The guided networks on photographs, as in the slides of I. Marivani et al.: one colour guides another.

    pip install --target PHOTOGRAPHS --no-deps sporco imgaug ultralytics scikit-learn      (for their photographs alone)
    export PYTHONPATH=$PYTHONPATH:PHOTOGRAPHS
    python Testing/Conformance/guided_photographs.py -o FOLDER
    python Testing/Conformance/guided_photographs.py -o FOLDER --test

The red channel of photographs that come with Python packages is made four times as coarse by antialiased bicubic
interpolation; the mean of green and blue is the guide. Networks learn from `TRAINING`; first weights, sizes and, among
the same `RATES` for all, the rate of each were chosen on `DEVELOPMENT`; `TEST` is for ``--test``, once, when nothing is
left to choose: no training then, only the networks that FOLDER keeps. All see the same patches in the same order.

The tables are Markdown: the peak signal-to-noise ratio, dB, of each photograph, and the pairs of networks that the
slides order (one-sided Wilcoxon tests, Holm's correction). Nothing here is a test.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from MedSRLib.evaluation.statistics import holm, wilcoxon_greater
from MedSRLib.networks.coista import CoISTA, CoISTAConfig
from MedSRLib.networks.convolution import channels_last
from MedSRLib.networks.djf import DJF, DJFConfig
from MedSRLib.networks.dual_state import DualState, DualStateConfig
from MedSRLib.networks.lmcsc import LMCSC, LMCSCConfig

SCALE = 4
EDGE = 512
RATES = (5e-4, 1.5e-3, 4e-3)
TRAINING = (
    "skimage/data/coffee.png",
    "skimage/data/chelsea.png",
    "skimage/data/rocket.jpg",
    "skimage/data/retina.jpg",
    "skimage/data/ihc.png",
    "skimage/data/hubble_deep_field.jpg",
    "sklearn/datasets/images/flower.jpg",
    "imgaug/quokka.jpg",
    "ultralytics/assets/bus.jpg",
)
DEVELOPMENT = (
    "skimage/data/astronaut.png",
    "skimage/data/motorcycle_left.png",
    "matplotlib/mpl-data/sample_data/grace_hopper.jpg",
)
TEST = (
    "sporco/data/barbara.png",
    "sporco/data/kodim23.png",
    "sporco/data/monarch.png",
    "sporco/data/sail.png",
    "sporco/data/tulips.png",
    "sklearn/datasets/images/china.jpg",
    "ultralytics/assets/zidane.jpg",
)


@dataclass(frozen=True)
class Photograph:
    """All of one size but ``coarse``, (1, j, i), from 0 to 1."""

    truth: Tensor
    guide: Tensor
    coarse: Tensor
    interpolated: Tensor

    @classmethod
    def read(cls, name: str) -> Photograph:
        """The middle of a photograph of a package, at most `EDGE` pixels wide."""
        package, _, inner = name.partition("/")
        found = find_spec(package)
        if found is None or not found.submodule_search_locations:
            raise SystemExit(f"{name} is missing: install {package.replace('sklearn', 'scikit-learn')}.")
        path = Path(found.submodule_search_locations[0]) / inner
        colours = np.asarray(Image.open(path).convert("RGB"), np.float32) / 255
        size = [min(EDGE, edge) // SCALE * SCALE for edge in colours.shape[:2]]
        first = [(edge - length) // 2 for edge, length in zip(colours.shape, size, strict=False)]
        cut = colours[first[0] : first[0] + size[0], first[1] : first[1] + size[1]]
        truth = np.ascontiguousarray(cut[..., 0])
        coarse = resized(truth, [edge // SCALE for edge in size])
        images = (truth, cut[..., 1:].mean(axis=-1), coarse, resized(coarse, size))
        return cls(*(torch.tensor(image)[None] for image in images))

    def patch(self, edge: int, generator: torch.Generator) -> Photograph:
        """A square at a random place, turned and mirrored at random."""
        rows, columns = self.truth.shape[1:]
        j, i = (int(torch.randint((n - edge) // SCALE + 1, (1,), generator=generator)) for n in (rows, columns))
        mirrored = [axis for axis in (1, 2) if torch.rand(1, generator=generator) < 0.5]
        swapped = bool(torch.rand(1, generator=generator) < 0.5)

        def taken(image: Tensor, factor: int) -> Tensor:
            length = edge * factor // SCALE
            part = image[:, j * factor : j * factor + length, i * factor : i * factor + length].flip(mirrored)
            return part.transpose(1, 2) if swapped else part

        whole = (taken(image, SCALE) for image in (self.truth, self.guide))
        return Photograph(*whole, taken(self.coarse, 1), taken(self.interpolated, SCALE))


def resized(image: np.ndarray, size: list[int]) -> np.ndarray:
    """Keys' cubic interpolation, antialiased where the image becomes coarser."""
    return np.asarray(Image.fromarray(image).resize((size[1], size[0]), Image.Resampling.BICUBIC))


def stacked(network: nn.Module, photographs: list[Photograph]) -> Tensor:
    """The network's images of patches, (n, 1, j, i)."""
    scale = getattr(network, "scale", None)
    images = torch.stack([p.interpolated if scale is None else p.coarse for p in photographs])
    guided = getattr(network.config, "guided", True)
    guides = torch.stack([p.guide for p in photographs]) if guided else None
    found: Tensor = network(images, guides)
    if isinstance(network, CoISTA):  # which adds to the patches' means
        return found
    return found + torch.stack([p.interpolated for p in photographs])


def trained(
    network: nn.Module, rate: float, photographs: list[Photograph], steps: int, settings: argparse.Namespace
) -> float:
    """Seconds of processor time; the same patches for every network."""
    generator = torch.Generator().manual_seed(1)
    optimiser = torch.optim.Adam(network.parameters(), rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=steps, pct_start=0.1)
    start = time.process_time()
    for _ in range(steps):
        drawn = torch.randint(len(photographs), (settings.batch,), generator=generator).tolist()
        patches = [photographs[n].patch(settings.patch, generator) for n in drawn]
        loss = (stacked(network, patches) - torch.stack([p.truth for p in patches])).square().mean()
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), settings.clip)
        optimiser.step()
        schedule.step()
    return time.process_time() - start


def ratios(images: list[Tensor], photographs: list[Photograph]) -> np.ndarray:
    """Peak signal-to-noise ratios, of images within 0 ... 1."""
    errors = [(x.clamp(0, 1) - p.truth).square().mean() for x, p in zip(images, photographs, strict=True)]
    return -10 * np.log10(np.array([float(error) for error in errors]))


def candidates() -> dict[str, Callable[[], nn.Module]]:
    """Networks by the names of the table; all start as the interpolation that they add to, or near it."""
    alone = {"guided": False, "last_zero": True}
    equal = {"threshold": 0.03, "last_zero": True}
    pulled = {**equal, "equal": False, "pull": 1.0}
    whole = {"features": 32, "kernel": 5}
    grown = {"scale": (SCALE,) * 2, "features": 20, "kernel": 3, "steps": 3, "guide_steps": 5, "shared": False}
    return {
        "LMCSC, no guide": lambda: LMCSC(LMCSCConfig(**whole, **alone, form="direct")),
        "dual-state, no guide": lambda: DualState(DualStateConfig(**grown, **alone)),
        "DJFR": lambda: DJF(DJFConfig()),
        "CoISTA": lambda: CoISTA(CoISTAConfig(atoms=48, layers=2)),
        "LMCSC": lambda: LMCSC(LMCSCConfig(**whole, **pulled)),
        "dual-state": lambda: DualState(DualStateConfig(**grown, **pulled)),
        "LMCSC, equal weights": lambda: LMCSC(LMCSCConfig(**whole, **equal)),
    }


def answers(network: nn.Module, photographs: list[Photograph]) -> list[float]:
    """Peak signal-to-noise ratios of a network on whole photographs."""
    with torch.inference_mode():
        return ratios([stacked(network, [photograph])[0] for photograph in photographs], photographs).tolist()


def measured(make: Callable[[], nn.Module], weights: Path, settings: argparse.Namespace) -> dict[str, Any]:
    """The rate that is best on the development photographs after a short training, and what a longer one gives."""
    training, development = ([Photograph.read(name) for name in names] for names in (TRAINING, DEVELOPMENT))
    rates = {}
    for rate in settings.rates:
        network = fresh(make)
        trained(network, rate, training, settings.short, settings)
        rates[rate] = float(np.mean(answers(network, development)))
    best = max(rates, key=lambda rate: rates[rate])
    network = fresh(make)
    seconds = trained(network, best, training, settings.steps, settings)
    torch.save(network.state_dict(), weights)
    parameters = sum(p.numel() for p in network.parameters())
    psnr = answers(network, development)
    return {"parameters": parameters, "rates": rates, "rate": best, "seconds": seconds, "psnr": psnr}


def fresh(make: Callable[[], nn.Module]) -> nn.Module:
    """A network with the first weights that it always has."""
    torch.manual_seed(0)
    network = make()
    channels_last(network)
    return network


def table(found: dict[str, dict[str, Any]], names: tuple[str, ...]) -> str:
    """The ratios as Markdown."""
    titles = ["network", "parameters", "rate", "seconds", *(Path(name).stem for name in names), "mean"]
    lines = [" | ".join(titles), "|".join("---" for _ in titles)]
    for name, one in found.items():
        about = [
            name,
            str(one["parameters"] or "-"),
            f"{one['rate']:g}" if one["rate"] else "-",
            f"{one['seconds']:.0f}",
        ]
        lines.append(" | ".join(about + [f"{value:.2f}" for value in (*one["psnr"], np.mean(one["psnr"]))]))
    return "\n".join(f"| {line} |" for line in lines)


def comparisons(found: dict[str, dict[str, Any]]) -> str:
    """Pairs that the slides order, as Markdown."""
    pairs = [
        ("LMCSC", "LMCSC, no guide"),
        ("dual-state", "dual-state, no guide"),
        ("LMCSC", "DJFR"),
        ("LMCSC", "CoISTA"),
        ("dual-state", "LMCSC"),
    ]
    given = [(found[a]["psnr"], found[b]["psnr"], a, b) for a, b in pairs if a in found and b in found]
    corrected = holm([wilcoxon_greater(more, less) for more, less, *_ in given])
    lines = ["| is above | by, dB | on | p, corrected |", "|---|---|---|---|"]
    for (more, less, a, b), p in zip(given, corrected, strict=True):
        gains = np.subtract(more, less)
        stated = "-" if p is None else f"{p:.3f}"
        lines.append(f"| {a}: {b} | {gains.mean():.2f} | {(gains > 0).sum()} of {len(gains)} | {stated} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--short", type=int, default=100, help="steps of the trainings that choose a rate")
    parser.add_argument("--rates", type=float, nargs="*", default=RATES, help="one: nothing to choose")
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--patch", type=int, default=48, help="pixels along an edge, a multiple of 4")
    parser.add_argument("--clip", type=float, default=0.4, help="largest norm of the gradient")
    parser.add_argument("--only", nargs="*", default=[], help="names of the table")
    parser.add_argument("--test", action="store_true", help="the kept networks on the test photographs")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder of what is found; it is continued")
    settings = parser.parse_args()
    torch.set_num_threads(1)
    settings.output.mkdir(parents=True, exist_ok=True)
    names = TEST if settings.test else DEVELOPMENT
    shown = [Photograph.read(name) for name in names]
    bicubic = ratios([photograph.interpolated for photograph in shown], shown).tolist()
    kept = settings.output / "development.json"
    found: dict[str, dict[str, Any]] = json.loads(kept.read_text()) if kept.exists() else {}
    rows: dict[str, dict[str, Any]] = {"bicubic": {"parameters": 0, "rate": 0, "seconds": 0, "psnr": bicubic}}
    for name, make in candidates().items():
        weights = settings.output / f"{name}.pt"
        if name not in found and not settings.test and (not settings.only or name in settings.only):
            found[name] = measured(make, weights, settings)
            print(f"{name}: {found[name]}", flush=True)
            kept.write_text(json.dumps(found, indent=1, default=float))
        if name in found:
            rows[name] = dict(found[name])
            if settings.test:
                network = fresh(make)
                network.load_state_dict(torch.load(weights, weights_only=True))
                rows[name]["psnr"] = answers(network, shown)
    print(table(rows, names), comparisons(rows), sep="\n\n")


if __name__ == "__main__":
    main()
