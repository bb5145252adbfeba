"""Fingers that recorded keypoints put inside each other."""

import numpy as np
import pytest

from handkp_plugins.synthetic.hand.kinematics import hand_keypoints
from handkp_plugins.synthetic.hand.pose import HIGH, LOW
from handkp_plugins.synthetic.hand.proxies import pose_penetration
from handkp_plugins.synthetic.hand.shape import HandShape
from handkp_plugins.synthetic.inverse_kinematics.separate_fingers import separate_fingers
from handkp_plugins.synthetic.poses.gestures import GESTURES, gesture

SHAPE = HandShape()
FRONT = np.diag([-1.0, -1.0, 1.0])
INSIDE = gesture((24, 6, 15, 41, 64), *[(84, 0, 106, 64)] * 4, 6).angles  # the thumb 10 mm inside folded fingers
CLEAN = GESTURES['open'].angles


def moved(angles: np.ndarray, depth_share: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """The separated pose, and how far its keypoints moved (21, 3) in metres."""
    (found,) = separate_fingers(angles[None], FRONT[None], depth_share)
    points = hand_keypoints(np.stack([angles, found]), SHAPE)
    return found, points[1] - points[0]


def test_fingers_leave_each_other_and_little_moves():
    found, way = moved(INSIDE)
    assert pose_penetration(INSIDE, SHAPE) > 0.009 > 0.004 > pose_penetration(found, SHAPE)
    assert ((found >= LOW) & (found <= HIGH)).all() and (found[-2:] == INSIDE[-2:]).all()
    distance = np.linalg.norm(way, axis=1)
    assert distance.mean() < 0.003 and distance.max() < 0.015


def test_a_clean_pose_stays():
    assert (moved(CLEAN)[0] == CLEAN).all()


def test_depth_gives_way_first():
    little, much = (np.linalg.norm(moved(INSIDE, share)[1][4, :2]) for share in (0.1, 1.0))
    assert little < 0.6 * much


def test_each_hand_is_moved_for_itself():
    done = []
    found = separate_fingers(np.stack([INSIDE, CLEAN, INSIDE]), np.stack([FRONT] * 3), progress=done.append)
    assert (found[0] == found[2]).all() and (found[1] == CLEAN).all() and done == [1, 1, 1]


def test_as_many_views_as_hands():
    with pytest.raises(ValueError):
        separate_fingers(np.stack([INSIDE, CLEAN]), FRONT[None])
