"""Names of files and series tell what they show, in the ways scanners and people write it."""

from __future__ import annotations

import pytest

from MedSRLib import modalities


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("t1w.nii.gz", "T1w"),
        ("sub-01_T2w.nii.gz", "T2w"),
        ("AXT2_FLAIR.nrrd", "FLAIR"),
        ("t2_space_dark-fluid_sag", "FLAIR"),
        ("MPRAGE_iso.nii", "T1w"),
        ("s3DT1.mha", "T1w"),
        ("T1 after T2", "T1w"),
        ("pd_tse.nii.gz", "PD"),
        ("ct head", "CT"),
        ("patient1.nii.gz", ""),
        ("scan_t10.nii.gz", ""),
        ("direct.nii.gz", ""),
    ],
)
def test_a_name_tells_what_is_shown(name: str, shown: str) -> None:
    assert modalities.of_name(name) == shown
