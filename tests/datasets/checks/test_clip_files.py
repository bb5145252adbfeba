"""Annotation files of clips: what is read, and the error of each damage with file, record and name."""

import copy
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from helpers.mini_clips import CAMERA, clip_records, write_clips

from handkp_plugins.datasets.checks.clip_files import read_clip_file

RIGHT, BOTH = ('right',), ('left', 'right')


def test_videos_in_the_order_of_their_frames(tmp_path: Path) -> None:
    records = clip_records((3, 2), BOTH, first=7)
    records['images'].reverse()
    records['annotations'].reverse()
    file = read_clip_file(str(write_clips(tmp_path, records)), BOTH)
    assert file.actions == ('lift', 'lower', 'turn') and file.objects == ('cup', 'pen')
    video = file.videos[1]
    assert len(video) == 2 and (video.id, video.action, video.object, video.first) == (1, 1, 1, 7)
    assert video.files == ('1/0.png', '1/1.png') and video.size == (48, 27) and video.camera.tolist() == CAMERA
    assert video.keypoints.shape == (2, 42, 3) and (video.weights == 1).all()
    assert video.keypoints[1, [0, 20, 21, 41], 0] == pytest.approx([0.03, 0.05, 0, 0.02])  # the left hand comes first
    assert video.keypoints[:, 0, 2] == pytest.approx([0.4, 0.401])


def test_a_hand_without_annotation_is_absent(tmp_path: Path) -> None:
    records = clip_records((3,), BOTH)
    del records['annotations'][2]  # the left hand of frame 1
    (video,) = read_clip_file(str(write_clips(tmp_path, records)), BOTH).videos
    assert video.weights[:, 0].tolist() == [1, 0, 1] and (video.weights[:, 21:] == 1).all()
    assert (video.keypoints[1, :21] == 0).all() and np.isfinite(video.keypoints).all()


def test_occluded_joints_where_the_file_tells(tmp_path: Path) -> None:
    records = clip_records((2,), BOTH)
    for annotation in records['annotations']:
        annotation['keypoints'] = [5, 5, 2] * 20 + [5, 5, 1 + (annotation['handedness'] == 'left')]
    (video,) = read_clip_file(str(write_clips(tmp_path / 'told', records)), BOTH).videos
    assert video.occluded.shape == (2, 42) and np.flatnonzero(video.occluded[0]).tolist() == [41]
    records['annotations'][3]['keypoints'][2] = 3
    with pytest.raises(ValueError, match=r'annotation 3: keypoints: expected 21 × \(x, y, v\) .*, got v of \[3, 2'):
        read_clip_file(str(write_clips(tmp_path / 'wrong', records)), BOTH)
    del records['annotations'][3]['keypoints']
    assert read_clip_file(str(write_clips(tmp_path / 'not', records)), BOTH).videos[0].occluded is None


def change(section: str, index: int, **values: object) -> Callable[[dict], None]:
    return lambda records: records[section][index].update(values)


def drop(section: str, index: int, key: str) -> Callable[[dict], None]:
    return lambda records: records[section][index].pop(key)


NEAR = np.ones((21, 3)).tolist()


@pytest.mark.parametrize(
    ('damage', 'message'),
    [
        (change('videos', 1, action=-1), 'video 1: action: expected a whole number from 0 to 2, .*, got -1'),
        (change('videos', 1, action=3), 'video 1: action: expected a whole number from 0 to 2, .*, got 3'),
        (change('videos', 0, object=-1), 'video 0: object: expected a whole number from 0 to 1, .*, got -1'),
        (lambda r: r.update(actions=[]), r'actions: expected a list of names, got \[\]'),
        (lambda r: r['videos'].append(dict(id=9, action=0, object=0)), 'video 9: images: expected one frame or more'),
        (
            lambda r: (r['images'].pop(2), r['annotations'].pop(2)),
            'video 0: frame_id: expected each number from 0 to 4 once, got 3 after 1',
        ),
        (change('images', 3, frame_id=2), 'video 0: frame_id: expected each number from 0 to 4 once, got 2 after 2'),
        (change('images', 3, frame_id=2.5), 'image 3: frame_id: expected a whole number, got 2.5'),
        (change('images', 3, video_id=7), 'image 3: video_id: expected the id of an entry in videos, got 7'),
        (drop('images', 4, 'camera'), r'image 4: camera.K: expected intrinsics \(3×3\), got None'),
        (change('images', 4, camera=dict(K=[1, 2])), r'image 4: camera.K: expected 3×3 intrinsics .*, got \[1, 2\]'),
        (
            change('images', 0, camera=dict(K=(4 * np.array(CAMERA) / [[1], [1], [4]]).tolist())),
            r'image 0: camera.K: expected a principal point about the middle of 48×27, got \(96, 54\)',
        ),
        (change('images', 1, camera=dict(K=[[36, 0, 24], *CAMERA[1:]])), 'image 1: camera.K: expected the same in all'),
        (change('images', 1, width=47), 'image 1: width, height: expected 48×27, the size of the video, got 47×27'),
        (
            change('annotations', 0, image_id=99),
            'annotation 0: image_id: expected the id of an entry in images, got 99',
        ),
        (change('annotations', 0, handedness='both'), "annotation 0: handedness: expected 'left' or 'right', got both"),
        (change('annotations', 1, image_id=0), 'annotation 1: handedness: expected one right hand in image 0, got a'),
        (
            change('annotations', 0, keypoints_3d=2 * NEAR),
            r'annotation 0: keypoints_3d: expected 21 × \(x, y, z\), one hand, got 126 numbers of shape \(42, 3\)',
        ),
        (change('annotations', 0, keypoints_3d=[[1], 2]), 'annotation 0: keypoints_3d: expected 21'),
        (
            change('annotations', 0, keypoints_3d=(400 * np.array(NEAR)).tolist()),
            'annotation 0: keypoints_3d: expected metres before the camera, 0 < z < 10, got depths from 400 to 400',
        ),
        (
            change('annotations', 0, keypoints_3d=(0 * np.array(NEAR)).tolist()),
            'annotation 0: .* got depths from 0 to 0',
        ),
        (drop('annotations', 0, 'handedness'), 'annotation at index 0, id 0: expected .*, got none of handedness'),
    ],
)
def test_damage(damage: Callable[[dict], None], message: str, tmp_path: Path) -> None:
    records = copy.deepcopy(clip_records())
    damage(records)
    path = write_clips(tmp_path, records)
    with pytest.raises(ValueError, match=f'^{path}: {message}'):
        read_clip_file(str(path), RIGHT)


def test_a_hand_that_is_never_annotated(tmp_path: Path) -> None:
    path = write_clips(tmp_path, clip_records())
    with pytest.raises(ValueError, match=r"hands: expected annotations of left and right, got \['right'\] alone"):
        read_clip_file(str(path), BOTH)


def test_no_file_and_no_json(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match='no such file'):
        read_clip_file(str(tmp_path / 'ann.json'), RIGHT)
    (tmp_path / 'ann.json').write_text(json.dumps(clip_records())[:-9])
    with pytest.raises(ValueError, match='expected a COCO file in JSON, got text'):
        read_clip_file(str(tmp_path / 'ann.json'), RIGHT)
