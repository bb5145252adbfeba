"""Colours that go on beyond the edge of what was drawn."""

import cv2
import numpy as np
import pytest

from handkp_plugins.synthetic.rendering.layers import encode_jpeg, encode_png, extend_colors


@pytest.mark.parametrize('size', [37, 64])
def test_what_is_covered_stays_and_the_rest_takes_the_colour_beside_it(size):
    alpha = np.zeros((size, size), np.float32)
    alpha[5:20, 5:12], alpha[5:20, 25:32] = 1, 1
    alpha[5:20, 12] = 0.25
    straight = np.zeros((size, size, 3), np.float32)
    straight[:, :18], straight[:, 18:] = (0.9, 0.5, 0.1), (0.1, 0.2, 0.8)
    result = extend_colors(straight * alpha[..., None], alpha)
    assert np.allclose(result[alpha == 1], straight[alpha == 1], atol=1e-5)
    assert np.allclose(result[8:17, 12], [0.9, 0.5, 0.1], atol=0.1)  # partly covered, yet not darker
    assert np.allclose(result[8:17, 13], [0.9, 0.5, 0.1], atol=0.12) and result.min() > 0.05


def test_no_dark_rim_after_jpeg_and_a_warp():
    """Over a background of its own colour a disc disappears; without the extension it would have a dark ring."""
    alpha = cv2.circle(np.zeros((64, 64), np.float32), (30, 33), 14, 1.0, -1)
    color = np.full((64, 64, 3), 0.7, np.float32) * alpha[..., None]
    image = np.rint(255 * extend_colors(color, alpha)).astype(np.uint8)
    layers = np.dstack([cv2.imdecode(np.frombuffer(encode_jpeg(image, 90), np.uint8), cv2.IMREAD_COLOR), 255 * alpha])
    turned = cv2.warpAffine(layers, cv2.getRotationMatrix2D((32, 32), 30, 1.1), (64, 64), flags=cv2.INTER_LINEAR)
    share = turned[..., 3:] / 255
    over = share * turned[..., :3] + (1 - share) * 178.5
    assert np.abs(over - 178.5).max() < 3


def test_files_there_and_back():
    image = np.full((8, 8, 3), (200, 100, 50), np.uint8)
    assert (
        np.abs(cv2.imdecode(np.frombuffer(encode_jpeg(image, 95), np.uint8), 1)[..., ::-1] - image.astype(int)).max()
        < 4
    )
    png = cv2.imdecode(np.frombuffer(encode_png(np.array([[0, 0.25, 1.0]])), np.uint8), cv2.IMREAD_UNCHANGED)
    assert png.tolist() == [[0, 64, 255]]
