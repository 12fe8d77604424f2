"""Thick slices made of thin ones lie where the thin ones lay."""

from __future__ import annotations

import sys
import types

import numpy as np
import pytest
from MedSRScene import places, sample_data

POSE = np.array([[0.6, -0.8, 0, 5], [0.8, 0.6, 0, -7], [0, 0, 1, 3], [0, 0, 0, 1.0]])


def test_every_thick_slice_is_the_mean_of_its_thin_ones(make_volume):
    node = make_volume("left-handed")
    fine = places.voxels(node).copy()
    thick = sample_data.thickened(node, "thick", 5.0)
    np.testing.assert_array_equal(places.voxels(node), fine)
    assert thick.GetSpacing() == pytest.approx((0.9, 1.1, 5.0))
    assert thick.GetImageData().GetDimensions() == (13, 10, 3)  # the seventh slice has no neighbour
    means = fine[:6].reshape(3, 2, 10, 13).mean(axis=1)
    np.testing.assert_array_equal(places.voxels(thick), np.rint(means))
    assert places.voxels(thick).dtype == fine.dtype


def test_thick_slices_lie_in_the_middle_of_their_thin_ones(make_volume, make_transform):
    node = make_volume("oblique")
    node.SetAndObserveTransformNodeID(make_transform(POSE).GetID())
    thick = sample_data.thickened(node, "thick", 5.0)
    of_thick = places.world(np.array([[0, 0, 0], [12, 9, 2], [3, 4, 1]]), thick)
    of_thin = places.world(np.array([[0, 0, 0.5], [12, 9, 4.5], [3, 4, 2.5]]), node)
    np.testing.assert_allclose(of_thick, of_thin, atol=1e-9)


def test_a_part_of_a_whole_stays_where_it_is(make_volume):
    node = make_volume("oblique", first=(2, 0, 3))
    thick = sample_data.thickened(node, "thick", 5.0)
    first = places.world(np.array([[2, 0, 3.5]]), node)
    np.testing.assert_allclose(places.world(np.zeros((1, 3)), thick), first, atol=1e-9)


def test_thicker_than_the_volume_is_one_slice(make_volume):
    assert sample_data.thickened(make_volume(), "thick", 500.0).GetImageData().GetDimensions() == (13, 10, 1)


def test_the_sample_is_registered_and_made_of_slicers_own(make_volume, monkeypatch, tmp_path):
    node, registered = make_volume(name="MRHead"), {}

    logic = type(
        "SampleDataLogic",
        (),
        {
            "registerCustomSampleDataSource": staticmethod(lambda **given: registered.update(given)),
            "downloadMRHead": lambda self: node,
        },
    )
    monkeypatch.setitem(sys.modules, "SampleData", types.SimpleNamespace(SampleDataLogic=logic))
    sample_data.register(tmp_path / "picture.png")
    assert (registered["category"], registered["sampleName"]) == ("MedSR", "MRHead with 4 mm slices")
    assert registered["thumbnailFileName"].endswith("picture.png")
    thick, fine = registered["customDownloader"](None)
    assert fine is node and thick.GetName() == "MRHead with 4 mm slices"
    assert thick.GetSpacing()[2] == pytest.approx(5.0)  # the multiple of 2.5 mm that is nearest to 4 mm
