"""What README.md shows can be typed: Python blocks run, commands parse, targets, files and messages exist."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")


def blocks(language: str) -> list[str]:
    """The fenced blocks of a language, without their indentation."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```", README, re.MULTILINE | re.DOTALL)
    return ["\n".join(line.removeprefix(indent) for line in text.splitlines()) for indent, text in found]


def commands() -> Iterator[list[str]]:
    """The words of every command in the shell blocks."""
    for block in blocks("sh"):
        for line in block.splitlines():
            for part in line.split("&&"):
                yield shlex.split(part, comments=True)


def named(words: list[str]) -> str:
    return " ".join(words)


def brain_like() -> sitk.Image:
    """A smooth blob with an edge, of positive intensities, on an oblique grid."""
    k, j, i = np.mgrid[:14, :16, :18]
    distance = np.sqrt((k - 7.0) ** 2 + (j - 8.0) ** 2 + (i - 9.0) ** 2)
    image = sitk.GetImageFromArray((100 / (1 + np.exp(distance - 5)) + 10 * np.cos(i / 3)).astype(np.float32) + 10)
    image.SetSpacing((1.1, 0.9, 1.0))
    image.SetDirection((0.8, -0.6, 0, 0.6, 0.8, 0, 0, 0, 1))
    return image


@pytest.mark.parametrize("code", blocks("python"))
def test_python_blocks_run(code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    sitk.WriteImage(brain_like(), "scan.nii.gz")
    exec(compile(code, "README.md", "exec"), {"__name__": "readme"})


@pytest.mark.parametrize("words", [w for w in commands() if w[0] == "medsr"], ids=named)
def test_medsr_commands_parse(words: list[str]) -> None:
    from typer.main import get_command

    from MedSRLib.cli.app import app

    command, arguments = get_command(app), words[1:]
    while hasattr(command, "commands"):
        assert arguments[0] in command.commands, f"there is no command '{arguments[0]}'"
        command, arguments = command.commands[arguments[0]], arguments[1:]
    command.make_context("medsr", list(arguments))  # refuses unknown options and missing arguments


@pytest.mark.parametrize("words", [w for w in commands() if w[0] == "make"], ids=named)
def test_make_targets_exist(words: list[str]) -> None:
    done = subprocess.run(["make", "-n", *words[1:]], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_every_shell_command_is_one_that_is_checked_here() -> None:
    known = {"medsr", "make", "python3", ".", "pip"}
    assert {words[0] for words in commands()} <= known


def test_the_readme_names_every_method_and_no_other() -> None:
    from MedSRLib.methods import registry

    rows = re.findall(r"^\| `([a-z0-9-]+)` \|", README, re.MULTILINE)
    assert rows == list(registry.BUILTIN)


@pytest.mark.parametrize("extras", re.findall(r'pip install -e "?\.\[([a-z,]+)\]', README))
def test_extras_exist(extras: str) -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert all(re.search(rf"^{extra} = \[", project, re.MULTILINE) for extra in extras.split(","))


def test_recipes_and_protocols_exist() -> None:
    shipped = {path.name for path in (ROOT / "Resources").rglob("*.toml")}
    assert set(re.findall(r"[\w-]+\.toml", README)) <= shipped


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        file, _, anchor = target.partition("#")
        if file.startswith("http"):
            continue
        assert (ROOT / file).exists(), target
        if anchor:
            assert anchor in anchors(file or document), target


def anchors(document: str) -> set[str]:
    """The anchors that a Markdown page gives its headings."""
    text = (ROOT / document).read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("message", re.findall(r"^### `(.*)`$", README, re.MULTILINE))
def test_troubleshooting_quotes_real_messages(message: str) -> None:
    sources = [*(ROOT / "MedSRLib").rglob("*.py"), *(ROOT / "MedSR").rglob("*.py"), ROOT / ".ci" / "setup"]
    pattern = ".{1,80}".join(re.escape(part) for part in message.split("…"))
    assert any(re.search(pattern, source.read_text(encoding="utf-8")) for source in sources)
