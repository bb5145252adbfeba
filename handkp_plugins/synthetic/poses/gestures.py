"""Named gestures: ``GESTURES['fist']``."""

from handkp_plugins.structures.skeleton import LONG_FINGERS

from ..hand.pose import THUMB_ANGLES, HandPose

Finger = tuple[float, float, float, float]  # MCP flexion, abduction, PIP, DIP in degrees

_STRAIGHT: Finger = (0, 2, 3, 2)
_SPREAD: Finger = (-4, 12, 2, 2)
_FOLDED: Finger = (86, 0, 107, 68)
_LOOSE: Finger = (22, 3, 28, 14)

_THUMB_OUT = (-14, -6, -5, -2, -6)  # flexion, abduction, rotation, MCP, IP
_THUMB_SIDE = (22, -18, 4, 8, 6)  # beside the forefinger
_THUMB_OVER = (15, 14, 15, 41, 64)  # across folded fingers
THUMB_OVER_TWO = (30, 17, 35, 48, 15)  # nearly straight, across the middle joints of two folded fingers
THUMB_OVER_ONE = (23, 39, 43, 60, 31)  # across the folded little finger
_THUMB_IN = (27, 0, 28, 58, 80)  # in front of the palm
_THUMB_LOOSE = (6, 6, 8, 12, 12)


def gesture(
    thumb: tuple[float, ...], index: Finger, middle: Finger, ring: Finger, little: Finger, palm_arch: float = 0.0
) -> HandPose:
    """Make a pose from one tuple a finger; angles beyond a joint's limit are clipped."""
    values = dict(zip(THUMB_ANGLES, thumb, strict=True)) | {'palm_arch': palm_arch}
    for finger, bends in zip(LONG_FINGERS, (index, middle, ring, little), strict=True):
        values |= {f'{finger}_{name}': value for name, value in zip(('mcp', 'abd', 'pip', 'dip'), bends, strict=True)}
    return HandPose.clip(values | {'middle_abd': 0.0})


GESTURES: dict[str, HandPose] = {
    'open': gesture(_THUMB_OUT, _SPREAD, _SPREAD, _SPREAD, _SPREAD),
    'flat': gesture(_THUMB_SIDE, *[_STRAIGHT] * 4),
    'relaxed': gesture(_THUMB_LOOSE, (14, 3, 22, 10), (22, 0, 30, 14), (28, 2, 34, 16), (32, 6, 36, 18), 4),
    'fist': gesture(_THUMB_OVER, *[_FOLDED] * 4, 6),
    'fist_thumb_in': gesture(_THUMB_IN, *[(66, 0, 84, 40)] * 4, 8),
    'fist_thumb_side': gesture((24, -16, 6, 14, 26), *[_FOLDED] * 4, 6),
    'point': gesture(_THUMB_OVER, _STRAIGHT, _FOLDED, _FOLDED, _FOLDED, 6),
    'gun': gesture((-12, -16, -4, -2, -8), _STRAIGHT, _FOLDED, _FOLDED, _FOLDED, 4),
    'victory': gesture(THUMB_OVER_TWO, (0, 13, 3, 2), (0, 0, 3, 2), _FOLDED, _FOLDED, 8),
    'two_closed': gesture(THUMB_OVER_TWO, (0, -2, 3, 2), (0, 0, 3, 2), _FOLDED, _FOLDED, 8),
    'three': gesture(THUMB_OVER_ONE, (-2, 10, 3, 2), (-2, 0, 3, 2), (-2, 9, 3, 2), (78, 0, 98, 56), 12),
    'three_thumb': gesture(_THUMB_OUT, (-2, 10, 3, 2), (-2, 0, 3, 2), _FOLDED, _FOLDED, 4),
    'four': gesture((26, -4, 22, 54, 70), *[(-2, 8, 3, 2)] * 4, 2),
    'thumbs_up': gesture((-16, -20, -6, -4, -14), *[_FOLDED] * 4, 4),
    'call': gesture(_THUMB_OUT, _FOLDED, _FOLDED, _FOLDED, (-6, 22, 4, 3), 0),
    'rock': gesture((12, 14, 12, 48, 66), (-2, 6, 4, 2), _FOLDED, _FOLDED, (-4, 14, 4, 2), 2),
    'love': gesture(_THUMB_OUT, (-2, 8, 4, 2), _FOLDED, _FOLDED, (-4, 16, 4, 2), 2),
    'ok': gesture((26, 24, 32, 18, 34), (50, 2, 56, 28), (16, 0, 22, 10), (8, 6, 16, 8), (2, 14, 12, 6), 4),
    'pinch': gesture((26, 24, 32, 18, 34), (51, 2, 55, 28), (58, 0, 66, 34), (62, 0, 70, 36), (62, 2, 70, 36), 6),
    'pinch_middle': gesture((33, 29, 36, 20, 35), (16, 6, 20, 10), (54, 0, 58, 30), (12, 4, 20, 10), (6, 12, 14, 8), 6),
    'pinch_ring': gesture((39, 36, 44, 22, 34), (10, 6, 16, 8), (20, 0, 26, 12), (62, 0, 62, 30), (12, 10, 16, 8), 10),
    'pinch_little': gesture((47, 40, 46, 28, 36), (6, 6, 12, 6), (12, 0, 18, 8), (26, 2, 30, 14), (52, 2, 61, 31), 18),
    'tripod': gesture((28, 26, 32, 18, 34), (50, 2, 54, 26), (54, 0, 56, 28), (60, 0, 78, 40), (62, 2, 82, 40), 6),
    'claw': gesture((-4, 14, 14, 14, 34), *[(-6, 10, 66, 46)] * 4, 2),
    'grab': gesture((14, 34, 30, 14, 24), *[(38, 6, 42, 26)] * 4, 8),
    'cup': gesture((20, 10, 14, 14, 16), *[(34, -1, 26, 14)] * 4, 18),
    'hook': gesture((14, -10, 4, 10, 10), *[(4, 0, 100, 58)] * 4, 2),
    'beak': gesture((26, 30, 34, 14, 14), *[(64, -4, 20, 10)] * 4, 12),
    'bent_flat': gesture(_THUMB_SIDE, *[(80, 0, 6, 4)] * 4, 4),
    'count_six': gesture((46, 34, 44, 26, 34), (0, 8, 3, 2), (0, 0, 3, 2), (0, 6, 3, 2), (70, 0, 76, 40), 16),
    'vulcan': gesture(_THUMB_OUT, (0, -2, 2, 2), (0, 0, 2, 2), (0, 12, 2, 2), (0, 12, 2, 2), 0),
    'holding_pen': gesture((26, 28, 30, 20, 26), (46, 3, 50, 16), (52, 0, 58, 22), (58, 0, 72, 34), (60, 2, 76, 36), 8),
    'holding_cup': gesture((12, 36, 32, 12, 26), (28, 4, 42, 24), (34, 0, 46, 26), (38, 2, 48, 28), (42, 5, 48, 28), 9),
    'middle_up': gesture((0, 12, 8, 42, 78), _FOLDED, (-2, 0, 3, 2), _FOLDED, _FOLDED, 4),
    'little_up': gesture(_THUMB_OVER, _FOLDED, _FOLDED, (80, 0, 100, 56), (-4, 10, 4, 2), 2),
}  # fmt: skip
