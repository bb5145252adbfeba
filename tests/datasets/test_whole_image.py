"""Whole frames as the network's view: in proportion, padded, and back again."""

import numpy as np
import pytest
import torch
from mmengine.dataset import Compose
from mmengine.registry import init_default_scope
from mmpose.datasets.transforms import TopdownAffine

from handkp_plugins.codecs import GaussianHeatmap
from handkp_plugins.datasets.transforms import WholeImageCenterScale
from handkp_plugins.structures.crops import to_input_space

SIZES = pytest.mark.parametrize(
    ('width', 'height', 'picture'),
    [
        (640, 480, (192, 144)),  # landscape: 56 rows above and below
        (480, 640, (192, 256)),  # of the input's own aspect
        (360, 720, (128, 256)),  # higher than that: 32 columns left and right
    ],
)


def see(width: int, height: int, point: tuple[float, float]) -> dict:
    """What a network of 192×256 (W×H) sees of a white frame."""
    results = dict(
        img=np.full((height, width, 3), 255, np.uint8),
        bbox=np.array([[3, 4, 50, 60]], np.float32),
        keypoints=np.array([[point]], np.float32),
    )
    return TopdownAffine((192, 256))(WholeImageCenterScale()(results))


@SIZES
def test_in_proportion_and_padded_on_both_sides(width: int, height: int, picture: tuple[int, int]) -> None:
    seen = see(width, height, (0, 0))['img'][..., 0] > 127
    assert seen.shape == (256, 192)
    columns, rows = np.flatnonzero(seen.any(0)), np.flatnonzero(seen.any(1))
    assert abs(len(columns) - picture[0]) <= 1 and abs(len(rows) - picture[1]) <= 1
    for found, length in ((columns, 192), (rows, 256)):
        assert abs(found[0] - (length - 1 - found[-1])) <= 1 and len(found) == found[-1] - found[0] + 1


@SIZES
def test_a_corner_there_and_back(width: int, height: int, picture: tuple[int, int]) -> None:
    for corner in ((0, 0), (width, 0), (width, height), (0, height)):
        results = see(width, height, corner)
        inside = results['transformed_keypoints'][0, 0]
        side = [(size - extent) / 2 if c == 0 else (size + extent) / 2
                for c, size, extent in zip(corner, (192, 256), picture, strict=True)]  # fmt: skip
        np.testing.assert_allclose(inside, side, atol=1e-4)
        center, scale = results['input_center'], results['input_scale']
        np.testing.assert_allclose(to_input_space(np.array(corner), center, scale, (192, 256)), inside, atol=1e-4)
        # as MMPose's estimator maps predictions back
        np.testing.assert_allclose(inside / (192, 256) * scale + center - 0.5 * scale, corner, atol=1e-3)


def test_box_of_the_hand_stays() -> None:
    before = dict(img=np.zeros((30, 40, 3), np.uint8), bbox=np.array([[3, 4, 5, 6]], np.float32))
    after = WholeImageCenterScale()(before)
    np.testing.assert_array_equal(after['bbox'], [[3, 4, 5, 6]])
    assert after['bbox_center'].tolist() == [[20, 15]] and after['bbox_scale'].tolist() == [[40, 30]]
    assert 'bbox_center' not in before


def test_flips_and_jitter_go_around_the_frame() -> None:
    """The steps of the configs' training pipeline, on a point that a flip moves to the other corner."""
    init_default_scope('mmpose')
    flip = Compose(
        [dict(type='WholeImageCenterScale'), dict(type='RandomFlip', prob=1.0), dict(type='TopdownAffine',
         input_size=(192, 256))])  # fmt: skip
    results = flip(
        dict(
            img=np.zeros((480, 640, 3), np.uint8),
            img_shape=(480, 640),
            bbox=np.array([[0, 0, 9, 9]], np.float32),
            keypoints=np.zeros((1, 1, 2), np.float32),
            keypoints_visible=np.ones((1, 1), np.float32),
            flip_indices=[0],
        )
    )
    # the pixel in the last column, 639, of a picture whose 640 columns fill 192
    np.testing.assert_allclose(results['transformed_keypoints'][0, 0], [639 * 0.3, 56], atol=0.31)


def test_argmax_of_a_corner_maps_back_within_half_a_map_pixel() -> None:
    codec = GaussianHeatmap((192, 256), (48, 64), variance=64.0, refinement='none')
    results = see(640, 480, (0, 0))
    labels = torch.from_numpy(results['transformed_keypoints'].astype(np.float32))
    found = codec.decode(codec.make_heatmaps(labels)[0])[0][0, 0]
    back = found / (192, 256) * results['input_scale'] + results['input_center'] - 0.5 * results['input_scale']
    assert np.abs(back).max() <= 2 * 640 / 192
