"""The parts of the panel of MedSR Train: data, what is made of it, the run, and how each is told.

MedSRLib and MedSRPanel are imported inside functions only: Slicer loads the module before its packages are
installed, and before MedSR's own folder is on the path.
"""
