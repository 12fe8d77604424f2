"""Where and how numbers are computed: device, precision, memory budget, seed.

Chosen once, by the job, and passed down; no method chooses for itself and none falls back in silence.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from MedSRLib.errors import OptionError, ResourceError

if TYPE_CHECKING:
    import torch

PRECISIONS = ("auto", "float32", "bfloat16", "float16")
DEFAULT_MEMORY_GB = 2.5
"""Working memory a job may use beside the interpreter and its libraries."""


@dataclass(frozen=True)
class Runtime:
    """Device, precision, memory budget and seed of one job.

    Attributes:
        device: "cpu", "cuda:0", "mps".
        precision: "float32", "bfloat16" or "float16": of the large matrix products; sums stay in float32.
        memory_bytes: working memory the job may use on the device.
        seed: of every random generator.
    """

    device: str = "cpu"
    precision: str = "float32"
    memory_bytes: int = int(DEFAULT_MEMORY_GB * 2**30)
    seed: int = 0

    @property
    def dtype(self) -> torch.dtype:
        """The torch type of ``precision``."""
        import torch

        return {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}[self.precision]


def choose(device: str = "auto", precision: str = "auto", memory_gb: float | None = None, seed: int = 0) -> Runtime:
    """Settle device, precision and budget from what the user asked for and what the machine has.

    "auto" takes a GPU that passes a small kernel, else the CPU; and 16-bit matrix products where the
    hardware has them. What is asked for by name is given or refused, never replaced.

    Raises:
        OptionError: for a name that does not exist.
        ResourceError: for a device that is not there or does not work.
    """
    if precision not in PRECISIONS:
        raise OptionError(f"There is no precision '{precision}'.", "", f"Use one of: {', '.join(PRECISIONS)}.")
    if memory_gb is not None and not 0.25 <= memory_gb <= 4096:
        raise OptionError(f"A memory budget of {memory_gb} GB cannot be used.", "", "Give between 0.25 and 4096 GB.")
    name = _usable_device(device)
    if precision == "auto":
        precision = "bfloat16" if has_fast_bfloat16(name) else "float32"
    return Runtime(name, precision, int((memory_gb or DEFAULT_MEMORY_GB) * 2**30), seed)


def has_fast_bfloat16(device: str) -> bool:
    """Whether the device multiplies bfloat16 matrices in hardware."""
    import torch

    if device.startswith("cuda"):
        return torch.cuda.get_device_capability(torch.device(device)) >= (8, 0)
    if device == "cpu":
        cpu = torch.cpu
        probes = ("_is_amx_tile_supported", "_is_avx512_bf16_supported")
        return any(getattr(cpu, probe, lambda: False)() for probe in probes)
    return False


def _usable_device(device: str) -> str:
    import torch

    if device == "auto":
        for candidate in ("cuda:0", "mps"):
            if _is_built(candidate) and failure(candidate) is None:
                return candidate
        return "cpu"
    try:
        kind = torch.device(device).type
    except RuntimeError as error:
        raise OptionError(f"There is no device '{device}'.", "", "Use auto, cpu, cuda, cuda:1 or mps.") from error
    if kind not in ("cpu", "cuda", "mps"):
        raise OptionError(f"MedSR does not run on '{device}'.", "", "Use auto, cpu, cuda, cuda:1 or mps.")
    if kind == "cpu":
        return "cpu"
    name = "cuda:0" if device == "cuda" else device
    reason = failure(name) if _is_built(name) else "This installation of torch sees no such device."
    if reason is not None:
        raise ResourceError(
            f"The device '{device}' cannot be used.",
            reason,
            "Use --device cpu, or install a build of torch that supports your GPU.",
        )
    return name


def _is_built(device: str) -> bool:
    import torch

    return torch.cuda.is_available() if device.startswith("cuda") else torch.backends.mps.is_available()


def failure(device: str) -> str | None:
    """Why a small kernel fails on the device, or None: a new GPU under an old build fails only here."""
    import torch

    try:
        torch.ones(2, 2, device=device).mm(torch.ones(2, 2, device=device)).sum().item()
    except (RuntimeError, AssertionError) as error:
        return f"A small test computation failed: {str(error).splitlines()[0]}"
    return None


@contextmanager
def memory_errors(size: Sequence[int]) -> Iterator[None]:
    """Says what to do when memory runs out over a result of this size; torch tells it by a RuntimeError."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        text = str(error).lower()
        if not isinstance(error, MemoryError) and "memory" not in text and "bad_alloc" not in text:
            raise
        raise ResourceError(
            "There is not enough memory.",
            f"The result has {' × '.join(str(n) for n in size)} voxels.",
            "Use a smaller scale, or crop the image.",
        ) from error
