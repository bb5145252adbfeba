"""Generated and photographed backgrounds."""

import cv2
import numpy as np
import pytest

from handkp_plugins.fileio.images import list_photographs
from handkp_plugins.imaging.backgrounds import crop_photograph, generate_background


def test_generated_images_are_valid_varied_and_repeatable():
    images = [generate_background(48, np.random.default_rng(i)) for i in range(30)]
    for image in images:
        assert image.shape == (48, 48, 3) and image.dtype == np.float32
        assert image.min() >= 0 and image.max() <= 1
    assert np.std([p.mean() for p in images]) > 0.05
    assert np.array_equal(generate_background(48, np.random.default_rng(7)), images[7])


def test_crops_of_photographs(tmp_path):
    image = np.zeros((60, 90, 3), np.uint8)
    image[..., 2] = 200  # red, in OpenCV's order
    (tmp_path / 'sub').mkdir()
    cv2.imwrite(str(tmp_path / 'sub' / 'a.png'), image)
    crop = crop_photograph(list_photographs(tmp_path)[0], 32, np.random.default_rng(0))
    assert crop.shape == (32, 32, 3) and np.allclose(crop, [200 / 255, 0, 0], atol=0.01)


def test_missing_folder_empty_folder_and_broken_images(tmp_path):
    with pytest.raises(FileNotFoundError, match='expected an existing folder, got .*nowhere'):
        list_photographs(tmp_path / 'nowhere')
    (tmp_path / 'a.jpg').write_text('no image')
    with pytest.raises(FileNotFoundError, match='1 such files, none readable'):
        list_photographs(tmp_path)
    with pytest.raises(OSError, match='cannot be read: .*a.jpg'):
        crop_photograph(tmp_path / 'a.jpg', 32, np.random.default_rng(0))


def test_a_truncated_photograph_is_found(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (90, 90, 3), dtype=np.uint8)
    data = cv2.imencode('.jpg', noise)[1].tobytes()
    (tmp_path / 'a.jpg').write_bytes(data[: len(data) // 2])
    with pytest.raises(OSError, match='background cannot be read: .*a.jpg: truncated JPEG'):
        crop_photograph(list_photographs(tmp_path)[0], 32, np.random.default_rng(0))
