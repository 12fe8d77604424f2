

def test_shot(panel, volume, module, scene):
    import slicer

    volume.SetName("T2w TSE tra")
    import vtk

    im = vtk.vtkImageData()
    im.SetDimensions(384, 384, 24)
    im.AllocateScalars(vtk.VTK_SHORT, 1)
    volume.SetAndObserveImageData(im)
    volume.SetSpacing(0.6, 0.6, 4.0)
    panel._parameterNode.inputVolume = volume
    slicer.app.processEvents()
    panel.host.resize(430, panel.host.sizeHint().height())
    panel.host.show()
    for _ in range(5):
        slicer.app.processEvents()
    panel.host.resize(430, 640)
    slicer.app.processEvents()
    panel.host.grab().save("/tmp/panel.png")
    panel._parameterNode.method = "arssr"
    panel._parameterNode.goal = "scale"
    panel._view.begin("x")
    panel._view.hear({"event": "stage", "name": "Decoding"})
    panel._view.hear({"event": "progress", "fraction": 0.63, "eta_s": 14})
    for _ in range(5):
        slicer.app.processEvents()
    panel.host.grab().save("/tmp/panel2.png")
