"""Thumbs under folded fingers, and before them."""

import numpy as np
import pytest

from handkp_plugins.structures.skeleton import LONG_FINGERS
from handkp_plugins.synthetic.hand.kinematics import hand_keypoints
from handkp_plugins.synthetic.hand.pose import HandPose
from handkp_plugins.synthetic.hand.proxies import pose_penetration
from handkp_plugins.synthetic.hand.shape import HandShape, random_shape
from handkp_plugins.synthetic.poses import thumbs
from handkp_plugins.synthetic.poses.gestures import GESTURES
from handkp_plugins.synthetic.poses.thumbs import sample_thumb_before, sample_thumb_under


def draw(over: int, count: int = 12) -> list[tuple[HandPose, HandShape]]:
    rng, found = np.random.default_rng(0), []
    for _ in range(count):
        shape = random_shape(rng)
        if pose := sample_thumb_under(GESTURES['fist'], over, rng, shape):
            found.append((pose, shape))
    return found


@pytest.mark.parametrize('over', [1, 2, 3])
def test_the_tip_shows_beside_the_last_finger_over_it(over):
    found = draw(over)
    assert len(found) >= 5
    leans = []
    for pose, shape in found:
        points = hand_keypoints(pose.angles, shape)
        knuckle, following = points[1 + 4 * over], points[5 + 4 * over]
        leans.append(points[4, 0] - knuckle[0])
        assert points[4, 1] > following[1] and leans[-1] > 0
        assert (points[4, 2] > points[6 : 6 + 4 * over : 4, 2]).all()  # z falls away from the palm
        assert pose_penetration(pose, shape) < 0.0045
    assert np.ptp(leans) > 0.008  # upright and leaning across


def test_the_tip_is_never_below_the_knuckles(monkeypatch):
    monkeypatch.setattr(thumbs, '_PENETRATION', 1.0)
    monkeypatch.setattr(thumbs, '_BEHIND', -1.0)
    assert len(draw(1)) == 12
    monkeypatch.setattr(thumbs, '_UNDER', dict(thumb_flexion=(20, 48), thumb_ip=(70, 80)))
    assert draw(1) == []  # a thumb bent that much goes across and stays low


def test_fingers_that_do_not_cover_it_stay():
    for pose, _ in draw(1):
        named, fist = pose.as_dict(), GESTURES['fist'].as_dict()
        still = [f'{finger}_{joint}' for finger in LONG_FINGERS[1:] for joint in ('mcp', 'pip', 'dip')]
        assert all(named[name] == fist[name] for name in still)


def drawn_before(upright: bool, count: int = 40) -> tuple[list[HandPose], np.ndarray]:
    """Poses, and their keypoints (N, 21, 3)."""
    rng = np.random.default_rng(1)
    poses = [pose for _ in range(count) if (pose := sample_thumb_before(GESTURES['fist'], upright, rng, HandShape()))]
    return poses, hand_keypoints(np.array([pose.angles for pose in poses]).reshape(-1, 24), HandShape())


@pytest.mark.parametrize('upright', [False, True])
def test_a_resting_thumb_lies_before_a_finger_and_touches_it(upright):
    poses, points = drawn_before(upright)
    assert len(poses) > 15
    pad, fingers = points[:, None, 3:5].mean(2), points[:, 5:]
    near = np.linalg.norm((fingers - pad)[..., :2], axis=-1) < 0.008
    assert (pad[..., 2] < fingers[..., 2])[near].all()  # z falls away from the palm
    shares = np.linspace(0, 1, 11)[:, None]
    starts, ends = (points[:, None, [k + i for k in (5, 9, 13, 17) for i in pair]] for pair in ((0, 1, 2), (1, 2, 3)))
    along = starts[..., None, :] + shares * (ends - starts)[..., None, :]
    bone = points[:, 3, None] + shares * (points[:, 4] - points[:, 3])[:, None]
    apart = np.linalg.norm(bone[:, :, None, None] - along, axis=-1).min((1, 2, 3))
    assert (apart < 0.024).all() and (apart > 0.008).all()  # metres between the middles of a thumb and a finger
    assert max(pose_penetration(pose, HandShape()) for pose in poses) < 0.0045


def test_resting_thumbs_lie_everywhere_and_upright_ones_before_the_index_finger():
    across, upright = (drawn_before(which)[1] for which in (False, True))
    assert np.ptp(across[:, 4, 0] - across[:, 5, 0]) > 0.03
    assert (upright[:, 4, :2] > upright[:, 6, :2]).all() and (across[:, 4, 1] < across[:, 6, 1]).any()


def test_none_where_there_is_no_room(monkeypatch):
    monkeypatch.setattr(thumbs, '_PENETRATION', 0.0)
    assert draw(2, 3) == [] and drawn_before(False, 1)[0] == []
