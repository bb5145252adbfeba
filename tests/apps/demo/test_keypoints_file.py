import json
from pathlib import Path

import pytest

from handkp_plugins.apps.demo.keypoints_file import KeypointsFile


def item(name: str, hands: int) -> dict:
    return dict(file=name, instances=[dict(keypoints=[[1.5, 2]] * 21, note='"ü\n')] * hands)


def test_both_files_hold_the_items(tmp_path: Path):
    file = KeypointsFile(tmp_path, dict(version=1, source='häänd.mp4', smoothing=None))
    items = [item('a', 2), item('b', 0), item('c', 1)]
    for one in items:
        file.add(one)
    file.skip('d', 'empty')
    document = file.close(True, smoothing=dict(lag=0.02))
    assert document == json.loads(file.path.read_text()) == dict(
        version=1, source='häänd.mp4', smoothing=dict(lag=0.02), complete=True, items=items,
        skipped=[dict(file='d', reason='empty')],
    )  # fmt: skip
    assert list(document)[-2:] == ['items', 'skipped']
    assert [json.loads(line) for line in file.lines.read_text().splitlines()] == items
    assert (file.num_items, file.num_hands, file.num_empty) == (3, 3, 1)


def test_what_a_killed_run_leaves(tmp_path: Path):
    file = KeypointsFile(tmp_path, dict(version=1))
    file.add(item('a', 1))
    assert [json.loads(line)['file'] for line in file.lines.read_text().splitlines()] == ['a']
    left = json.loads(file.path.read_text())
    assert left['complete'] is False and left['items'] == [] and left['version'] == 1


def test_a_second_run_starts_anew(tmp_path: Path):
    for name in ('a', 'b'):
        file = KeypointsFile(tmp_path, dict(version=1))
        file.add(item(name, 1))
        file.close(True)
    assert [i['file'] for i in json.loads(file.path.read_text())['items']] == ['b']


def test_a_folder_that_is_not_there(tmp_path: Path):
    with pytest.raises(FileNotFoundError):
        KeypointsFile(tmp_path / 'none', {})
