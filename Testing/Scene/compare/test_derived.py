"""What a comparison made is gone after it, and nothing else is."""

from __future__ import annotations


def test_all_that_was_made_is_removed_with_its_helpers(headless, world_volume, views):
    import slicer
    from MedSRScene import compositions, derived, differences, layouts, plots
    from MedSRScene import views as comparison

    scene, volumes = headless.scene, [world_volume(name=name) for name in "ab"]
    plan = layouts.Plan(["a"])
    views(plan)
    before = _ids(scene)
    mixed = compositions.checkerboard(*volumes)
    logic = slicer.vtkSlicerColorLogic()
    logic.SetMRMLScene(scene)
    differences.dress(mixed, 10, colorsLogic=logic)
    plots.Plot(scene, "profile").update({"a": [1.0, 2.0]}, [0.0, 1.0])
    comparison.show(scene, headless.application, plan, [mixed.GetID()])
    assert _ids(scene) > before
    made = [scene.GetNodeByID(node_id) for node_id in _ids(scene) - before]
    assert not any(node.GetSaveWithScene() for node in made if not node.IsA("vtkMRMLSliceDisplayNode"))
    derived.clear(scene)
    assert _ids(scene) == before
    assert comparison.composites(scene, plan)[0].GetBackgroundVolumeID() is None
    logic.SetMRMLScene(None)


def test_derived_nodes_are_not_saved_and_nothing_is_shared_away(scene, world_volume):
    from MedSRScene import derived

    node, other = world_volume(name="made"), world_volume(name="kept")
    node.SetAndObserveDisplayNodeID(other.GetDisplayNodeID())
    derived.mark(node)
    assert not node.GetSaveWithScene()
    assert [each.GetName() for each in derived.nodes(scene)] == ["made"]
    derived.clear(scene)
    assert other.GetDisplayNode() is not None


def _ids(scene):
    return {scene.GetNthNode(number).GetID() for number in range(scene.GetNumberOfNodes())}
