"""Forward models: how a scanner, or a paper, turns the wanted image into the one we have.

`matrices` holds the formulas, one small matrix per axis; `model` the frozen object built from two grids, with
the exact adjoint, pseudo-inverse and proximal operator; `noise` the noise, a separate object; `assumed` what is
supposed of a scan.
"""

from MedSRLib.acquisition.assumed import PHYSICAL, Acquisition
from MedSRLib.acquisition.matrices import KINDS, PROFILES, acquired_size, axis_matrix
from MedSRLib.acquisition.model import AcquisitionModel, acquired_grid, build
from MedSRLib.acquisition.noise import GaussianNoise, Noise, RicianNoise, estimate_sigma

__all__ = [
    "KINDS",
    "PHYSICAL",
    "PROFILES",
    "Acquisition",
    "AcquisitionModel",
    "GaussianNoise",
    "Noise",
    "RicianNoise",
    "acquired_grid",
    "acquired_size",
    "axis_matrix",
    "build",
    "estimate_sigma",
]
