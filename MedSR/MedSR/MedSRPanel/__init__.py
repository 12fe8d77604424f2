"""What the panel of MedSR knows and says, without Qt: packages, methods, models, grids, in the user's words.

MedSRLib is imported inside functions only: Slicer loads the module before its packages are installed.
"""
