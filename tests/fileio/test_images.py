from pathlib import Path

import cv2
import numpy as np
import pytest

from handkp_plugins.fileio.images import is_truncated_jpeg, read_image, write_image


def jpeg(*options: int) -> bytes:
    picture = np.random.default_rng(0).integers(0, 255, (48, 64, 3), dtype=np.uint8)
    return cv2.imencode('.jpg', picture, list(options))[1].tobytes()


KINDS = {
    'baseline': jpeg(),
    'progressive': jpeg(cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
    'restarts': jpeg(cv2.IMWRITE_JPEG_RST_INTERVAL, 2),
}


@pytest.mark.parametrize('kind', KINDS)
def test_truncated_at_any_byte(kind: str):
    data = KINDS[kind]
    assert not is_truncated_jpeg(data)
    assert all(is_truncated_jpeg(data[:n]) for n in range(2, len(data)))


@pytest.mark.parametrize('kind', KINDS)
def test_what_is_appended_is_no_matter(kind: str):
    rng = np.random.default_rng(1)
    for tail in (b'trailing bytes', KINDS['baseline'][:500], *(rng.bytes(100_000) for _ in range(20))):
        assert not is_truncated_jpeg(KINDS[kind] + tail)


def test_a_thumbnail_in_the_header_does_not_hide_a_truncation():
    data = KINDS['baseline']
    thumbnail = b'\xff\xe1' + (len(data) + 2).to_bytes(2, 'big') + data  # an APP1 segment that holds a whole JPEG
    whole = data[:2] + thumbnail + data[2:]
    assert not is_truncated_jpeg(whole)
    assert is_truncated_jpeg(whole[:-100])
    assert is_truncated_jpeg(whole[: len(thumbnail) + 10])


def test_other_formats_are_not_judged():
    assert not is_truncated_jpeg(b'')
    assert not is_truncated_jpeg(b'\x89PNG')


def test_image_there_and_back(tmp_path: Path):
    path = tmp_path / 'neu' / 'händ.png'
    image = np.random.default_rng(0).integers(0, 255, (7, 9, 3), dtype=np.uint8)
    write_image(path, image)
    np.testing.assert_array_equal(read_image(path), image)
    assert [p.name for p in path.parent.iterdir()] == ['händ.png']


def test_exif_rotation_is_followed(tmp_path: Path):
    orientation_6 = bytes.fromhex('ffe1002245786966000049492a0008000000010012010300010000000600000000000000')
    data = KINDS['baseline']
    (tmp_path / 'turned.jpg').write_bytes(data[:2] + orientation_6 + data[2:])
    assert read_image(tmp_path / 'turned.jpg').shape == (64, 48, 3)


@pytest.mark.parametrize(
    'data, reason',
    [
        (b'', 'the file is empty'),
        (b'text', 'not a readable image'),
        (KINDS['baseline'][:-100], 'truncated JPEG: its end marker is missing'),
    ],
)
def test_image_that_cannot_be_read(data: bytes, reason: str, tmp_path: Path):
    with pytest.raises(FileNotFoundError, match='none.png'):
        read_image(tmp_path / 'none.png')
    (tmp_path / 'bad.jpg').write_bytes(data)
    with pytest.raises(ValueError, match=f'bad.jpg: {reason}'):
        read_image(tmp_path / 'bad.jpg')
