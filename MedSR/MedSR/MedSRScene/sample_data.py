"""A sample for the module Sample Data: a head as a quick scan shows it, and the fine one it was made of.

Slicer's own MRHead is taken and its slices are averaged in groups, as thick slices average what they cover. So the
truth is at hand. Slicer loads this file at its start, so what is slow to import is imported when it is used.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from slicer import vtkMRMLScalarVolumeNode

SAMPLE = "MRHead with 4 mm slices"
_THICKNESS_MM = 4.0


def thickened(node: vtkMRMLScalarVolumeNode, name: str, thicknessMm: float) -> vtkMRMLScalarVolumeNode:
    """A new volume of the same type whose slices (along k) are means of neighbours; voxel edges stay in place.

    Args:
        node: is not changed.
        name: of the new volume.
        thicknessMm: the nearest multiple of the slices' spacing is taken, at most the whole volume; slices left over
            at the end have no part in it.
    """
    import numpy as np
    import SimpleITK as sitk

    from MedSRScene import volumes

    image = volumes.image_of(node)
    x, y, z = image.GetSpacing()
    factor = min(max(round(thicknessMm / z), 1), image.GetSize()[2])
    array = sitk.GetArrayViewFromImage(image)
    groups = len(array) // factor
    means = array[: groups * factor].reshape(groups, factor, *array.shape[1:]).mean(axis=1)
    whole = np.issubdtype(array.dtype, np.integer)
    thick = sitk.GetImageFromArray((np.rint(means) if whole else means).astype(array.dtype))
    thick.SetSpacing((x, y, z * factor))
    thick.SetDirection(image.GetDirection())
    thick.SetOrigin(image.TransformContinuousIndexToPhysicalPoint((0.0, 0.0, (factor - 1) / 2)))
    return volumes.show(thick, node.GetScene(), name=name, beside=node)


def download(source: Any = None) -> list[Any]:
    """What Sample Data calls: MRHead from Slicer's own samples, and the volume of thick slices made of it."""
    import SampleData

    head = SampleData.SampleDataLogic().downloadMRHead()
    return [thickened(head, SAMPLE, _THICKNESS_MM), head]


def register(thumbnail: Path | str) -> None:
    """Offer the sample in the module Sample Data.

    Args:
        thumbnail: path of its picture.
    """
    import SampleData

    SampleData.SampleDataLogic.registerCustomSampleDataSource(
        category="MedSR",
        sampleName=SAMPLE,
        thumbnailFileName=str(thumbnail),
        uris=[],
        fileNames=[],
        nodeNames=[],
        customDownloader=download,
    )
