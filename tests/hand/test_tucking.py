"""Thumbs under folded fingers."""

import numpy as np
import pytest

from handkp_plugins.hand.gestures import GESTURES
from handkp_plugins.hand.kinematics import joint_frames, keypoints_from_frames
from handkp_plugins.hand.pose import LONG_FINGERS, HandPose
from handkp_plugins.hand.proxies import pose_penetration
from handkp_plugins.hand.shape import HandShape, random_shape
from handkp_plugins.hand.tucking import tucked


def draw(over: int, count: int = 12) -> list[tuple[HandPose, HandShape]]:
    rng, found = np.random.default_rng(0), []
    for _ in range(count):
        shape = random_shape(rng)
        if pose := tucked(GESTURES['fist'], over, rng, shape):
            found.append((pose, shape))
    return found


@pytest.mark.parametrize('over', [1, 2, 3])
def test_the_tip_shows_beside_the_last_finger_over_it(over):
    found = draw(over)
    assert len(found) >= 5
    leans = []
    for pose, shape in found:
        points = keypoints_from_frames(joint_frames(pose, shape), shape)
        knuckle, following = points[1 + 4 * over], points[5 + 4 * over]
        leans.append(points[4, 0] - knuckle[0])
        assert points[4, 1] > following[1] and leans[-1] > 0
        assert (points[4, 2] > points[6 : 6 + 4 * over : 4, 2]).all()  # z falls away from the palm
        assert pose_penetration(pose, shape) < 0.0045
    assert np.ptp(leans) > 0.008  # upright and leaning across


def test_the_tip_is_never_below_the_knuckles(monkeypatch):
    monkeypatch.setattr('handkp_plugins.hand.tucking._PENETRATION', 1.0)
    monkeypatch.setattr('handkp_plugins.hand.tucking._BEHIND', -1.0)
    assert len(draw(1)) == 12
    monkeypatch.setattr('handkp_plugins.hand.tucking._THUMB', dict(thumb_flexion=(20, 48), thumb_ip=(70, 80)))
    assert draw(1) == []  # a thumb bent that much goes across and stays low


def test_fingers_that_do_not_cover_it_stay():
    for pose, _ in draw(1):
        named, fist = pose.as_dict(), GESTURES['fist'].as_dict()
        still = [f'{finger}_{joint}' for finger in LONG_FINGERS[1:] for joint in ('mcp', 'pip', 'dip')]
        assert all(named[name] == fist[name] for name in still)


def test_none_where_there_is_no_room(monkeypatch):
    monkeypatch.setattr('handkp_plugins.hand.tucking._PENETRATION', 0.0)
    assert draw(2, 3) == []
