"""Figures of networks of clips, from made-up curves and an untrained network."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers.mini_clips import clip_records, write_clips
from helpers.tiny_htt import write_tiny_htt
from helpers.tool_module import load_tool

tool = load_tool('analysis/clip_figures')


def curve_file(path: Path, level: float, **more: object) -> Path:
    curves = {'thresholds': [0, 40, 80], 'thresholds-RA': [0, 25, 50]}
    curves |= {key: {'right': [0, level, 1]} for key in ('PCK', 'PCK-RA')}
    path.write_text(json.dumps(curves | more))
    return path


def test_curves_of_several_results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    plot = tool.plot_pck_curves
    monkeypatch.setattr(tool, 'plot_pck_curves', lambda *args, **more: seen.append(args) or plot(*args, **more))
    files = [f'{name}={curve_file(tmp_path / f"{name}.json", level)}' for name, level in (('t8', 0.8), ('t1', 0.5))]
    paths = tool.plot_curves(files, tmp_path / 'figures')
    assert [path.name for path in paths] == ['PCK_right.png', 'PCK-RA_right.png']
    assert all(cv2.imread(str(path)) is not None for path in paths)
    assert list(seen[0][0]) == ['t8, AUC 0.650', 't1, AUC 0.500'] and seen[1][2].tolist() == [0, 25, 50]


def test_results_that_do_not_go_together(tmp_path: Path) -> None:
    one = curve_file(tmp_path / 'one.json', 0.8)
    for results, message in (
        ([str(one)], "results: expected NAME=FILE, each name once, got '/"),
        ([f'a={one}', f'a={one}'], 'each name once'),
        ([f'a={one}', f'b={curve_file(tmp_path / "b.json", 0.1, thresholds=[0, 1])}'], 'b: thresholds: expected'),
    ):
        with pytest.raises(ValueError, match=message):
            tool.plot_curves(results, tmp_path)
    (tmp_path / 'scores.json').write_text('{"AUC": 1}')
    with pytest.raises(ValueError, match='scores.json: expected thresholds and PCK'):
        tool.plot_curves([f'a={tmp_path / "scores.json"}'], tmp_path)


def test_frames_about_the_most_occluded_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    records = clip_records((9, 3))
    records['annotations'][7]['keypoints'][5::3] = [1] * 20  # frame 7 of video 0
    data = write_clips(tmp_path / 'data' / 'annotations', records, pictures=True)
    data.rename(data.with_name('test.json'))
    for folder in ('0', '1'):
        (data.parent / folder).rename(tmp_path / 'data' / folder)
    network = write_tiny_htt(tmp_path, spacing=1)
    captions = []
    tile = tool.tile
    monkeypatch.setattr(tool, 'tile', lambda *args: captions.extend(args[2]) or tile(*args))
    out = tmp_path / 'strip.png'
    options = dict(data_root=tmp_path / 'data', device='cpu')
    figure = tool.draw_frames(0, [('a', *network), ('b', *network)], out, **options)
    assert captions[:6] == [f'frame {i}, true' for i in range(3, 9)] and len(captions) == 18
    assert all(caption.startswith('b, ') and caption.endswith(' mm') for caption in captions[12:])
    assert np.array_equal(cv2.imread(str(out)), figure)
    rows = np.split(figure[4:], 3)
    assert not np.array_equal(rows[0], rows[1]) and np.array_equal(rows[1][20:], rows[2][20:])  # but for the captions
    with pytest.raises(ValueError, match='frames: expected 0 to 2, got 3'):
        tool.draw_frames(1, [('a', *network)], out, frames=[0, 3], **options)
    with pytest.raises(ValueError, match=r'video: expected one of \[0, 1\], got 5'):
        tool.draw_frames(5, [('a', *network)], out, **options)
