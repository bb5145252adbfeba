"""Targets against the per-sample formula and against resized maps; decoding there and back."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmpose.registry import KEYPOINT_CODECS

from handkp_plugins.codecs import GaussianHeatmap

SIZE = (48, 32)  # W, H
# Inside, on both borders, a little outside, far outside, without coordinates.
POINTS = [[20.3, 11.8], [0.0, 0.0], [47.0, 31.0], [-1.5, 33.0], [500.0, -300.0], [float('nan'), 4.0]]
WEIGHTS = [1.0, 1.0, 0.5, 1.0, 1.0, 0.0]


def formula(x: float, y: float, weight: float, variance: float) -> np.ndarray:
    """One map of one sample, as the paper writes it."""
    if weight == 0:
        return np.zeros((SIZE[1], SIZE[0]))
    row, column = np.mgrid[: SIZE[1], : SIZE[0]]
    return np.exp(-((column - x) ** 2 + (row - y) ** 2) / (2 * variance))


@pytest.mark.parametrize('variance', [3.0, 16.0])
def test_targets_follow_the_formula(variance: float) -> None:
    keypoints, weights = torch.tensor([POINTS, POINTS[::-1]]), torch.tensor([WEIGHTS, WEIGHTS[::-1]])
    maps = GaussianHeatmap(SIZE, variance=variance).make_heatmaps(keypoints, weights)
    assert maps.shape == (2, 6, SIZE[1], SIZE[0])
    expected = np.stack([formula(x, y, w, variance) for (x, y), w in zip(POINTS, WEIGHTS, strict=True)])
    np.testing.assert_allclose(maps[0].numpy(), expected, atol=1e-5)
    np.testing.assert_allclose(maps[1].numpy(), expected[::-1], atol=1e-5)
    assert maps[0, 0].argmax() == 12 * SIZE[0] + 20


@pytest.mark.parametrize('stride', [2, 4, 8, 16])
def test_coarse_targets_are_the_full_map_resized(stride: int) -> None:
    codec = GaussianHeatmap(SIZE)
    keypoints = torch.tensor([POINTS[:5]])
    w, h = SIZE[0] // stride, SIZE[1] // stride
    resized = F.interpolate(codec.make_heatmaps(keypoints), size=(h, w), mode='bilinear', align_corners=False)
    torch.testing.assert_close(codec.make_heatmaps(keypoints, size=(w, h)), resized, atol=1e-6, rtol=0)


def test_encode_sends_coordinates_and_drops_what_lies_outside() -> None:
    codec = KEYPOINT_CODECS.build(dict(type='GaussianHeatmap', input_size=SIZE, variance=4.0))
    margin = 6  # three standard deviations
    points = [[20, 10], [-margin, 10], [-margin - 1, 10], [20, 31 + margin], [20, 32 + margin], [np.nan, 1]]
    encoded = codec.encode(np.array([points], float), np.array([[0.5, 1, 1, 1, 1, 1.0]]))
    assert set(encoded) == set(codec.label_mapping_table)
    assert encoded['keypoint_labels'].shape == (1, 6, 2) and encoded['keypoint_labels'].dtype == np.float32
    assert encoded['keypoint_weights'].tolist() == [[0.5, 1, 0, 1, 0, 0]]
    assert codec.encode(np.zeros((1, 6, 2)))['keypoint_weights'].tolist() == [[1] * 6]


@pytest.mark.parametrize('logits', [False, True])
@pytest.mark.parametrize(
    ('stride', 'variance', 'refinement', 'tolerance'),
    [
        (1, 3.0, 'centroid', 0.02),
        (2, 3.0, 'centroid', 0.01),
        (4, 3.0, 'centroid', 0.3),  # the Gaussian is narrower than half a map pixel
        (4, 16.0, 'centroid', 0.03),
        (1, 3.0, 'quarter', 0.36),
        (4, 16.0, 'quarter', 1.5),
        (1, 3.0, 'none', 0.71),
        (4, 16.0, 'none', 2.83),
    ],
)
def test_there_and_back(stride: int, variance: float, refinement: str, tolerance: float, logits: bool) -> None:
    size, maps_size = (96, 64), (96 // stride, 64 // stride)
    codec = GaussianHeatmap(size, maps_size, variance=variance, refinement=refinement, logits=logits)
    keypoints = torch.rand(4, 21, 2, generator=torch.manual_seed(0)) * torch.tensor([56.0, 24.0]) + 20
    maps = codec.make_heatmaps(keypoints)
    found, scores = codec.batch_decode((maps + 1e-9).log() if logits else maps)
    assert found.shape == (4, 1, 21, 2) and scores.shape == (4, 1, 21)
    assert np.linalg.norm(found[:, 0] - keypoints.numpy(), axis=-1).max() < tolerance
    assert (scores > (0.9 if logits else 0.25)).all() and (scores <= 1).all()


@pytest.mark.parametrize(
    'stride, variance, logits, bound',
    [(1, 3.0, False, 0.6), (1, 3.0, True, 0.8), (4, 16.0, False, 0.6), (4, 16.0, True, 0.6)],
)
def test_borders_do_not_pull_inwards(stride: int, variance: float, logits: bool, bound: float) -> None:
    """From border to border the error is what the pixel grid explains; half a window would give 0.8 to 1.1 pixels."""
    codec = GaussianHeatmap((64, 64), (64 // stride, 64 // stride), variance=variance, logits=logits)
    line = torch.arange(0, 63.01, 0.25)
    keypoints = torch.stack([line, torch.full_like(line, 31.5)], -1)[:, None]  # (B, 1, 2)
    maps = codec.make_heatmaps(keypoints)
    found, _ = codec.locate((maps + 1e-9).log() if logits else maps)
    assert (found - keypoints).norm(dim=-1).max() < bound * stride


def test_pixel_centres() -> None:
    """A lone peak decodes to its pixel's centre: (j + 0.5) stride - 0.5, differently in x and y."""
    codec = GaussianHeatmap((64, 96), (16, 48), refinement='none')
    maps = torch.zeros(1, 1, 48, 16)
    maps[0, 0, 10, 3] = 0.75
    keypoints, scores = codec.decode(maps[0].numpy())
    assert keypoints.tolist() == [[[3.5 * 4 - 0.5, 10.5 * 2 - 0.5]]] and scores.tolist() == [[0.75]]
    mirrored, _ = codec.decode(maps[0].flip(-1).numpy())
    assert mirrored[0, 0, 0] == 64 - 1 - keypoints[0, 0, 0]


