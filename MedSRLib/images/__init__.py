"""SimpleITK images: reading and writing, checking, arrays, frames and axis order.

reading      files and DICOM series in, with what ITK lets pass refused
writing      whole or not at all, with provenance
checking     what is no usable scalar 3D or 4D image; repair of NaN and Inf
arrays       images <-> arrays (k, j, i), pixel types, the frames of 4D images
slices       how thick they are
orientation  voxels in the axis order and signs nearest to LPS, and back
"""

from MedSRLib.files import stem
from MedSRLib.images.arrays import frames, from_array, join, restored_type, to_array
from MedSRLib.images.checking import check, check_volume, prepared
from MedSRLib.images.orientation import Reorientation, canonical
from MedSRLib.images.reading import read
from MedSRLib.images.slices import THICKNESS_KEY, keep_thickness, slice_thickness
from MedSRLib.images.writing import check_sidecar, check_suffix, sidecar, write

__all__ = [
    "THICKNESS_KEY",
    "Reorientation",
    "canonical",
    "check",
    "check_sidecar",
    "check_suffix",
    "check_volume",
    "frames",
    "from_array",
    "join",
    "keep_thickness",
    "prepared",
    "read",
    "restored_type",
    "sidecar",
    "slice_thickness",
    "stem",
    "to_array",
    "write",
]
