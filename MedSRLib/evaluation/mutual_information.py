"""How much two images say about each other, whatever their intensity scales: mutual information.

    H(X) = -Σ p(x) ln p(x),   MI = H(X) + H(Y) - H(X, Y) nats
    NMI = (H(X) + H(Y)) / H(X, Y)            1 for independent images, 2 for identical ones

from the joint histogram (Maes et al. 1997, doi:10.1109/42.563664; normalised: Studholme et al. 1999,
doi:10.1016/S0031-3203(98)00091-0). Each image is cut into ``bins`` equal bins from its own minimum to its own
maximum, within the mask if there is one. For images of different contrast, where PSNR and SSIM say nothing.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

BINS = 100


def mutual_information(
    reference: np.ndarray, image: np.ndarray, *, mask: np.ndarray | None = None, bins: int = BINS, device: str = "cpu"
) -> float:
    """Mutual information in nats; 0 if either image is constant.

    Args:
        reference, image: (k, j, i), same shape.
        mask: bool (k, j, i), the voxels that count.
        bins: of each axis of the joint histogram.
        device: "cpu" or a GPU.
    """
    joint = _joint(reference, image, mask, bins, device)
    return max(0.0, _entropy(joint.sum(0)) + _entropy(joint.sum(1)) - _entropy(joint))


def normalised_mutual_information(
    reference: np.ndarray, image: np.ndarray, *, mask: np.ndarray | None = None, bins: int = BINS, device: str = "cpu"
) -> float:
    """Normalised mutual information, 1 to 2; NaN if both images are constant. Arguments as above."""
    joint = _joint(reference, image, mask, bins, device)
    together = _entropy(joint)
    return (_entropy(joint.sum(0)) + _entropy(joint.sum(1))) / together if together > 0 else float("nan")


def _joint(x: np.ndarray, y: np.ndarray, mask: np.ndarray | None, bins: int, device: str) -> Tensor:
    """Shares of the voxels by bin of the reference and of the image, float64 (bins, bins), sum one."""
    places = [_bin(a if mask is None else a[mask], bins, device) for a in (x, y)]
    counts = torch.bincount(places[0] * bins + places[1], minlength=bins * bins)
    return (counts.double() / places[0].numel()).view(bins, bins)


def _bin(values: np.ndarray, bins: int, device: str) -> Tensor:
    """The bin of each value, flat; the maximum belongs to the last bin, and a constant is all in the first."""
    tensor = torch.from_numpy(np.array(values, dtype=np.float64)).to(device).flatten()
    low, high = tensor.min(), tensor.max()
    if low == high:
        return torch.zeros_like(tensor, dtype=torch.int64)
    return ((tensor - low) * (bins / (high - low))).long().clamp_(max=bins - 1)


def _entropy(shares: Tensor) -> float:
    return float(-torch.xlogy(shares, shares).sum())
