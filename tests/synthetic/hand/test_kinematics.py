"""Forward kinematics: lengths, directions, and where keypoints lie on the bones."""

import numpy as np
import pytest

from handkp_plugins.synthetic.hand.kinematics import (
    FRAME_INDEX,
    SEGMENT_FRAMES,
    TIP_INSIDE,
    hand_keypoints,
    joint_frames,
)
from handkp_plugins.synthetic.hand.pose import HandPose
from handkp_plugins.synthetic.hand.shape import HandShape, random_shape
from handkp_plugins.synthetic.poses.gestures import GESTURES
from handkp_plugins.synthetic.poses.sampler import PoseSampler


def joints(pose: HandPose, shape: HandShape) -> np.ndarray:
    """(5, 3, 3) near joint of each segment."""
    return joint_frames(pose.angles, shape)[SEGMENT_FRAMES, :3, 3].reshape(5, 3, 3)


def keypoints(pose: HandPose, shape: HandShape) -> np.ndarray:
    return hand_keypoints(pose.angles, shape)


@pytest.mark.parametrize('seed', range(5))
def test_segments_keep_their_length_in_any_pose(seed):
    rng = np.random.default_rng(seed)
    shape = random_shape(rng)
    _, pose = PoseSampler().sample(rng, shape)
    at = joints(pose, shape)
    assert np.allclose(np.linalg.norm(np.diff(at, axis=1), axis=2), shape.segments[:, :2], atol=1e-9)


def test_a_right_angle_at_the_pip_points_to_the_palm():
    shape = HandShape()
    points = keypoints(HandPose.of(middle_pip=90), shape)
    straight = keypoints(HandPose(), shape)
    down = points[12] - joints(HandPose.of(middle_pip=90), shape)[2, 1]
    assert down[2] == pytest.approx(-(shape.segments[2, 1:].sum() - TIP_INSIDE), rel=2e-3)
    assert straight[12, 1] - straight[9, 1] == pytest.approx(shape.segments[2].sum() - TIP_INSIDE, rel=1e-6)


def test_signs_of_sideways_angles():
    shape, rest = HandShape(), keypoints(HandPose(), HandShape())
    assert keypoints(HandPose.of(index_abd=15), shape)[8, 0] < rest[8, 0] - 0.01  # to the thumb
    assert keypoints(HandPose.of(little_abd=15), shape)[20, 0] > rest[20, 0] + 0.01
    assert keypoints(HandPose.of(thumb_flexion=30), shape)[4, 0] > rest[4, 0] + 0.01  # across the palm
    assert keypoints(HandPose.of(thumb_abduction=30), shape)[4, 2] < rest[4, 2] - 0.01  # before the palm
    assert keypoints(HandPose.of(palm_arch=20), shape)[20, 2] < rest[20, 2] - 0.005


def test_keypoints_lie_where_people_mark_them():
    shape = HandShape()
    at, points = joints(HandPose(), shape), keypoints(HandPose(), shape)
    assert np.allclose(points[1], at[0, 0] + 0.25 * (at[0, 1] - at[0, 0]))
    assert np.allclose(points[[5, 9, 13, 17]], at[1:, 0]) and np.allclose(points[[7, 11, 15, 19]], at[1:, 2])
    assert np.allclose(points[0], 0)


def test_pinches_bring_the_tips_together():
    for name, tip in (('ok', 8), ('pinch_middle', 12), ('pinch_ring', 16), ('pinch_little', 20)):
        points = keypoints(GESTURES[name], HandShape())
        assert np.linalg.norm(points[4] - points[tip]) < 0.016, name


def test_a_fist_brings_the_tips_to_the_palm():
    points = keypoints(GESTURES['fist'], HandShape())
    assert (points[[8, 12, 16, 20], 1] < points[[5, 9, 13, 17], 1]).all()
    assert (points[[8, 12, 16, 20], 2] > -0.03).all()


def test_sizes_that_make_no_hand():
    with pytest.raises(ValueError, match=r'palm: expected shape \(3,\)'):
        HandShape(palm=np.ones(2))
    with pytest.raises(ValueError, match='breadth: expected positive numbers'):
        HandShape(breadth=np.zeros((5, 3)))


def test_many_poses_at_once_are_the_same_as_one_by_one():
    rng = np.random.default_rng(3)
    shape = random_shape(rng)
    angles = np.stack([PoseSampler().sample(rng, shape)[1].angles for _ in range(4)])
    for function, rows in ((joint_frames, (len(FRAME_INDEX), 4, 4)), (hand_keypoints, (21, 3))):
        together = function(angles.reshape(2, 2, -1), shape)
        assert together.shape == (2, 2, *rows)
        assert np.allclose(together.reshape(4, *rows), [function(one, shape) for one in angles])
