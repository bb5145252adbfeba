"""Keypoints → joint angles: what was posed comes back."""

import json

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from handkp_plugins.synthetic.hand.kinematics import hand_keypoints
from handkp_plugins.synthetic.hand.pose import ANGLE_NAMES, HIGH, LOW, HandPose
from handkp_plugins.synthetic.hand.shape import HandShape, random_shape
from handkp_plugins.synthetic.inverse_kinematics import model
from handkp_plugins.synthetic.inverse_kinematics.fit_poses import fit_poses
from handkp_plugins.synthetic.poses.sampler import PoseSampler

SHAPE = HandShape()
ALMOST_UNSEEN = ('thumb_rotation', 'wrist_flexion', 'wrist_deviation')
"""A turn of the thumb about itself shows only in how its other joints bend; the wrist's angles do not show at all."""
SEEN = [i for i, name in enumerate(ANGLE_NAMES) if name not in ALMOST_UNSEEN]


def some_hands(count: int, seed: int = 0, shape: HandShape = SHAPE) -> tuple[np.ndarray, np.ndarray]:
    """Angles (N, 24) and keypoints (N, 21, 3) in metres of a right hand, turned at random, somewhere."""
    rng = np.random.default_rng(seed)
    sampler = PoseSampler(shares={'named': 1, 'letter': 1, 'mixed': 1, 'random': 1, 'folded': 1})
    angles = np.stack([sampler.sample(rng, shape)[1].angles for _ in range(count)])
    rotations = Rotation.from_rotvec(rng.uniform(-2, 2, (count, 3))).as_matrix()
    return angles, hand_keypoints(angles, shape) @ rotations.swapaxes(1, 2) + rng.normal(size=(count, 1, 3))


def off(given: np.ndarray, fitted: np.ndarray) -> np.ndarray:
    """(N,) root mean square distance between keypoints."""
    return np.sqrt(((given - fitted) ** 2).sum(2).mean(1))


def rms(errors: np.ndarray) -> float:
    return float(np.sqrt((errors**2).mean()))


@pytest.fixture(scope='module')
def hands() -> tuple[np.ndarray, np.ndarray]:
    return some_hands(40)


def test_derivatives_are_those_of_the_keypoints():
    rng, angles = np.random.default_rng(0), model.NUM_ANGLES
    parameters = rng.normal(0, 0.1, (3, model.NUM_PARAMETERS))
    parameters[:, :angles] = rng.uniform(np.radians(LOW[:angles]), np.radians(HIGH[:angles]))
    rotations = Rotation.from_rotvec(rng.normal(size=(3, 3)))
    _, slopes = model.camera_keypoints_and_slopes(parameters, rotations.as_matrix())

    def moved(step: np.ndarray) -> np.ndarray:
        rotated = Rotation.from_rotvec(step[model.ROTATION]) * rotations
        return model.camera_keypoints_and_slopes(parameters + step, rotated.as_matrix())[0]

    for i, step in enumerate(1e-6 * np.eye(model.NUM_PARAMETERS)):
        assert np.allclose((moved(step) - moved(-step)) / 2e-6, slopes[..., i], atol=1e-6), i


def test_the_model_is_the_kinematics(hands):
    angles, _ = hands
    parameters = np.zeros((len(angles), model.NUM_PARAMETERS))
    parameters[:, : model.NUM_ANGLES] = np.radians(angles[:, : model.NUM_ANGLES])
    parameters[:, model.SCALE], parameters[:, model.TRANSLATION] = np.log(2), [1, 2, 3]
    points, _ = model.camera_keypoints_and_slopes(parameters, np.tile(np.eye(3), (len(angles), 1, 1)))
    assert np.allclose(points, 2 * hand_keypoints(angles, SHAPE) + [1, 2, 3])


def test_three_dimensions(hands):
    angles, points = hands
    fit = fit_poses(points, handedness='right')
    assert rms((fit.angles - angles)[:, SEEN]) < 2.0
    assert off(points, fit.keypoints).max() < 0.001
    assert fit.residual == pytest.approx(off(points, fit.keypoints) / 0.185, rel=0.1)
    assert not fit.is_left.any() and (fit.angles[:, -2:] == 0).all()
    for row in fit.angles.astype(np.float32):
        HandPose(row)  # within limits


def test_scale_and_place_do_not_matter(hands):
    _, points = hands
    fits = [fit_poses(p, handedness='right') for p in (points[:6], 1000 * points[:6] - 77)]
    assert np.allclose(fits[0].angles, fits[1].angles, atol=0.05)
    assert np.allclose(1000 * fits[0].keypoints - 77, fits[1].keypoints, atol=0.1)


def test_left_hands_are_found_out(hands):
    angles, points = hands
    left = points * [-1, 1, 1]
    fit = fit_poses(np.concatenate([points[:8], left[8:16]]))
    assert fit.is_left.tolist() == [False] * 8 + [True] * 8
    assert rms((fit.angles - angles[:16])[:, SEEN]) < 2.0
    assert off(left[8:16], fit.keypoints[8:]).max() < 0.001
    wrong = fit_poses(left, handedness='right')
    assert np.median(wrong.residual) > 5 * np.median(fit.residual)


