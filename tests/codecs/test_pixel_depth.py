"""The 2.5D codec: numbers of FPHA's camera by hand, there and back, other image widths, and errors."""

import numpy as np
import pytest
import torch
from mmpose.registry import KEYPOINT_CODECS

from handkp_plugins.codecs.pixel_depth import PixelDepthLabel, project

FPHA = np.array([[1395.749023, 0, 935.732544], [0, 1395.749268, 540.681030], [0, 0, 4]]) / 4


def codec(size: tuple[int, int] = (480, 270)) -> PixelDepthLabel:
    return KEYPOINT_CODECS.build(dict(type='PixelDepthLabel', input_size=size))


def random_points(*shape: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.uniform([-0.2, -0.2, 0.2], [0.2, 0.2, 0.7], (*shape, 3))


def test_zero_outputs_by_hand() -> None:
    """All joints lie in the middle of the image at 40 cm; c moves the depth by 1e-4 fx."""
    points, scores = codec().decode(np.zeros((2, 21, 3)), FPHA)
    assert points == pytest.approx(np.broadcast_to([0.006955, -0.000195, 0.4], (2, 21, 3)), abs=5e-7)
    assert scores.shape == (2, 21)
    assert codec().decode(np.array([[[0, 0, 1.0]]]), FPHA)[0][0, 0, 2] == pytest.approx(0.434894, abs=5e-7)


def test_there_and_back() -> None:
    points = random_points(4, 42)
    labels = codec().encode(points, camera=FPHA)
    assert labels['keypoint_labels'].dtype == np.float32 and (labels['keypoint_weights'] == 1).all()
    u = FPHA[0, 0] * points[..., 0] / points[..., 2] + FPHA[0, 2]
    assert labels['keypoint_labels'][..., 0] == pytest.approx(u, abs=1e-3)
    uvz = torch.from_numpy(labels['keypoint_labels']).double()
    raw = torch.cat([(uvz[..., :2] - torch.tensor([240, 135])) / 100, (uvz[..., 2:] - 0.4) / (1e-4 * FPHA[0, 0])], -1)
    assert codec().decode(raw.numpy(), FPHA)[0] == pytest.approx(points, abs=1e-6)


def test_another_width_means_the_same() -> None:
    """A scene at a quarter of the size, with a camera of a quarter: the same outputs give the same points."""
    raw = np.random.default_rng(1).normal(size=(2, 21, 3))
    small = FPHA * [[0.25], [0.25], [1]]
    at_120 = codec((120, 68))
    assert at_120.scale == 0.25
    wide, narrow = codec((480, 272)).decode(raw, FPHA)[0], at_120.decode(raw, small)[0]
    assert narrow == pytest.approx(wide, abs=1e-9)


def test_batches_of_tensors_each_with_its_camera() -> None:
    """As NumPy's, one clip at a time; u, v and Z in float32 whatever the network's type."""
    cameras = torch.from_numpy(np.stack([FPHA, FPHA * [[1.2], [1.1], [1]]])).float()[:, None]  # (B, 1, 3, 3)
    points = torch.from_numpy(random_points(2, 5, 21)).float()
    pixels = project(points, cameras)
    torch.testing.assert_close(codec().to_points(pixels, cameras), points)
    for i in range(2):
        labels = codec().encode(points[i].numpy(), camera=cameras[i, 0].numpy())['keypoint_labels']
        assert pixels[i].numpy() == pytest.approx(labels, abs=1e-3)
    raw = torch.randn(2, 5, 21, 3, dtype=torch.bfloat16, requires_grad=True)
    decoded = codec().to_pixels(raw, cameras)
    assert decoded.dtype == torch.float32
    decoded.sum().backward()
    assert (raw.grad != 0).all()


def test_absent_hands_may_be_anything() -> None:
    points, weights = random_points(2, 42), np.ones((2, 42))
    weights[1, 21:] = 0
    points[1, 21:] = np.nan
    labels = codec().encode(points, weights, FPHA)
    assert np.isfinite(labels['keypoint_labels']).all() and (labels['keypoint_weights'] == weights).all()


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (dict(camera=None), r'camera: expected intrinsics of shape \(3, 3\), got None'),
        (dict(camera=np.ones(4)), r'camera: expected intrinsics of shape \(3, 3\), got shape \(4,\)'),
        (dict(keypoints=np.ones((1, 21, 2))), r'keypoints: expected shape \(N, K, 3\), got \(1, 21, 2\)'),
        (dict(keypoints=-np.ones((1, 21, 3))), 'keypoints: expected depths Z above 0, got -1'),
    ],
)
def test_bad_input(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        codec().encode(**dict(keypoints=np.ones((1, 21, 3)), camera=FPHA) | arguments)


def test_bad_size() -> None:
    with pytest.raises(ValueError, match=r'input_size: expected \[W, H\] of two positive integers, got \(480, 0\)'):
        PixelDepthLabel((480, 0))
