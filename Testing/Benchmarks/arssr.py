"""Time ArSSR three ways in one run, print the figures and write them as JSON: ``make bench``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from MedSRLib.bench.arssr import run
from MedSRLib.inference.runtime import choose
from MedSRLib.progress import Progress


def main(folder: Path) -> None:
    """Benchmark size 64, scale 2 and leave ``arssr.json`` in the folder."""
    found = run(64, 2.0, runtime=choose(), progress=Progress())
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(found, indent=2)
    (folder / "arssr.json").write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "bench-output"))
