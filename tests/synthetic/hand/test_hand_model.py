"""The skinned surface: closed, smooth, around its joints; left hands are mirrored right hands."""

import numpy as np
import pytest

from handkp_plugins.synthetic.hand.model import ProceduralHand
from handkp_plugins.synthetic.hand.pose import HandPose
from handkp_plugins.synthetic.hand.proxies import FINGER_OF_SPHERE, pose_penetration
from handkp_plugins.synthetic.hand.shape import HandShape, random_shape
from handkp_plugins.synthetic.hand.skin import SkinLook, random_skin
from handkp_plugins.synthetic.hand.template import REST_POSE
from handkp_plugins.synthetic.poses.gestures import GESTURES
from handkp_plugins.synthetic.poses.sampler import PoseSampler


@pytest.fixture(scope='module')
def model() -> ProceduralHand:
    return ProceduralHand()


def volume(vertices: np.ndarray, faces: np.ndarray) -> float:
    a, b, c = (vertices[faces[:, i]].astype(float) for i in range(3))
    return float((a * np.cross(b, c)).sum() / 6)


def test_the_surface_is_closed_and_faces_outward(model):
    faces = model.template.faces
    edges = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1)
    _, count = np.unique(edges, axis=0, return_counts=True)
    assert (count == 2).all()
    for handedness in ('left', 'right'):
        hand = model.pose(HandPose(), HandShape(), handedness)
        assert 0.0015 < volume(hand.vertices, hand.faces) < 0.0035  # hand and forearm, cubic metres


def test_the_resting_mean_hand_is_the_template(model):
    hand = model.pose(REST_POSE, HandShape())
    assert np.allclose(hand.vertices, model.template.vertices, atol=1e-6)
    assert np.allclose(hand.normals, model.template.normals, atol=1e-4)


def test_weights_sum_to_one_and_vary_smoothly(model):
    template = model.template
    assert np.allclose(template.weights.sum(1), 1, atol=1e-5)
    step = np.abs(template.weights[template.faces[:, 0]] - template.weights[template.faces[:, 1]]).sum(1)
    assert np.percentile(step, 99.9) < 0.6


@pytest.mark.parametrize('gesture', ['open', 'fist', 'ok'])
def test_left_is_the_mirror_of_right(model, gesture):
    shape = random_shape(np.random.default_rng(3))
    right, left = (model.pose(GESTURES[gesture], shape, side) for side in ('right', 'left'))
    for name in ('vertices', 'normals', 'keypoints'):
        assert np.allclose(getattr(left, name), getattr(right, name) * [-1, 1, 1], atol=1e-7), name
    assert left.handedness == 'left'
    assert np.linalg.det(left.forearm[:3, :3]) == pytest.approx(1)


@pytest.mark.parametrize('seed', range(6))
def test_keypoints_lie_inside_the_flesh(model, seed):
    """The solid angle of a closed surface around an inner point is the whole sphere."""
    rng = np.random.default_rng(seed)
    shape = random_shape(rng)
    hand = model.pose(PoseSampler().sample(rng, shape)[1], shape)
    inside = []
    for point in hand.keypoints:
        a, b, c = (hand.vertices[hand.faces[:, i]].astype(float) - point for i in range(3))
        la, lb, lc = (np.linalg.norm(v, axis=1) for v in (a, b, c))
        over = (a * np.cross(b, c)).sum(1)
        under = la * lb * lc + (a * b).sum(1) * lc + (b * c).sum(1) * la + (c * a).sum(1) * lb
        inside.append(np.arctan2(over, under).sum() / (2 * np.pi))
    assert np.array(inside).min() > 0.9


def test_a_longer_finger_moves_its_skin_and_nothing_else(model):
    segments = HandShape().segments
    segments[2] *= 1.2
    rest, longer = (model.pose(HandPose(), shape) for shape in (HandShape(), HandShape(segments=segments)))
    moved = np.linalg.norm(longer.vertices - rest.vertices, axis=1)
    tip = (model.template.finger == 2) & (model.template.place > 2.5)
    others = np.isin(model.template.finger, [0, 1, 3, 4]) & (model.template.place > 0.7)
    assert moved[tip].min() > 0.015 and moved[others].max() < 0.003


def test_wrong_handedness(model):
    with pytest.raises(ValueError, match="expected 'left' or 'right', got 'both'"):
        model.pose(HandPose(), HandShape(), 'both')


def test_gestures_do_not_pass_through_themselves():
    for name, pose in GESTURES.items():
        assert pose_penetration(pose, HandShape()) < 0.006, name
    through = GESTURES['fist'].replace({'index_dip': 0, 'index_pip': 100, 'thumb_flexion': 40})
    assert pose_penetration(through, HandShape()) > 0.008


def test_spheres_follow_the_fingers(model):
    hand = model.pose(HandPose(), HandShape())
    middle = hand.spheres[FINGER_OF_SPHERE == 2]
    assert abs(middle[-1, 1] - hand.keypoints[12, 1]) < 0.003 and (np.diff(middle[:, 1]) > 0).all()


def test_skin_runs_from_light_to_dark_and_palms_are_lighter(model):
    light, dark = (model.colors(SkinLook(tone=tone)) for tone in (0.0, 1.0))
    assert light.shape == (len(model.resting), 3) and light.max() <= 1 and dark.min() >= 0
    assert light.mean() > 2 * dark.mean()
    palm, back = model.painter.palmar > 0.9, model.painter.palmar < 0.1
    assert dark[palm].mean() > 1.3 * dark[back].mean()
    with pytest.raises(ValueError, match='tone: .* got 2'):
        SkinLook(tone=2)


def test_the_same_look_gives_the_same_colours(model):
    look = random_skin(np.random.default_rng(4))
    assert np.array_equal(model.colors(look), model.colors(look))
    assert not np.array_equal(model.colors(look), model.colors(random_skin(np.random.default_rng(5))))
