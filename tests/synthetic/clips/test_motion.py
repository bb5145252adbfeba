"""Movements in time, moving cameras and blur by motion."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from handkp_plugins.synthetic.clips.hand_motion import TAPPING, FingerPlan, finger_motion, hand_path
from handkp_plugins.synthetic.clips.motion import CameraPath, minimum_jerk, random_camera_path, sway
from handkp_plugins.synthetic.hand.kinematics import FRAME_INDEX, joint_frames, keypoints_from_frames
from handkp_plugins.synthetic.hand.pose import ANGLE_NAMES, HIGH, LOW
from handkp_plugins.synthetic.hand.proxies import pose_penetration
from handkp_plugins.synthetic.hand.shape import HandShape
from handkp_plugins.synthetic.poses.gestures import GESTURES
from handkp_plugins.synthetic.poses.sampler import MAX_PENETRATION, PoseSampler
from handkp_plugins.synthetic.rendering.camera import Camera
from handkp_plugins.synthetic.rendering.lights import Light, Lighting
from handkp_plugins.synthetic.rendering.photometric import apply_camera, motion_blur, random_camera

TIME = np.arange(60) / 30


def test_a_movement_starts_and_ends_at_rest():
    assert minimum_jerk(np.array([-1, 0, 0.5, 1, 2])).tolist() == [0, 0, 0.5, 1, 1]
    step = 1e-3
    velocity = np.diff(minimum_jerk(np.arange(-0.1, 1.1, step))) / step
    acceleration = np.diff(velocity) / step
    assert velocity.max() == pytest.approx(1.875, abs=1e-3) and velocity.min() >= 0
    # no jump, also where the movement starts and ends: the jerk there is 60
    assert np.abs(np.diff(acceleration)).max() < 61 * step


def test_sway_has_the_deviation_asked_for_and_no_corners():
    time = np.arange(6000) / 30
    moved = sway(time, 0.002, np.random.default_rng(0))
    assert moved.shape == (6000, 3) and moved.std(0) == pytest.approx(0.002, rel=0.1)
    assert np.abs(np.diff(moved, 2, axis=0)).max() < 0.002


@pytest.mark.parametrize('seed', range(6))
def test_fingers_stay_within_limits_and_outside_each_other(seed):
    rng, shape = np.random.default_rng(seed), HandShape()
    angles, gestures = finger_motion(TIME, GESTURES['fist'], 'fist', shape, PoseSampler(), rng)
    assert (angles >= LOW - 1e-6).all() and (angles <= HIGH + 1e-6).all()
    allowed = max(MAX_PENETRATION, pose_penetration(GESTURES['fist'], shape))
    assert pose_penetration(angles, shape).max() <= allowed + 1e-9
    assert np.allclose(angles[0], GESTURES['fist'].angles) and gestures[0] == 'fist' and len(gestures) == 60
    assert np.abs(np.diff(angles, axis=0)).max() < 35  # degrees a frame
    assert np.abs(angles - angles[0]).max() > 5


def test_a_way_through_other_fingers_is_not_gone():
    """A straight line from a thumb outside the fist to one inside cuts through the fingers, whatever starts first."""
    plan, rng = FingerPlan(TIME, GESTURES['fist'], 'fist', HandShape()), np.random.default_rng(0)
    assert not plan.move_to(GESTURES['fist_thumb_in'].mix(GESTURES['fist'], _only('index')), 'through', 0.5, rng)
    assert plan.end == 0 and (plan.angles == GESTURES['fist'].angles).all()
    plan = FingerPlan(TIME, GESTURES['relaxed'], 'relaxed', HandShape())
    assert plan.move_to(GESTURES['open'], 'open', 0.5, rng) and plan.end == 0.5
    assert np.allclose(plan.angles[15:], GESTURES['open'].angles)
    assert plan.names.tolist().index('open') == 8  # the first frame after half of the time


def _only(finger: str) -> np.ndarray:
    return np.array([float(name.startswith(finger)) for name in ANGLE_NAMES])


def test_some_fingers_tap():
    """There and back within less than a second, several times."""
    for seed in range(30):
        angles, names = finger_motion(
            TIME, GESTURES['relaxed'], 'relaxed', HandShape(), PoseSampler(), np.random.default_rng(seed)
        )
        turns = np.diff(np.sign(np.diff(angles[:, np.ptp(angles, axis=0).argmax()])))
        if TAPPING in names and (np.abs(turns) == 2).sum() >= 3:
            return
    raise AssertionError('no finger tapped in 30 clips')


def test_late_frames_are_as_well_placed_as_early_ones():
    """Size, place and turn of an open hand in clips of 20 seconds, on the average of many: no drift to a border."""
    time, camera, clips = np.arange(0, 20, 0.2), Camera(240, 400.0, 320), 200
    frames = joint_frames(np.tile(GESTURES['open'].angles, (len(time), 1)), HandShape())
    keypoints, forearms = keypoints_from_frames(frames, HandShape()), frames[:, FRAME_INDEX['forearm'], :3, :3]
    ways = [
        hand_path(time, keypoints, forearms, np.diag([-1.0, -1, 1]), camera, np.random.default_rng(i))
        for i in range(clips)
    ]
    points = np.stack([np.einsum('nki,nmi->nkm', keypoints, axes) + offsets[:, None] for axes, offsets in ways])
    pixels = camera.project(points.reshape(-1, 3)).reshape(clips, len(time), 21, 2)
    low, high = pixels.min(2), pixels.max(2)  # (clips, N, 2)
    size = (high - low).max(-1) / camera.size
    place = (low + high) / 2 - (camera.extent - 1) / 2
    facing = np.stack([axes[:, 2, 2] for axes, _ in ways])
    late = slice(-20, None)
    for spread in (size, *np.moveaxis(place, -1, 0), facing):
        assert spread[:, late].std() == pytest.approx(spread[:, 0].std(), rel=0.15)
        assert spread[:, late].mean() == pytest.approx(spread[:, 0].mean(), abs=0.2 * spread[:, 0].std())
    assert ((pixels[:, late] >= 0) & (pixels[:, late] <= camera.extent - 1)).all(-1).mean() > 0.99


def test_a_wall_moves_as_the_moving_camera_sees_it():
    camera, distance = Camera(200, 100.0, 100), 2.0
    axes = Rotation.from_euler('y', [[0], [0], [0.1]]).as_matrix()
    path = CameraPath(axes, np.array([[0, 0, 0], [0.2, 0, 0], [0.1, -0.3, 0.5]]))
    points = np.array([[0, 0, 2.0], [0.5, 0.3, 2.0], [-0.7, 0.1, 2.0]])
    at_rest = np.concatenate([camera.project(points), np.ones((3, 1))], axis=1)
    for i, homography in enumerate(path.homographies(camera, distance)):
        mapped = at_rest @ homography.T
        seen = (points - path.positions[i]) @ axes[i]
        assert mapped[:, :2] / mapped[:, 2:] == pytest.approx(camera.project(seen))
    # 20 cm to the right, 2 m away, at a focal length of 100 pixels: 10 pixels to the left
    shift = path.homographies(camera, distance)[1] @ at_rest[0] - at_rest[0]
    assert shift == pytest.approx([-10, 0, 0])


def test_hand_and_lamps_stay_in_the_world_while_the_camera_moves():
    turned = Rotation.from_euler('y', np.pi / 2).as_matrix()  # the camera looks to the right, along x
    path = CameraPath(turned[None], np.array([[0.1, 0, 0]]))
    axes, offsets = path.to_moving_camera(np.eye(3)[None], np.array([[0.6, 0, 0]]))
    assert offsets[0] == pytest.approx([0, 0, 0.5]) and axes[0] == pytest.approx(turned.T)
    lamp = Light(np.array([1.0, 0, 0]), np.ones(3), 0.1)
    lighting = path.rotate_lighting(0, Lighting((lamp,), np.ones(3), np.ones(3)))
    assert lighting.lamps[0].direction == pytest.approx([0, 0, 1])


def test_some_cameras_stand_and_none_jumps():
    paths = [random_camera_path(TIME, np.random.default_rng(i)) for i in range(40)]
    still = [np.ptp(path.positions) == 0 for path in paths]
    assert 4 < sum(still) < 25
    assert max(np.abs(np.diff(path.positions, axis=0)).max() for path in paths) < 0.02


def test_a_streak_lies_along_the_motion():
    dot = np.zeros((21, 21, 3), np.float32)
    dot[10, 10] = 1
    spread = motion_blur(dot, np.array([8.0, 0]))[..., 0]
    assert spread.sum() == pytest.approx(1, abs=1e-4)
    along = np.flatnonzero(spread[10] > 0.04)
    assert spread[9:12].sum() > 0.99 and 8 <= len(along) <= 10 and along.mean() == 10
    assert motion_blur(dot, np.array([0.4, -0.6])) is dot


def test_noise_is_new_in_each_picture_and_the_rest_is_not():
    rng = np.random.default_rng(4)
    look = random_camera(64, rng)
    one, two = (apply_camera(np.full((64, 48, 3), 0.5, np.float32), look, rng).astype(float) for _ in range(2))
    assert one.shape == (64, 48, 3) and (one != two).mean() > 0.3
    assert one.mean((0, 1)) == pytest.approx(two.mean((0, 1)), abs=0.5)
