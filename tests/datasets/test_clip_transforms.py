"""Transforms of clips: one draw a clip, the camera that moves with the image, and frames that cannot be read."""

from pathlib import Path

import numpy as np
import pytest
from helpers.mini_clips import clip_records, write_clips
from mmengine.dataset import Compose
from mmengine.registry import init_default_scope
from mmpose.registry import DATASETS, TRANSFORMS

from handkp_plugins.codecs import PixelDepthLabel
from handkp_plugins.codecs.pixel_depth import project
from handkp_plugins.datasets.transforms.clips import shift_image

CODEC = dict(type='PixelDepthLabel', input_size=(48, 27))


def apply(kind: str, results: dict, **arguments: object) -> dict:
    return TRANSFORMS.build(dict(type=kind, **arguments)).transform(results)


def clip(frames: int = 3) -> dict:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (frames, 27, 48, 3), dtype=np.uint8)
    camera = np.array([[35, 0, 24], [0, 34, 13.5], [0, 0, 1]], np.float32)
    keypoints = rng.uniform([-0.1, -0.1, 0.3], [0.1, 0.1, 0.6], (frames, 21, 3))
    return dict(img=list(images), img_shape=(27, 48), camera=camera, keypoints=keypoints)


def test_shift_by_hand() -> None:
    image = np.arange(12, dtype=np.uint8).reshape(3, 4, 1).repeat(3, 2)
    assert shift_image(image, 1, -1)[..., 0].tolist() == [[0, 4, 5, 6], [0, 8, 9, 10], [0, 0, 0, 0]]


def test_a_shift_moves_pixels_and_principal_point_but_no_joint() -> None:
    """U, v and cx, cy shift alike, X, Y, Z stay."""
    np.random.seed(3)
    before, after = clip(), apply('ShiftClip', clip(), max_shift=8)
    shift = after['camera'][:2, 2] - before['camera'][:2, 2]
    assert (shift != 0).any() and (shift == shift.astype(int)).all() and (np.abs(shift) <= 8).all()
    for old, new in zip(before['img'], after['img'], strict=True):  # the same shift in all frames
        assert (new == shift_image(old, *shift.astype(int))).all()
    uvz = [project(data['keypoints'], data['camera'].astype(float)) for data in (before, after)]
    assert uvz[1][..., :2] - uvz[0][..., :2] == pytest.approx(np.broadcast_to(shift, (3, 21, 2)))
    codec = PixelDepthLabel((48, 27))
    raw = (uvz[1] - [24, 13.5, 0.4]) / [10, 10, 0.035]
    assert codec.decode(raw, after['camera'])[0] == pytest.approx(before['keypoints'], abs=1e-6)


def test_shifts_are_cut_to_integers_and_cover_their_range() -> None:
    np.random.seed(0)
    shifts = np.array([apply('ShiftClip', clip(1), max_shift=2.9)['camera'][:2, 2] for _ in range(300)]) - [24, 13.5]
    assert set(shifts.ravel()) == {-2, -1, 0, 1, 2}


def test_resize_scales_the_camera() -> None:
    data = apply('ResizeClip', clip(), size=(24, 9))
    assert [image.shape for image in data['img']] == [(9, 24, 3)] * 3 and data['img_shape'] == (9, 24)
    assert data['camera'] == pytest.approx(np.array([[17.5, 0, 12], [0, 34 / 3, 4.5], [0, 0, 1]]))


def test_colours_are_drawn_once_a_clip() -> None:
    np.random.seed(0)
    grey = dict(img=[np.full((8, 8, 3), 100, np.uint8)] * 5)
    once = dict(contrast=(1, 1), saturation=(1, 1), hue=(0, 0), blur=0)
    images = apply('ClipColorJitter', grey, brightness=(0.5, 1.5), **once)['img']
    assert len({int(image[0, 0, 0]) for image in images}) == 1 and images[0][0, 0, 0] != 100


def test_channels_keep_their_order() -> None:
    """A blue frame, BGR, stays blue where nothing changes; half a turn of hue makes it yellow."""
    blue = np.zeros((4, 4, 3), np.uint8)
    blue[..., 0] = 200
    none = dict(brightness=(1, 1), contrast=(1, 1), saturation=(1, 1), blur=0)
    same, turned = (apply('ClipColorJitter', dict(img=[blue]), hue=(h, h), **none)['img'][0] for h in (0, 0.5))
    assert (same == blue).all() and turned[0, 0] == pytest.approx([0, 200, 200], abs=8)


