"""The demo with its options by name, as on the command line."""

from pathlib import Path
from typing import Any

import cv2
import pytest
from PIL import ImageFile

from handkp_plugins.apps.demo.demo import run_demo
from handkp_plugins.apps.demo.options import group_options


def demo(source: str | Path, output: Path, **options: Any) -> dict[str, Any]:
    """Run the demo; returns what ``keypoints.json`` holds."""
    return run_demo(source, output, **group_options(**options))


def count_decodes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that grows with each image that OpenCV or Pillow decodes from now on."""
    decodes: list[str] = []

    def count(owner: Any, name: str) -> None:
        decode = getattr(owner, name)

        def counted(*args: Any, **options: Any) -> Any:
            decodes.append(name)
            return decode(*args, **options)

        monkeypatch.setattr(owner, name, counted)

    for owner, name in ((cv2, 'imdecode'), (cv2, 'imread'), (ImageFile.ImageFile, 'load')):
        count(owner, name)
    return decodes
