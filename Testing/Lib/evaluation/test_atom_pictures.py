"""Pictures of dictionaries."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from MedSRLib.evaluation import atom_pictures


def test_atoms_stand_in_rows_each_with_its_own_range() -> None:
    atoms = np.stack([np.full((2, 2), 3.0), np.array([[0.5, -1.0], [0.0, 0.25]])])
    picture = atom_pictures.mosaic(atoms)
    tiles = picture[~np.isnan(picture).all(axis=1)][:, ~np.isnan(picture).all(axis=0)]
    assert sorted(tiles.ravel()) == sorted([1, 1, 1, 1, 0.5, -1, 0, 0.25])


def test_a_volume_is_shown_by_its_central_slices() -> None:
    atom = np.arange(1.0, 28).reshape(1, 3, 3, 3)
    picture = atom_pictures.mosaic(atom) * 27
    shown = picture[1:4][:, ~np.isnan(picture).all(axis=0)]
    assert np.allclose(shown, np.concatenate([atom[0, 1], atom[0, :, 1], atom[0, :, :, 1]], axis=1))


def test_a_picture_is_written_whole(tmp_path: Path) -> None:
    path = tmp_path / "filters.png"
    kinds = {"one": np.random.default_rng(0).random((5, 3, 3)), "other": np.zeros((2, 4, 4, 4))}
    atom_pictures.draw(kinds, "tiny", path)
    assert path.read_bytes().startswith(b"\x89PNG")
    assert list(tmp_path.iterdir()) == [path]
