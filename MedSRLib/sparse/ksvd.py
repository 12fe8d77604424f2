"""K-SVD: a dictionary whose sparse combinations come nearest to given samples.

M. Aharon, M. Elad, A. Bruckstein, IEEE Trans. Signal Process. 54(11), 2006, doi:10.1109/TSP.2006.881199, in the
approximate form of R. Rubinstein et al., Technion CS-2008-08, which the toolbox of the super-resolution papers uses:

    codes by `pursuit.batch_omp`; then for every atom d with the coefficients γ of the samples that use it, and their
    residual E without it:   d ← E γ / ‖E γ‖,   γ ← Eᵀ d

Atoms that no sample uses are replaced by the samples that are met worst.
"""

from __future__ import annotations

import torch
from torch import Tensor

from MedSRLib.sparse.codes import Codes
from MedSRLib.sparse.pursuit import batch_omp


def first_atoms(samples: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """Different random samples of length 1 as columns: (d, count), drawn from those that are not zero.

    Args:
        samples: (n, d).
        count: atoms.
        generator: on the CPU.

    Raises:
        ValueError: if there are fewer samples than atoms.
    """
    norms = samples.norm(dim=1)
    usable = torch.nonzero(norms > 1e-3 * norms.mean())[:, 0]
    if len(usable) < count:
        raise ValueError(f"{len(usable)} samples cannot be {count} atoms")
    drawn = usable[torch.randperm(len(usable), generator=generator)[:count].to(usable.device)]
    return (samples[drawn] / norms[drawn, None]).T.contiguous()


def improved(dictionary: Tensor, samples: Tensor, sparsity: int) -> tuple[Tensor, float]:
    """One iteration.

    Args:
        dictionary: (d, atoms), columns of length 1; left as it is.
        samples: (n, d).
        sparsity: atoms a sample.

    Returns:
        The new dictionary, and the root mean square of what it leaves of a sample's entries.
    """
    codes = batch_omp(dictionary, samples, sparsity)
    dictionary, residual = update_atoms(dictionary, samples, codes)
    return dictionary, float(residual.square().mean().sqrt())


def update_atoms(dictionary: Tensor, samples: Tensor, codes: Codes) -> tuple[Tensor, Tensor]:
    """Every atom with its coefficients in turn, the other atoms fixed; the new dictionary and residual (n, d)."""
    atoms = dictionary.T.clone()
    residual = samples - codes.combined(dictionary)
    values = codes.values.reshape(-1).clone()
    order = torch.argsort(codes.atoms.reshape(-1), stable=True)
    counts = torch.bincount(codes.atoms.reshape(-1), minlength=len(atoms))
    unused = []
    for number, places in enumerate(order.split(counts.tolist())):
        if len(places) == 0:
            unused.append(number)
            continue
        rows, old = places // codes.atoms.shape[1], values[places]
        without = residual[rows] + old[:, None] * atoms[number]
        new = old @ without
        atoms[number] = new / new.norm().clamp_min(1e-12)
        values[places] = without @ atoms[number]
        residual[rows] = without - values[places, None] * atoms[number]
    if unused:
        worst = residual.square().sum(1).topk(len(unused)).indices
        atoms[unused] = samples[worst] / samples[worst].norm(dim=1, keepdim=True).clamp_min(1e-12)
    return atoms.T.contiguous(), residual
