"""Module `SampleData`: sources are registered and kept; nothing is downloaded but what is a local file."""

from __future__ import annotations

import types
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

import slicer

sources: dict[str, dict[str, Any]] = {}
"""The registered sources by sample name."""
categories: list[str] = []
files: dict[str, str] = {}
"""Local files in the place of web addresses, set by tests."""


class SampleDataLogic:
    """As Slicer's, for registered sources."""

    @staticmethod
    def registerCustomSampleDataSource(
        category: str = "Custom",
        sampleName: str | None = None,
        uris: Any = None,
        fileNames: Any = None,
        nodeNames: Any = None,
        customDownloader: Any = None,
        thumbnailFileName: str | None = None,
        loadFileType: Any = None,
        loadFiles: Any = None,
        loadFileProperties: dict[str, Any] | None = None,
        checksums: Any = None,
    ) -> None:
        if thumbnailFileName is not None and not Path(thumbnailFileName).is_file():
            raise FileNotFoundError(thumbnailFileName)
        sources[str(sampleName)] = {
            "category": category,
            "uris": [uris] if isinstance(uris, str) else list(uris or ()),
            "nodeNames": [nodeNames] if isinstance(nodeNames, str) else list(nodeNames or ()),
            "fileNames": fileNames,
            "checksums": checksums,
            "customDownloader": customDownloader,
        }

    @staticmethod
    def registerCustomSampleDataCategory(title: str, name: str = "") -> None:
        categories.append(title)

    def downloadSample(self, sampleName: str) -> Any:
        return self.downloadSamples(sampleName)[0]

    def downloadSamples(self, sampleName: str) -> list[Any]:
        source, nodes = sources[sampleName], []
        if source["customDownloader"] is not None:
            return list(source["customDownloader"](source) or ())
        for uri, name in zip(source["uris"], source["nodeNames"], strict=True):
            path = files.get(uri) or unquote(urlparse(uri).path)
            nodes.append(slicer.util.loadVolume(path, {"name": name}))
        return nodes


def module() -> types.ModuleType:
    found = types.ModuleType("SampleData")
    found.SampleDataLogic = SampleDataLogic  # type: ignore[attr-defined]
    return found