def test_scores_and_corners() -> None:
    codec = GaussianHeatmap((32, 32), variance=1.0)
    keypoints, scores = codec.batch_decode(torch.full((1, 2, 32, 32), -3.0))
    assert np.isfinite(keypoints).all() and (scores == 0).all()
    logits = GaussianHeatmap((32, 32), variance=1.0, logits=True)
    flat, peaked = torch.zeros(1, 1, 32, 32), torch.zeros(1, 1, 32, 32)
    peaked[0, 0, 31, 31] = 1000.0
    assert logits.batch_decode(flat)[1] == pytest.approx(49 / 1024)  # a whole window, 7×7 pixels
    corner, score = logits.batch_decode(peaked)
    assert corner.tolist() == [[[[31, 31]]]] and score == pytest.approx(1)


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_half_precision_maps(dtype: torch.dtype) -> None:
    codec = GaussianHeatmap((64, 64), variance=9.0)
    keypoints = torch.tensor([[[30.0, 20.0], [11.0, 50.0]]])
    found, scores = codec.batch_decode(codec.make_heatmaps(keypoints).to(dtype))
    np.testing.assert_allclose(found[:, 0], keypoints.numpy(), atol=0.1)
    assert scores.dtype == np.float32


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (dict(input_size=(256,)), r'input_size: expected \[W, H\] of two positive integers, got \(256,\)'),
        (dict(input_size=SIZE, heatmap_size=(0, 3)), r'heatmap_size: .* got \(0, 3\)'),
        (dict(input_size=SIZE, variance=0), r'variance: expected a positive number of px², got 0'),
        (dict(input_size=SIZE, refinement='dark'), r"refinement: expected .*centroid.*, got 'dark'"),
        (dict(input_size=SIZE, window=0), r'window: .* got 0'),
    ],
)
def test_bad_arguments(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        GaussianHeatmap(**arguments)


def test_bad_shapes() -> None:
    codec = GaussianHeatmap(SIZE)
    with pytest.raises(ValueError, match=r'expected shape \(1, K, 2\), one instance, got \(2, 21, 2\)'):
        codec.encode(np.zeros((2, 21, 2)))
    with pytest.raises(ValueError, match=r'expected shape \(B, K, 2\), got \(21, 2\)'):
        codec.make_heatmaps(torch.zeros(21, 2))
    with pytest.raises(ValueError, match=r'expected shape \(B, K, h, w\), got \(21, 8, 8\)'):
        codec.batch_decode(torch.zeros(21, 8, 8))


def test_logits_prefer_the_best_window_to_the_best_pixel() -> None:
    """One pixel of probability 0.2 alone, against 9 of about 0.09 side by side."""
    probability = torch.full((1, 1, 32, 32), 1e-6)
    probability[0, 0, 5, 5] = 0.2
    probability[0, 0, 19:22, 24:27] = 0.8 / 9
    keypoints, scores = GaussianHeatmap((32, 32), variance=1.0, logits=True).batch_decode(probability.log())
    np.testing.assert_allclose(keypoints, [[[[25, 20]]]], atol=0.01)
    assert scores == pytest.approx(0.8, abs=0.01)
