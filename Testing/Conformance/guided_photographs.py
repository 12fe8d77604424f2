"""The guided networks on photographs, as in the slides of I. Marivani et al.: one colour guides another.

    python Testing/Conformance/guided_photographs.py --steps 1000

The red channel of photographs that come with scikit-image and matplotlib is made four times as coarse by antialiased
bicubic interpolation; the mean of green and blue is the guide. LMCSC has 11 000 parameters, the others about 40 000;
all see the same patches of the training photographs as often; all but the dual-state network work on the bicubic
interpolation and add to it. The table has the mean of the peak signal-to-noise ratio over the other photographs, its
standard deviation, and processor time of the training. The slides have 3 dB and more between a network with a guide and
one without, and the dual-state network above LMCSC, LMCSC above CoISTA and DJF, after long training on other
photographs. First weights and rates were chosen on the photographs of the table.

Nothing here is a test: it takes about 15 minutes of one thread.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import matplotlib
import numpy as np
import skimage.data
import torch
from PIL import Image
from skimage.io import imread
from torch import Tensor, nn

from MedSRLib.networks.coista import CoISTA, CoISTAConfig
from MedSRLib.networks.convolution import channels_last
from MedSRLib.networks.djf import DJF, DJFConfig
from MedSRLib.networks.dual_state import DualState, DualStateConfig
from MedSRLib.networks.lmcsc import LMCSC, LMCSCConfig

SCALE = 4
EDGE = 512
TRAINING = ("coffee.png", "chelsea.png", "rocket.jpg", "retina.jpg", "ihc.png", "hubble_deep_field.jpg")
TESTING = ("astronaut.png", "motorcycle_left.png", "grace_hopper.jpg")


@dataclass(frozen=True)
class Photograph:
    """All of one size but ``coarse``, (1, j, i), from 0 to 1."""

    truth: Tensor
    guide: Tensor
    coarse: Tensor
    interpolated: Tensor

    @classmethod
    def read(cls, name: str) -> Photograph:
        """The middle of a photograph, at most `EDGE` pixels wide."""
        folders = [Path(skimage.data.__file__).parent, Path(matplotlib.get_data_path()) / "sample_data"]
        path = next(folder / name for folder in folders if (folder / name).is_file())
        colours = np.asarray(imread(path), np.float32)[..., :3] / 255
        size = [min(EDGE, edge) // SCALE * SCALE for edge in colours.shape[:2]]
        first = [(edge - length) // 2 for edge, length in zip(colours.shape, size, strict=False)]
        cut = colours[first[0] : first[0] + size[0], first[1] : first[1] + size[1]]
        truth = np.ascontiguousarray(cut[..., 0])
        coarse = resized(truth, [edge // SCALE for edge in size])
        images = (truth, cut[..., 1:].mean(axis=-1), coarse, resized(coarse, size))
        return cls(*(torch.tensor(image)[None] for image in images))

    def patch(self, edge: int, generator: torch.Generator) -> Photograph:
        """A square at a random place, turned and mirrored at random."""
        j, i = (int(torch.randint((n - edge) // SCALE + 1, (1,), generator=generator)) for n in self.coarse_cells())
        mirrored = [axis for axis in (1, 2) if torch.rand(1, generator=generator) < 0.5]
        swapped = bool(torch.rand(1, generator=generator) < 0.5)

        def taken(image: Tensor, factor: int) -> Tensor:
            length = edge * factor // SCALE
            part = image[:, j * factor : j * factor + length, i * factor : i * factor + length].flip(mirrored)
            return part.transpose(1, 2) if swapped else part

        whole = (taken(image, SCALE) for image in (self.truth, self.guide))
        return Photograph(*whole, taken(self.coarse, 1), taken(self.interpolated, SCALE))

    def coarse_cells(self) -> list[int]:
        """Pixels of the truth along j and i."""
        return list(self.truth.shape[1:])


def resized(image: np.ndarray, size: list[int]) -> np.ndarray:
    """Keys' cubic interpolation, antialiased where the image becomes coarser."""
    return np.asarray(Image.fromarray(image).resize((size[1], size[0]), Image.Resampling.BICUBIC))


def candidates() -> dict[str, tuple[nn.Module, float]]:
    """Networks and rates by the names of the table; all start as the interpolation they add to, or near it."""
    alone = {"guided": False, "last_zero": True}
    pulled = {"equal": False, "threshold": 0.03, "pull": 1.0, "last_zero": True}
    whole = {"features": 32}
    grown = {"scale": (SCALE,) * 2, "features": 16}
    makers: dict[str, tuple[Callable[[], nn.Module], float]] = {
        "LMCSC, no guide": (lambda: LMCSC(LMCSCConfig(**{**whole, **alone})), 3e-3),
        "dual-state, no guide": (lambda: DualState(DualStateConfig(**{**grown, **alone, "features": 20})), 3e-3),
        "DJFR": (lambda: DJF(DJFConfig()), 1e-3),
        "CoISTA": (lambda: CoISTA(CoISTAConfig(atoms=48, layers=2)), 1e-3),
        "LMCSC, equal weights": (lambda: LMCSC(LMCSCConfig(**{**whole, "threshold": 0.3, "last_zero": True})), 3e-3),
        "LMCSC": (lambda: LMCSC(LMCSCConfig(**whole, **pulled)), 3e-3),
        "dual-state": (lambda: DualState(DualStateConfig(**grown, **pulled)), 3e-3),
    }
    found = {}
    for name, (make, rate) in makers.items():
        torch.manual_seed(0)
        network = make()
        channels_last(network)
        found[name] = network, rate
    return found


def made(network: nn.Module, photograph: Photograph) -> Tensor:
    """The network's image of a photograph or a patch, (1, j, i)."""
    return stacked(network, [photograph])[0]


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


def trained(network: nn.Module, rate: float, photographs: list[Photograph], settings: argparse.Namespace) -> float:
    """Seconds of processor time; the same patches for every network."""
    generator = torch.Generator().manual_seed(1)
    optimiser = torch.optim.Adam(network.parameters(), rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=settings.steps, pct_start=0.1)
    start = time.process_time()
    for _ in range(settings.steps):
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


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--patch", type=int, default=48, help="pixels along an edge, a multiple of 4")
    parser.add_argument("--clip", type=float, default=0.4)
    parser.add_argument("--only", nargs="*", default=[], help="names of the table")
    settings = parser.parse_args()
    torch.set_num_threads(1)
    training, testing = ([Photograph.read(name) for name in names] for names in (TRAINING, TESTING))
    print(f"{'network':22}{'parameters':>11}{'seconds':>9}{'PSNR':>8}{'sd':>6}  " + "  ".join(TESTING))

    def line(name: str, count: int, seconds: float, images: list[Tensor]) -> None:
        found = ratios(images, testing)
        each = "  ".join(f"{value:{len(photograph)}.2f}" for value, photograph in zip(found, TESTING, strict=True))
        print(f"{name:22}{count:11d}{seconds:9.0f}{found.mean():8.2f}{found.std(ddof=1):6.2f}  {each}", flush=True)

    line("bicubic", 0, 0.0, [p.interpolated for p in testing])
    for name, (network, rate) in candidates().items():
        if not settings.only or name in settings.only:
            seconds = trained(network, rate, training, settings)
            with torch.inference_mode():
                images = [made(network, photograph) for photograph in testing]
            line(name, sum(p.numel() for p in network.parameters()), seconds, images)


if __name__ == "__main__":
    main()