def test_blur_is_drawn_once_a_frame() -> None:
    np.random.seed(1)
    none = dict(brightness=(1, 1), contrast=(1, 1), saturation=(1, 1), hue=(0, 0))
    image = clip(1)['img'][0]
    images = apply('ClipColorJitter', dict(img=[image] * 2), blur=2.0, **none)['img']
    assert not np.array_equal(*images) and not np.array_equal(images[0], image)


def pipeline(*more: dict, strict: bool = False) -> Compose:
    init_default_scope('mmpose')
    packing = [dict(type='GenerateTarget', encoder=CODEC), dict(type='PackHandInputs')]
    return Compose([dict(type='LoadHandClip', strict=strict), *more, *packing])


def dataset(folder: Path, **arguments: object):
    write_clips(folder, clip_records((5, 3)), pictures=True)
    cfg = dict(type='HandClipDataset', data_root=str(folder), ann_file='ann.json', clip_length=4, window=2)
    return DATASETS.build(cfg | arguments)


def test_from_file_to_packed_sample(tmp_path: Path) -> None:
    packed = pipeline()(dataset(tmp_path).get_data_info(0))
    assert packed['inputs'].shape == (3, 3, 27, 48)  # frames 0, 2 and 4; the fourth is padded
    assert packed['inputs'][:, 0, 0, 0].tolist() == [10, 30, 50]
    sample = packed['data_samples']
    assert sample.frame_valid.tolist() == [True] * 3 + [False] and sample.frame_id.tolist() == [0, 2, 4, 4]
    assert (sample.action, sample.object, sample.video_id) == (0, 0, 0)
    labels = sample.gt_instance_labels
    assert labels.keypoint_labels.shape == (4, 21, 3) and labels.keypoint_weights.shape == (4, 21)
    assert labels.keypoint_labels[1, 20].tolist() == pytest.approx([24 + 35 * 20 / 402, 13.5, 0.402], abs=1e-4)
    assert sample.gt_instances.keypoints[1, 20] == pytest.approx([0.02, 0, 0.402])


def test_an_unreadable_frame_costs_its_clip_and_is_told(tmp_path: Path) -> None:
    data = dataset(tmp_path)
    (tmp_path / '0' / '2.png').write_bytes(b'')
    loading = pipeline()
    assert loading(data.get_data_info(0)) is None
    packed = loading(data.get_data_info(1))  # frames 1 and 3
    assert packed['data_samples'].unreadable_images == {f'{tmp_path}/0/2.png': 'the file is empty'}
    with pytest.raises(OSError, match='0/2.png: unreadable image'):
        pipeline(strict=True)(data.get_data_info(0))


def test_no_unreadable_frame_is_forgotten(tmp_path: Path) -> None:
    data, loading = dataset(tmp_path), pipeline()
    for name in ('0/4.png', '0/3.png'):
        (tmp_path / name).write_bytes(b'')
    assert loading(data.get_data_info(0)) is None and loading(data.get_data_info(1)) is None
    packed = loading(data.get_data_info(5))
    assert sorted(packed['data_samples'].unreadable_images) == [f'{tmp_path}/0/3.png', f'{tmp_path}/0/4.png']


def test_frames_of_another_size_than_their_record(tmp_path: Path) -> None:
    data = dataset(tmp_path).get_data_info(0)
    data['ori_shape'] = (54, 96)
    with pytest.raises(ValueError, match='0/0.png: image: expected 96×54 as in its record, got 48×27'):
        pipeline()(data)


@pytest.mark.parametrize(
    ('kind', 'arguments', 'message'),
    [
        ('ResizeClip', dict(size=(0, 9)), r'size: expected \[W, H\] of two positive integers, got \(0, 9\)'),
        ('ShiftClip', dict(max_shift=-1), 'max_shift: expected a number of pixels from 0, got -1'),
        ('ClipColorJitter', dict(hue=(-0.6, 0)), 'hue: expected two rising numbers from -0.5 to 0.5, got -0.6, 0'),
        ('ClipColorJitter', dict(contrast=(2, 1)), 'contrast: expected two rising numbers from 0 to inf, got 2, 1'),
        ('ClipColorJitter', dict(blur=-1), 'blur: expected a radius from 0, got -1'),
    ],
)
def test_bad_arguments(kind: str, arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TRANSFORMS.build(dict(type=kind, **arguments))
