"""Labels of a network for a file of hands."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers.tool_module import load_tool

from handkp_plugins.apis.inference import init_shipped_model, predict


@pytest.fixture(scope='module')
def tool():
    return load_tool('pseudo_label')


def write(folder: Path, **more: object) -> Path:
    """Two images: two hands in the first, none in the second."""
    for name in ('a.png', 'b.png'):
        noise = np.random.default_rng(len(name)).integers(0, 255, (80, 100, 3), np.uint8)
        cv2.imwrite(str(folder / name), cv2.GaussianBlur(noise, (0, 0), 3))
    hands = [dict(id=i, image_id=0, bbox=[10 + 20 * i, 5, 60, 60]) for i in range(2)]
    hands[0] |= dict(keypoints=[30, 30, 2] * 21) | more
    images = [dict(id=0, file_name='a.png'), dict(id=1, file_name='b.png')]
    path = folder / 'hands.json'
    path.write_text(json.dumps(dict(images=images, annotations=hands, info=dict(kept='yes'))))
    return path


def test_labels_are_what_the_network_finds(tool, tmp_path, capsys) -> None:
    path = write(tmp_path)
    assert tool.main(path, tmp_path, tmp_path / 'out.json', device='cpu') == 2
    written, before = json.loads((tmp_path / 'out.json').read_text()), json.loads(path.read_text())
    boxes = np.array([[10, 5, 70, 65], [30, 5, 90, 65]], float)
    found = predict(init_shipped_model('lite', 'cpu'), cv2.imread(str(tmp_path / 'a.png')), boxes)
    for annotation, hand in zip(written['annotations'], found, strict=True):
        labels = np.array(annotation.pop('pseudo_keypoints'))
        assert labels.shape == (21, 3) and np.allclose(labels[:, :2], hand['keypoints'], atol=0.02)
        assert np.allclose(labels[:, 2], hand['scores'].clip(0, 1), atol=1e-3)
    assert written == before
    distance = np.median(np.linalg.norm(found[0]['keypoints'] - 30, axis=1))
    printed = capsys.readouterr().out
    assert '2 hands, mean confidence' in printed and f'true keypoints: {distance:.1f} px' in printed


def test_bad_input_is_named(tool, tmp_path) -> None:
    path = write(tmp_path, bbox=[500, 5, 60, 60])
    with pytest.raises(ValueError, match='a.png: bboxes: expected boxes that touch the image of 100x80 px'):
        tool.main(path, tmp_path, tmp_path / 'out.json', device='cpu')
    with pytest.raises(FileNotFoundError, match='a.png'):
        tool.main(path, tmp_path / 'nowhere', tmp_path / 'out.json', device='cpu')
    assert not (tmp_path / 'out.json').exists()
