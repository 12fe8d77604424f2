"""``python -m MedSRLib.cli``: the ``medsr`` command."""

from MedSRLib.cli import main

main()