@pytest.mark.parametrize('side', [1, -1])
def test_the_view_turns_the_palm_to_the_camera(hands, side):
    angles, points = hands
    fit = fit_poses(points[:12] * [side, 1, 1])
    own = hand_keypoints(fit.angles, SHAPE)
    seen = own @ fit.views.swapaxes(1, 2) * np.where(fit.is_left, -1, 1)[:, None, None] ** [1, 0, 0]
    given = points[:12] * [side, 1, 1]
    assert (fit.is_left == (side < 0)).all()
    assert off(given - given.mean(1, keepdims=True), seen - seen.mean(1, keepdims=True)).max() < 0.003


def test_two_dimensions(hands):
    angles, points = hands
    flat = points[..., :2]
    fit = fit_poses(flat)
    assert np.quantile(fit.residual, 0.95) < 0.01
    assert off(flat, fit.keypoints).max() < 0.02 * 0.185
    assert np.median(np.abs(fit.angles - angles)[:, SEEN]) < 3.5
    mirrored = fit_poses(flat * [-1, 1])  # a left hand's picture: the same pose
    assert np.median(np.abs(mirrored.angles - angles)[:, SEEN]) < 3.5


def test_what_no_finger_can_do_shows_in_the_residual():
    bent_back = HandPose().angles.copy()
    bent_back[[ANGLE_NAMES.index('index_pip'), ANGLE_NAMES.index('index_dip')]] = -70
    points = hand_keypoints(np.stack([HandPose().angles, bent_back]), SHAPE)
    fit = fit_poses(points, handedness='right')
    assert fit.residual[1] > 0.02 > 0.005 > fit.residual[0]
    assert ((fit.angles >= LOW) & (fit.angles <= HIGH)).all()


def test_other_peoples_hands():
    shape = random_shape(np.random.default_rng(5))
    angles, points = some_hands(12, seed=1, shape=shape)
    assert fit_poses(points).residual.max() < 0.015
    assert np.median(np.abs(fit_poses(points).angles - angles)[:, SEEN]) < 4


def test_neighbours_in_a_sequence_help():
    start, end = HandPose.of(index_mcp=10, thumb_flexion=10), HandPose.of(index_mcp=70, index_pip=90, middle_pip=70)
    angles = np.stack([start.mix(end, share).angles for share in np.linspace(0, 1, 24)])
    points = hand_keypoints(angles, SHAPE)[..., :2]
    noisy = points + np.random.default_rng(0).normal(0, 0.003, points.shape)
    alone, together = fit_poses(noisy), fit_poses(noisy, sequence=True)
    jumps = [rms(np.diff(fit.angles, axis=0)) for fit in (alone, together)]
    assert jumps[1] < 0.8 * jumps[0]
    assert rms((together.angles - angles)[:, SEEN]) < rms((alone.angles - angles)[:, SEEN])


def test_depth_that_is_a_guess_counts_less(hands):
    _, points = hands
    guessed = points[:10].copy()
    guessed[..., 2] += np.random.default_rng(0).normal(0, 0.02, (10, 21))
    flat = [
        off(fit.keypoints[..., :2], guessed[..., :2]).mean()
        for fit in (fit_poses(guessed, 'right', depth_trust=trust) for trust in (1.0, 0.1))
    ]
    assert flat[1] < 0.5 * flat[0]


def test_what_cannot_be_fitted(hands):
    _, points = hands
    broken = points[:4].copy()
    broken[2, 5, 1] = np.nan
    with pytest.raises(ValueError, match='expected finite numbers, got others in row 2'):
        fit_poses(broken)
    broken[2] = 0.3
    with pytest.raises(ValueError, match='one for all in row 2'):
        fit_poses(broken)
    with pytest.raises(ValueError, match=r'expected shape \(N, 21, 2 or 3\), got \(4, 20, 3\)'):
        fit_poses(points[:4, 1:])
    with pytest.raises(ValueError, match="expected 'left', 'right' or 'auto', got 'both'"):
        fit_poses(points, handedness='both')
    with pytest.raises(ValueError, match='got 0 and 1'):
        fit_poses(points, noise=0)
    assert fit_poses(points[:0]).angles.shape == fit_poses(points[:0, :, :2]).angles.shape == (0, 24)


def test_recorded_hands(real_data):
    video = np.load(real_data / 'dex_retargeting_hand' / 'joints_3d.npz')['joints_m'][::20]
    assert np.median(fit_poses(video, noise=0.003).residual) < 0.035
    frames = json.loads((real_data / 'tfjs_asl_hand' / 'asl_hand.full.json').read_text())[::20]
    assert np.median(fit_poses(np.array(frames)[..., :2], noise=0.003).residual) < 0.02
