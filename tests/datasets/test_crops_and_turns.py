"""Crops with a margin, turned crops and colours, on drawn markers."""

import numpy as np
import pytest
from mmengine.dataset import Compose
from mmengine.registry import init_default_scope
from mmpose.registry import TRANSFORMS

from handkp_plugins.datasets.transforms import BrightnessSaturation, MarginCrop, TurnedTopdownAffine

COLOURS = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 0]], np.uint8)
POINTS = np.array([[30, 20], [70, 25], [60, 64], [25, 50]])
"""One marker a keypoint, of 5×5 pixels."""


def sample(**extra) -> dict:
    image = np.zeros((90, 110, 3), np.uint8)
    for (x, y), colour in zip(POINTS, COLOURS, strict=True):
        image[y - 2 : y + 3, x - 2 : x + 3] = colour
    visible = np.array([[1, 1, 0, 1]], np.float32)
    box = np.array([[20, 10, 80, 70]], np.float32)
    return dict(img=image, bbox=box, keypoints=POINTS[None].astype(np.float32), keypoints_visible=visible, **extra)


@pytest.mark.parametrize('angle', [0, 33])
@pytest.mark.parametrize('input_size', [(64, 64), (48, 80), (80, 48)])
@pytest.mark.parametrize('quarters', [0, 1, 2, 3])
def test_image_keypoints_and_visibility_turn_together(quarters: int, input_size: tuple[int, int], angle: float) -> None:
    init_default_scope('mmpose')
    pipeline = Compose([
        dict(type='MarginCrop', biased=True),
        dict(type='TurnedTopdownAffine', input_size=input_size, turns=(quarters,)),
        dict(type='GenerateTarget', encoder=dict(type='RegressionLabel', input_size=input_size)),
    ])  # fmt: skip
    pipeline.transforms.insert(1, lambda r: dict(r, bbox_rotation=np.array([angle], np.float32)))
    done = pipeline(sample())
    assert done['img'].shape == (input_size[1], input_size[0], 3) and done['input_size'] == input_size
    labels = done['keypoint_labels'][0] * input_size
    assert done['keypoint_weights'].tolist() == [[1, 1, 0, 1]]  # the third stays the one without a label
    for point, colour in zip(labels, COLOURS, strict=True):
        ys, xs = np.nonzero(np.abs(done['img'].astype(int) - colour).sum(-1) < 120)
        np.testing.assert_allclose(point, [xs.mean(), ys.mean()], atol=0.7)


def test_turns_are_drawn_and_others_than_fixed_ones_never() -> None:
    np.random.seed(0)
    turned = TurnedTopdownAffine((64, 64), turns=(1, 3))
    assert {turned._draw() for _ in range(30)} == {1, 3}
    with pytest.raises(ValueError, match=r'turns: expected one or more of 0, 1, 2 and 3, got \(4,\)'):
        TurnedTopdownAffine((64, 64), turns=(4,))


def test_an_upright_view_is_that_of_topdown_affine() -> None:
    crop = MarginCrop()
    ours, theirs = (
        TRANSFORMS.build(dict(type=name, input_size=(48, 64), **more))(crop(sample()))
        for name, more in (('TurnedTopdownAffine', dict(turns=(0,))), ('TopdownAffine', {}))
    )
    for key in ('img', 'transformed_keypoints', 'input_center', 'input_scale'):
        np.testing.assert_array_equal(ours[key], theirs[key])


@pytest.mark.parametrize('size', [(60, 60), (60, 20), (10, 60)])
@pytest.mark.parametrize('biased', [False, True])
def test_place_and_margin_of_the_crop(biased: bool, size: tuple[int, int]) -> None:
    box = np.array([[40, 50, 40 + size[0], 50 + size[1]]], np.float32)
    done = MarginCrop(biased, margin=8)(dict(bbox=box))
    (center,), (side,) = done['bbox_center'], done['bbox_scale']
    assert side[0] == side[1] == pytest.approx((30 + 8) * 128 / 54)  # of one size, biased or not
    middle = (box[0, :2] + box[0, 2:]) / 2
    np.testing.assert_allclose((middle - center + side / 2) / side * 128, (60, 54) if biased else (64, 64), atol=1e-3)
    low, high = center - side / 2, center + side / 2
    assert (box[0, :2] - low >= 8 - 1e-4).all() and (high - box[0, 2:] >= 8 - 1e-4).all()


def test_a_margin_is_not_negative() -> None:
    with pytest.raises(ValueError, match='margin: expected a number of px from 0, got -1'):
        MarginCrop(margin=-1)


def test_brightness_and_saturation_and_nothing_else() -> None:
    np.random.seed(0)
    jitter = BrightnessSaturation(25, (0.5, 1.5))
    grey, red = np.full((1, 1, 3), 100, np.uint8), np.array([[[60, 60, 180]]], np.uint8)
    greys = np.array([jitter(dict(img=grey))['img'][0, 0].astype(int) for _ in range(200)])
    assert (greys == greys[:, :1]).all() and 75 <= greys.min() < 78 and 122 < greys.max() <= 125
    jitter = BrightnessSaturation(0, (0.5, 1.5))
    reds = np.array([jitter(dict(img=red))['img'][0, 0].astype(int) for _ in range(200)])
    assert (reds[:, 2] == 180).all() and (abs(reds[:, 0] - reds[:, 1]) <= 1).all()  # no other hue, no exchange
    saturation = 1 - reds[:, 0] / 180  # 2/3 of the picture's
    assert 0.33 <= saturation.min() < 0.4 and 0.93 < saturation.max() <= 1
