import numpy as np
import pytest

from handkp_plugins.visualization import tile


def flat(height: int, width: int, value: int) -> np.ndarray:
    return np.full((height, width, 3), value, np.uint8)


def test_tile_rows_columns_and_order():
    sheet = tile([flat(10, 10, v) for v in (10, 20, 30)], columns=2)
    assert sheet.shape == (2 * 10 + 3 * 4, 2 * 10 + 3 * 4, 3)
    assert [sheet[9, 9, 0], sheet[9, 23, 0], sheet[23, 9, 0], sheet[23, 23, 0]] == [10, 20, 30, 255]


def test_tile_keeps_the_aspect_ratio():
    sheet = tile([flat(10, 40, 50), flat(20, 20, 90)], columns=9, cell=(20, 20))
    first = sheet[4:24, 4:24, 0]
    assert (first[8:12] == 50).all()
    assert (first[:7] == 255).all()
    assert (sheet[4:24, 28:48] == 90).all()


def test_tile_captions_stand_above_and_fit():
    plain = tile([flat(30, 60, 100)] * 2, columns=2)
    captioned = tile([flat(30, 60, 100)] * 2, columns=2, captions=['a', 'a caption that is far too long for its cell'])
    assert captioned.shape[0] == plain.shape[0] + 20
    assert (captioned[:24, 4:64] < 200).any()
    assert (captioned[:, 64:68] == 255).all()
    assert (captioned[:, -4:] == 255).all()


@pytest.mark.parametrize(
    'arguments, message',
    [
        (dict(images=[], columns=2), 'images: expected at least one, got none'),
        (dict(images=[flat(3, 3, 0)], columns=0), 'columns, cell: expected at least 1, got 0'),
        (dict(images=[flat(3, 3, 0)], columns=1, captions=['a', 'b']), 'captions: expected 1.*got 2'),
        (dict(images=[np.zeros((3, 3))], columns=1), 'image: expected a uint8 array'),
    ],
)
def test_tile_errors(arguments: dict, message: str):
    with pytest.raises(ValueError, match=message):
        tile(**arguments)
