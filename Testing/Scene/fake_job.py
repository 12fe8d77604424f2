"""A job that computes nothing: replays the steps of a JSON file, called as a real job is.

{"out": LINE}  {"err": LINE}  {"event": {...}}     written to standard output, error, output
{"result": true}                                   the input is copied to the output
{"wait": "cancel"}                                 until the cancel file appears
{"wait": "for ever", "deaf": true}                 and SIGTERM is not heard
{"exit": CODE}
"""

from __future__ import annotations

import json
import shutil
import signal
import sys
import time
from pathlib import Path


def main(script: str, job_file: str, cancel_file: str) -> int:
    job = json.loads(Path(job_file).read_text(encoding="utf-8"))
    for step in json.loads(Path(script).read_text(encoding="utf-8")):
        if "out" in step:
            print(step["out"], flush=True)
        elif "err" in step:
            print(step["err"], file=sys.stderr, flush=True)
        elif "event" in step:
            print(json.dumps(step["event"], ensure_ascii=False), flush=True)
        elif "result" in step:
            shutil.copy(job["inputs"]["image"], job["outputs"]["image"])
        elif "wait" in step:
            _wait(step, Path(cancel_file))
        elif "exit" in step:
            return int(step["exit"])
    return 0


def _wait(step: dict[str, object], cancel_file: Path) -> None:
    if step.get("deaf"):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print(json.dumps({"event": "stage", "name": "Waiting"}), flush=True)
    while step["wait"] != "cancel" or not cancel_file.exists():
        time.sleep(0.01)


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")
    _, script, _, _, job_file, _, cancel_file = sys.argv
    sys.exit(main(script, job_file, cancel_file))
