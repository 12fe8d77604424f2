"""The MRML work that all modules of MedSR share: volume nodes to images and back, jobs in their own process.

No Qt and no MedSRLib in here: it runs in Slicer, and without its window on the MRML library of `slicer-core`.
"""
