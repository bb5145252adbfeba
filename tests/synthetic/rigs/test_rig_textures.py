"""Normal maps tilt normals where the surface goes right and up in the texture."""

import numpy as np
import pytest

from handkp_plugins.synthetic.rigs.rigged import normal_tilt

POINTS = np.array([[0.0, 0, 0], [2, 0, 0], [2, 3, 0], [0, 3, 0]])
FACES = np.array([[0, 1, 2], [0, 2, 3]])
CORNERS = np.array([[0.1, 0.9], [0.9, 0.9], [0.9, 0.1], [0.1, 0.1]])
"""Places in the texture whose v runs downwards, as the surface's y does not."""
ACROSS, UP, LEVEL = (0.6, 0.0, 0.8), (0.0, 0.6, 0.8), (0.0, 0.0, 1.0)


def encoded(normal: tuple[float, float, float]) -> np.ndarray:
    return np.tile(np.round(127.5 * (np.array(normal) + 1)).astype(np.uint8), (16, 16, 1))


@pytest.mark.parametrize(
    ('uv', 'normal', 'expected'),
    [
        (CORNERS, LEVEL, (0, 0, 0)),
        (CORNERS, ACROSS, (0.75, 0, 0)),
        (CORNERS, UP, (0, 0.75, 0)),
        (CORNERS * [-1, 1] + [1, 0], ACROSS, (-0.75, 0, 0)),  # the texture mirrored
        (CORNERS[:, ::-1], ACROSS, (0, -0.75, 0)),  # right in the texture is down on the surface
        (CORNERS[:, ::-1], UP, (-0.75, 0, 0)),
        (np.full((4, 2), 0.5), ACROSS, (0, 0, 0)),  # all of it at one place of the texture
    ],
)
def test_tilt_of_a_plane(uv, normal, expected):
    tilt = normal_tilt(POINTS, FACES, uv[FACES], encoded(normal))
    assert tilt == pytest.approx(np.tile(expected, (4, 1)), abs=0.02)


def test_the_tilt_is_taken_where_the_corner_lies():
    image = encoded(LEVEL)
    image[:, 10:] = encoded(ACROSS)[:, 10:]
    tilt = normal_tilt(POINTS, FACES, CORNERS[FACES], image)
    assert tilt[[1, 2], 0] == pytest.approx(0.75, abs=0.02) and np.abs(tilt[[0, 3]]).max() < 0.02
