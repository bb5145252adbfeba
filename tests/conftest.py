"""Fixtures that several test files share."""

import os
from pathlib import Path

import pytest
from helpers.mini_coco import write_mini_coco
from helpers.paths import ROOT
from mmengine.logging import MMLogger
from mmengine.visualization import Visualizer


@pytest.fixture(autouse=True)
def no_visualizer_of_another_test() -> None:
    """MMEngine's hooks take the visualizer made last in this process, be it an inferencer's of an earlier test."""
    Visualizer._instance_dict.clear()


@pytest.fixture(autouse=True, scope='module')
def no_logger_of_another_module() -> None:
    """MMEngine writes into the file of the logger made last, which a web server's logging may have closed since."""
    MMLogger._instance_dict.clear()


@pytest.fixture(scope='session')
def real_data() -> Path:
    """Folder of real photographs, which the project does not hold; a test that uses it skips where it is absent."""
    folder = Path(os.environ.get('HANDKP_REAL_DATA', ROOT / 'data' / 'real'))
    if not folder.is_dir():
        pytest.skip(f'no real photographs at {folder} (HANDKP_REAL_DATA names another folder)')
    return folder


@pytest.fixture
def mini_coco(tmp_path: Path) -> Path:
    """A miniature OneHand10K: path of the annotation file, images beside it."""
    return write_mini_coco(tmp_path / 'mini')
