"""JPEG's loss against a real codec."""

import cv2
import numpy as np
import torch

from handkp_plugins.imaging.jpeg import jpeg_compress, quantisation


def test_it_keeps_good_images_and_spoils_others() -> None:
    y, x = torch.meshgrid(torch.linspace(0, 1, 20), torch.linspace(0, 1, 27), indexing='ij')
    smooth = torch.stack([x, y, 1 - x])[None].repeat(2, 1, 1, 1)
    result = jpeg_compress(smooth, torch.tensor([100.0, 5.0]))
    assert result.shape == smooth.shape
    error = (result - smooth).abs().mean((1, 2, 3))
    assert error[0] < 0.01 < error[1]
    assert quantisation(torch.tensor([50.0]))[0, 0, 0, :3].mul(255).round().tolist() == [16, 11, 10]


def test_it_agrees_with_a_real_one() -> None:
    """Brightness as OpenCV's codec gives it back."""
    rng = np.random.default_rng(0)
    image = cv2.GaussianBlur(rng.integers(0, 256, (32, 32), dtype=np.uint8), (0, 0), 1.5)
    encoded = cv2.imencode('.jpg', image, [cv2.IMWRITE_JPEG_QUALITY, 30])[1]
    theirs = cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE).astype(np.float32)
    grey = torch.from_numpy(image.astype(np.float32) / 255).expand(1, 3, 32, 32)
    ours = 255 * jpeg_compress(grey, torch.tensor([30.0]))[0].mean(0).numpy()
    # both within rounding, where the codec changed the image by several levels
    assert np.abs(ours - theirs).mean() < 0.6 < 2 < np.abs(image.astype(np.float32) - theirs).mean()
