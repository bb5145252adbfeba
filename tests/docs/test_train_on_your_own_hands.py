"""docs/own_hands.md works as it is written, on a miniature set whose keypoints are in another order."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers.mini_coco import write_mini_coco
from helpers.paths import ROOT

from handkp_plugins.structures.skeleton import NUM_KEYPOINTS

NAMES = [
    f'{finger}_{joint}'
    for finger in ('LITTLE', 'RING_FINGER', 'MIDDLE_FINGER', 'INDEX_FINGER')
    for joint in ('TIP', 'DIP', 'PIP', 'MCP')
] + ['THUMB_TIP', 'THUMB_IP', 'THUMB_MCP', 'THUMB_CMC', 'WRIST']
"""From the little finger's tip to the wrist: our order from its end."""


def write_set(root: Path) -> dict[str, np.ndarray]:
    """Write images/ and labels.json; returns the keypoints of each image in our order."""
    path = write_mini_coco(root, num_images=20)
    data = json.loads(path.read_text())
    path.unlink()
    expected = {}
    for image, annotation in zip(data['images'], data['annotations'], strict=True):
        image['file_name'] = image['file_name'].removeprefix('images/')
        hand = np.reshape(annotation['keypoints'], (NUM_KEYPOINTS, 3))
        expected[image['file_name']] = hand
        annotation['keypoints'] = hand[::-1].reshape(-1).tolist()
    data['categories'][0]['keypoints'] = NAMES
    (root / 'labels.json').write_text(json.dumps(data))
    return expected


def page_commands() -> list[list[str]]:
    """The commands of the page's bash blocks."""
    blocks = (ROOT / 'docs' / 'own_hands.md').read_text().split('```bash\n')[1:]
    lines = [line for block in blocks for line in block.split('```')[0].splitlines()]
    return [shlex.split(line) for line in lines]


@pytest.mark.slow
def test_the_page(tmp_path: Path):
    """All commands in order, except the training of 20 epochs: that of one epoch takes its place."""
    expected = write_set(tmp_path / 'data' / 'my_hands')
    for folder in ('configs', 'tools'):
        (tmp_path / folder).symlink_to(ROOT / folder)
    environment = dict(os.environ, PYTHONPATH=str(ROOT), CUDA_VISIBLE_DEVICES='', OMP_NUM_THREADS='1')
    commands = page_commands()
    assert [Path(words[1]).name for words in commands] == [
        'reorder_coco.py', 'train.py', 'test.py', 'train.py', 'test.py', 'demo.py'
    ]  # fmt: skip
    for words in commands:
        if words[1] == 'tools/train.py' and '--cfg-options' not in words:
            continue
        command = [sys.executable, *(word.replace('epoch_20.pth', 'epoch_1.pth') for word in words[1:])]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, (command, done.stdout[-2000:], done.stderr[-2000:])

    found = {}
    for part, count in dict(train=16, val=2, test=2).items():
        data = json.loads((tmp_path / f'data/my_hands/annotations/{part}.json').read_text())
        assert len(data['images']) == count
        files = {image['id']: image['file_name'] for image in data['images']}
        found.update({files[a['image_id']]: np.reshape(a['keypoints'], (-1, 3)) for a in data['annotations']})
    assert found.keys() == expected.keys()
    for file, keypoints in expected.items():
        np.testing.assert_array_equal(found[file], keypoints)
    work_dir = tmp_path / 'work_dirs' / 'pmsdsnet_lite_coco-128'
    assert len(list(work_dir.glob('*/images/*'))) == 2
    assert json.loads((tmp_path / 'scores.json').read_text())['EPE'] > 0
    assert len(json.loads((tmp_path / 'out' / 'keypoints.json').read_text())['items']) == 20
