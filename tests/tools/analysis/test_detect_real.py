"""The check of detectors on real pictures: what counts as found, by picture and by source, and what is drawn."""

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np
import pytest
from helpers.tool_module import load_tool

from handkp_plugins.apis.detection import Detections
from handkp_plugins.engine.checkpoint.model_card import write_card
from handkp_plugins.structures.skeleton import JOINT_ORDERS

BOXES = [[10, 20, 50, 40], [70, 20, 20, 40], [30, 10, 40, 50]]
"""(x, y, width, height) of two hands in the first picture, and one in the second."""


@pytest.fixture(scope='module')
def tool() -> ModuleType:
    return load_tool('analysis/detect_real')


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / 'data' / 'onehand10k'
    folder.mkdir(parents=True)
    keypoints = np.ones((len(JOINT_ORDERS['onehand10k']), 3))
    annotations = [
        dict(
            id=i, image_id=i // 2, category_id=1, bbox=box, keypoints=(keypoints * [box[0], box[1], 1]).ravel().tolist()
        )
        for i, box in enumerate(BOXES)
    ]
    images = [dict(id=i, file_name=f'{i}.png', width=100, height=80) for i in range(2)]
    for i in range(2):
        cv2.imwrite(str(folder / f'{i}.png'), np.full((80, 100, 3), 40 + i, np.uint8))
    labels = dict(images=images, annotations=annotations, categories=[dict(id=1, name='hand')])
    (folder / 'test_onehand10k.json').write_text(json.dumps(labels))
    return tmp_path / 'data'


class Fake:
    """A detector that knows the first hand, nearly the third, and takes something else for a hand."""

    def __call__(self, image: np.ndarray) -> Detections:
        boxes = [[10, 20, 60, 60], [0, 0, 5, 5]] if image[0, 0, 0] == 40 else [[50, 10, 90, 60]]
        return Detections(np.array(boxes, np.float32), np.linspace(0.9, 0.5, len(boxes)), [None] * len(boxes))


def test_what_is_found(tool: ModuleType, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any):
    given = []
    monkeypatch.setattr(tool, 'init_detector', lambda *arguments: given.append(arguments) or Fake())
    document = tool.main('x.py', tmp_path / 'x.pth', data=data, output=tmp_path / 'out', device='cpu', score_thr=0.4)
    (source,) = document['sources']
    assert given == [('x.py', tmp_path / 'x.pth', 'cpu', 0.4)]
    # the third box is moved by half of its width: an IoU of a third
    assert [record['iou'] for record in source['records']] == [[1.0, 0.0], [pytest.approx(1 / 3, abs=1e-3)]]
    assert (source['images'], source['hands'], source['found'], source['others']) == (2, 3, 1, 2)
    assert json.loads((tmp_path / 'out' / 'detect_real.json').read_text())['sources'] == [source]
    assert cv2.imread(str(tmp_path / 'out' / 'onehand10k.jpg')) is not None
    printed = capsys.readouterr().out
    assert 'OneHand10K sample  accuracy' in printed
    assert source['loose'] is False
    card = write_card('x', {}, {}, [document], detects=True)
    assert '| OneHand10K sample | accuracy | 2 | 3 | 1 | 0.44 | 2 |' in card and 'Boxes of hands: `handkp://x`' in card


def test_labels_found_are_white_and_others_red(tool: ModuleType):
    labels = np.array([[10, 20, 60, 60], [70, 20, 90, 60]], np.float32)
    drawn = tool.draw_boxes(np.zeros((80, 100, 3), np.uint8), labels, np.array([0.5, 0.4]), labels[:0], np.zeros(0))
    assert drawn.shape == (256, 320, 3)
    assert [tuple(drawn[round(3.2 * 40), round(3.2 * x)].tolist()) for x in (10, 70)] == [tool._WHITE, tool._RED]
    drawn = tool.draw_boxes(np.zeros((80, 100, 3), np.uint8), labels[:1], np.ones(1), labels[1:], np.ones(1))
    assert tuple(drawn[round(3.2 * 40), round(3.2 * 70)].tolist()) == tool._GREEN


def test_the_detector_is_named_in_one_way(tool: ModuleType, data: Path):
    for given in (dict(), dict(config='x.py'), dict(config='x.py', checkpoint='x.pth', weights='hand_detector')):
        with pytest.raises(ValueError, match='network: expected NAME .*, or CONFIG and CHECKPOINT, got'):
            tool.main(**given, data=data)
    with pytest.raises(ValueError, match='--every: expected an integer from 1 on, got 0'):
        tool.main(weights='hand_detector', data=data, every=0)


def test_shipped_detector_on_the_samples(tool: ModuleType, real_data: Path, tmp_path: Path):
    """Of MMPose's samples the great hands before a wall or a landscape are found."""
    document = tool.main(weights='hand_detector', data=real_data, output=tmp_path, every=100)
    found = {s['key']: (s['found'], s['hands']) for s in document['sources']}
    assert found['freihand'][0] >= 0.5 * found['freihand'][1]
