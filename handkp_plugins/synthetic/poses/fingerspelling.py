"""Handshapes of the American manual alphabet, by letter: ``LETTERS['letter_a']`` to ``LETTERS['letter_z']``.

Only the shape of the hand: which way it points (G, H, P and Q are turned) is the view's business, and J and Z, which
are movements, are given as the shape that they start from.
"""

from ..hand.pose import HandPose
from .gestures import THUMB_OVER_ONE, THUMB_OVER_TWO, gesture

_UP = (0, 0, 3, 2)
_FIST = (84, 0, 106, 64)
_TUCKED = (80, 0, 100, 58)  # a little looser, over or under the thumb
_OVER_THUMB = (68, 2, 94, 40)  # hooked over a straight thumb, whose tip rises above the knuckles

LETTERS: dict[str, HandPose] = {
    'letter_a': gesture((20, -12, 4, 11, 7), *[_FIST] * 4, 4),
    'letter_b': gesture((38, 6, 24, 44, 40), *[(0, -2, 2, 2)] * 4, 2),
    'letter_c': gesture((6, 34, 26, 10, 20), *[(30, -2, 46, 28)] * 4, 6),
    'letter_d': gesture((24, 26, 30, 22, 36), (0, 0, 3, 2), (58, 0, 62, 32), (62, 0, 66, 36), (64, 2, 70, 38), 6),
    'letter_e': gesture((36, 2, 24, 48, 62), *[(28, -2, 104, 70)] * 4, 4),
    'letter_f': gesture((19, 19, 33, 15, 34), (50, 0, 54, 27), (4, 0, 6, 4), (-2, 8, 5, 3), (-6, 18, 6, 3), 2),
    'letter_g': gesture((12, 8, 6, 4, 4), (64, 0, 5, 3), _FIST, _FIST, _FIST, 4),
    'letter_h': gesture(THUMB_OVER_TWO, (50, -2, 3, 2), (50, 0, 3, 2), _FIST, _FIST, 6),
    'letter_i': gesture((14, 14, 14, 40, 60), _FIST, _FIST, _TUCKED, (-4, 8, 4, 2), 2),
    'letter_j': gesture((14, 14, 14, 40, 60), _FIST, _FIST, _TUCKED, (-4, 8, 4, 2), 2),
    'letter_k': gesture((26, -12, 25, 26, 16), (0, 8, 3, 2), (46, 0, 6, 4), _FIST, _FIST, 4),
    'letter_l': gesture((-20, -8, -6, -4, -8), _UP, _FIST, _FIST, _FIST, 2),
    'letter_m': gesture((43, -12, 34, 40, 5), *[_OVER_THUMB] * 3, _FIST, 8),
    'letter_n': gesture((42, -14, 36, 18, 8), _OVER_THUMB, _OVER_THUMB, _FIST, _FIST, 8),
    'letter_o': gesture((23, 21, 36, 16, 22), (53, -2, 46, 26), (56, 0, 48, 28), (57, 0, 51, 30), (57, -2, 54, 32), 10),
    'letter_p': gesture((26, -12, 25, 26, 16), (4, 8, 3, 2), (52, 0, 8, 4), _FIST, _FIST, 4),
    'letter_q': gesture((14, 16, 10, 6, 8), (70, 0, 8, 4), _FIST, _FIST, _FIST, 4),
    'letter_r': gesture(THUMB_OVER_TWO, (20, -12, 6, 4), (2, 0, 10, 6), _FIST, _FIST, 6).replace({'middle_abd': -12}),
    'letter_s': gesture((28, 17, 28, 50, 39), *[_FIST] * 4, 6),
    'letter_t': gesture((39, -14, 28, 6, 3), (66, 9, 88, 44), _FIST, _FIST, _FIST, 6),
    'letter_u': gesture(THUMB_OVER_TWO, (0, -4, 3, 2), _UP, _FIST, _FIST, 8),
    'letter_v': gesture(THUMB_OVER_TWO, (0, 15, 3, 2), (0, 0, 3, 2), _FIST, _FIST, 8),
    'letter_w': gesture(THUMB_OVER_ONE, (-2, 12, 3, 2), (-2, 0, 3, 2), (-2, 10, 3, 2), (78, 0, 98, 56), 12),
    'letter_x': gesture((15, 13, 24, 51, 32), (10, 0, 84, 40), _FIST, _FIST, _FIST, 6),
    'letter_y': gesture((-20, -6, -5, -4, -10), *[_FIST] * 3, (-6, 26, 4, 3), 0),
    'letter_z': gesture((15, 14, 15, 41, 64), _UP, _FIST, _FIST, _FIST, 6),
}  # fmt: skip
"""Poses by 'letter_' and the small letter."""
