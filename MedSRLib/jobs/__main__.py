"""``python -m MedSRLib.jobs JOB.json``: run one job without the packages the ``medsr`` command needs."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from MedSRLib.jobs import process


def main() -> int:
    """Run the job named on the command line and return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m MedSRLib.jobs", description="Run one MedSR job.")
    parser.add_argument("job", type=Path, help="the job file (JSON)")
    parser.add_argument("--cancel-file", type=Path, help="the job stops when this file appears")
    arguments = parser.parse_args()
    return process.stream(arguments.job, arguments.cancel_file)


if __name__ == "__main__":
    sys.exit(main())
