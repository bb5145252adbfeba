"""Clips: which frames they hold, by the paper's numbers, and what a sample carries."""

from pathlib import Path

import numpy as np
import pytest
from helpers.mini_clips import CAMERA, clip_records, write_clips
from mmpose.registry import DATASETS

from handkp_plugins.datasets.hand import HandClipDataset
from handkp_plugins.datasets.hand.hand_clips import clip_frames, clip_starts

PAPER = dict(clip_length=128, window=16, spacing=2)


def make(folder: Path, records: dict, **arguments: object) -> HandClipDataset:
    write_clips(folder, records)
    return DATASETS.build(
        dict(type='HandClipDataset', data_root=str(folder), ann_file='ann.json', clip_length=4, window=2) | arguments
    )


def test_starts_of_300_frames() -> None:
    assert clip_starts(300, **PAPER, test=False) == [*range(32), *range(256, 288)]
    starts = clip_starts(300, **PAPER, test=True)
    assert starts == [0, 1, 256, 257]
    assert [clip_frames(n, 300, 128, 2)[1].sum() for n in starts] == [128, 128, 22, 22]
    assert clip_starts(300, **PAPER, test=True, first_phase_alone=True) == [0, 256]


def test_frames_of_a_short_video() -> None:
    """40 frames from the 31st: 31, 33 … 39; the last one repeats."""
    frames, valid = clip_frames(31, 40, 128, 2)
    assert frames[:6].tolist() == [31, 33, 35, 37, 39, 39] and (frames[5:] == 39).all()
    assert valid.tolist() == [True] * 5 + [False] * 123
    assert clip_starts(1, **PAPER, test=False) == [0] and clip_frames(0, 1, 128, 2)[1].sum() == 1


@pytest.mark.parametrize('length', [1, 22, 74, 255, 256, 257, 683])
def test_a_test_holds_each_frame_once(length: int) -> None:
    clips = [clip_frames(n, length, 128, 2) for n in clip_starts(length, **PAPER, test=True)]
    assert sorted(np.concatenate([frames[valid] for frames, valid in clips])) == list(range(length))


def test_clip_counts() -> None:
    """Segments of such lengths as H2O has, counted by hand."""
    lengths = [22, 31, 74, 256, 257, 300, 683]
    train = [len(clip_starts(n, **PAPER, test=False)) for n in lengths]
    assert train == [22, 31, 32, 32, 33, 64, 96]
    assert [len(clip_starts(n, **PAPER, test=True)) for n in lengths] == [2, 2, 2, 2, 3, 4, 6]


def test_a_sample(tmp_path: Path) -> None:
    dataset = make(tmp_path, clip_records((5, 3), ('left', 'right'), first=10), hands=('left', 'right'))
    # t·s = 4 of T·s = 8 frames in turn: 0 … 3 of the first video, 0 … 2 of the second
    assert len(dataset) == 7 and dataset.metainfo['classes'] == ('lift', 'lower', 'turn')
    assert dataset.metainfo['objects'] == ('cup', 'pen')
    sample = dataset.get_data_info(5)  # of the second video from frame 1
    assert sample['img_path'] == [f'{tmp_path}/1/1.png']
    assert sample['keypoints_occluded'].shape == (4, 42) and sample['keypoints_occluded'][0, [0, 1, 21]].tolist() == [
        True,
        False,
        True,
    ]
    assert sample['frame_valid'].tolist() == [True, False, False, False] and sample['frame_id'].tolist() == [11] * 4
    assert (sample['video_id'], sample['action'], sample['object'], sample['sample_idx']) == (1, 1, 1, 5)
    assert sample['camera'].tolist() == CAMERA and sample['ori_shape'] == (27, 48)
    assert sample['keypoints'].shape == (4, 42, 3) and sample['keypoints_visible'].shape == (4, 42)
    assert sample['keypoints'][:, 21, 2] == pytest.approx(0.401)
    sample['camera'][0] = 0  # a copy: the next clip has its own
    assert dataset.get_data_info(5)['camera'].tolist() == CAMERA


def test_test_mode_and_phases(tmp_path: Path) -> None:
    records = clip_records((5, 3))
    starts = [
        [make(tmp_path, records, test_mode=True, first_phase_alone=alone).get_data_info(i)['frame_id'][0] for i in ids]
        for alone, ids in ((False, range(4)), (True, range(2)))
    ]
    assert starts == [[0, 1, 0, 1], [0, 0]]


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (dict(clip_length=1), 'clip_length: expected 2 frames or more, the window, got 1'),
        (dict(spacing=0), 'spacing: expected an integer from 1, got 0'),
        (dict(hands=('right', 'left')), r"hands: expected 'left', 'right' or both in this order, got \('right', 'left"),
        (dict(hands=()), "hands: expected 'left', 'right' or both"),
    ],
)
def test_bad_arguments(arguments: dict, message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=message):
        make(tmp_path, clip_records(), **arguments)
