"""What random scenes hold: hands, things, light, and their places."""

from collections import Counter

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from handkp_plugins.synthetic.hand.model import ProceduralHand
from handkp_plugins.synthetic.hand.proxies import FINGER_OF_SPHERE
from handkp_plugins.synthetic.hand.shape import HandShape
from handkp_plugins.synthetic.poses.gestures import GESTURES
from handkp_plugins.synthetic.poses.sampler import PoseSampler
from handkp_plugins.synthetic.rendering.camera import Camera
from handkp_plugins.synthetic.rendering.lights import random_lighting
from handkp_plugins.synthetic.rendering.meshes import ball, box, cylinder, paint, torus
from handkp_plugins.synthetic.scenes import scene as module
from handkp_plugins.synthetic.scenes.grasp import held_object
from handkp_plugins.synthetic.scenes.scene import Scene, random_scene
from handkp_plugins.synthetic.scenes.views import LAYER, random_view
from handkp_plugins.synthetic.scenes.worn import ring, watch


@pytest.fixture(scope='module')
def hands() -> list[ProceduralHand]:
    return [ProceduralHand(), ProceduralHand()]


@pytest.fixture(scope='module')
def scenes(hands) -> list[Scene]:
    return [random_scene(hands, 128, np.random.default_rng([3, i]), PoseSampler(), layer=True) for i in range(150)]


def test_shares_and_equal_use_of_models(hands, scenes):
    models = Counter(id(scene.main.model) for scene in scenes)
    assert set(models) == set(map(id, hands)) and min(models.values()) > 50
    for found, share in (
        ([s.in_front for s in scenes], module.IN_FRONT_SHARE),
        ([s.other for s in scenes], module.OTHER_HAND_SHARE),
        ([s.held for s in scenes], 0.6 * module.HELD_SHARE),
    ):
        assert 0.3 * share < np.mean([thing is not None for thing in found]) < 2 * share


def test_scenes_depend_on_the_seed_alone(hands, scenes):
    again = random_scene(hands, 128, np.random.default_rng([3, 7]), PoseSampler(), layer=True)
    assert np.array_equal(again.main.hand.vertices, scenes[7].main.hand.vertices)
    assert np.array_equal(again.main.offset, scenes[7].main.offset)


def test_hands_alone_have_no_company(hands):
    for i in range(40):
        scene = random_scene(hands, 128, np.random.default_rng([3, i]), PoseSampler(), alone=True)
        assert not scene.objects and len(scene.hands) == 1


def test_hands_of_one_shape_do(hands):
    scenes = [random_scene(hands, 128, np.random.default_rng([3, i]), PoseSampler(), one_shape=True) for i in range(4)]
    assert all(np.array_equal(scene.main.shape.segments, HandShape().segments) for scene in scenes)


def test_most_layers_are_whole_and_have_room_around_them(scenes):
    whole = []
    for scene in scenes:
        hand = scene.main
        pixels = scene.camera.project(hand.to_camera(hand.hand.vertices[hand.model.is_hand]))
        low, high = pixels.min(0), pixels.max(0)
        whole.append((low > 0).all() and (high < 127).all() and (high - low).max() < 1.05 * LAYER.limits[1] * 128)
    assert 0.85 < np.mean(whole) < 1


def test_another_hand_does_not_pass_through_the_main_one(scenes):
    others = [scene for scene in scenes if scene.other]
    assert len(others) > 5
    for scene in others:
        a, b = scene.main.spheres, scene.other.spheres
        gap = np.linalg.norm(a[:, None, :3] - b[None, :, :3], axis=2) - a[:, None, 3] - b[None, :, 3]
        assert gap.min() > -0.0031


def test_a_thing_in_front_covers_some_keypoints_and_not_most(scenes):
    for scene in scenes:
        if scene.in_front:
            points = scene.main.to_camera(scene.main.hand.keypoints)
            covered = module._covered(scene.in_front.mesh.points, points, scene.camera)
            assert 0 < covered <= 0.4
            nearest = scene.in_front.mesh.points[:, 2].min()
            assert 0.05 < nearest < points[:, 2].max()


def test_half_the_keypoints_under_a_board():
    points = np.array([[x, 0, 1.0] for x in (-0.3, -0.1, 0.1, 0.3)])
    board = box(np.array([0.2, 0.2, 0.01])).transform(np.eye(3), np.array([0.2, 0, 0.9]))
    assert module._covered(board.points, points, Camera(100, 100)) == 0.5


@pytest.mark.parametrize('name', ['holding_cup', 'grab', 'cup', 'tripod'])
def test_held_things_touch_the_hand_and_do_not_pass_through_it(hands, name):
    hand, found = hands[0].pose(GESTURES[name], HandShape(), 'left'), 0
    for seed in range(12):
        obj = held_object(hand, np.random.default_rng(seed))
        if obj is None:
            continue
        found += 1
        to_surface = np.linalg.norm(obj.mesh.points[:, None] - hand.spheres[None, :, :3], axis=2) - hand.spheres[:, 3]
        assert to_surface.min() > -0.0035  # flesh gives way a little
        touching = {int(finger) for finger in FINGER_OF_SPHERE[to_surface.min(0) < 0.012]}
        assert len(touching) >= 2
    assert found >= 3


def test_rings_and_watches_lie_around_what_wears_them(hands):
    hand = hands[0].pose(GESTURES['open'], HandShape(), 'right')
    for seed in range(5):
        obj = ring(hand, np.random.default_rng(seed))
        middle = obj.mesh.points.mean(0)
        assert np.linalg.norm(hand.keypoints - middle, axis=1).min() < 0.03
        across = np.linalg.norm(obj.mesh.points - middle, axis=1)
        assert across.min() > 0.005 and across.max() < 0.016
        nearest = np.linalg.norm(hand.vertices - middle, axis=1).min()
        assert nearest > 0.003  # the finger's axis lies inside the ring
        strap, dial = watch(hand, np.random.default_rng(seed))
        wrist = hand.keypoints[0]
        assert 0.015 < np.linalg.norm(strap.mesh.points.mean(0) - wrist) < 0.07
        assert dial.mesh.points[:, 2].mean() > strap.mesh.points[:, 2].mean() + 0.01  # on the back


def test_views_of_ones_own_hand_point_away_and_some_hands_hang_down(monkeypatch):
    """Fingers are up in the image (negative y) and away from the camera; or down."""
    for kind, sign in (('first_person', -1), ('upside_down', 1), ('held_up', -1), ('signing', -1)):
        fingers = views_of(kind, monkeypatch)[:, :, 1]
        assert np.mean(np.sign(fingers[:, 1]) == sign) > 0.75
        assert (np.mean(fingers[:, 2] > 0.2) > 0.7) == (kind == 'first_person')


def test_signs_are_shown_upright_and_from_the_palm(monkeypatch):
    """What points away from the camera, z, is the back of the hand; hands that are held up are turned more."""
    upright, palm = (
        {kind: np.mean(views_of(kind, monkeypatch)[:, row, column] * sign > 0.8) for kind in ('signing', 'held_up')}
        for row, column, sign in ((1, 1, -1), (2, 2, 1))
    )
    assert upright['signing'] > 0.65 > 0.5 > upright['held_up']
    assert palm['signing'] > 0.5 > 0.35 > palm['held_up']


def views_of(kind: str, monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    """Rotations (60, 3, 3) of left hands seen in one kind of view."""
    from handkp_plugins.synthetic.scenes import views

    monkeypatch.setattr(views, 'VIEW_SHARES', {kind: 1.0})
    return np.stack([random_view(np.random.default_rng(i), 'left') for i in range(60)])


def test_light_is_often_hard_or_from_behind():
    drawn = [random_lighting(np.random.default_rng(i)) for i in range(300)]
    behind = np.mean([light.lamps[0].direction[2] > 0.5 for light in drawn])
    hard = np.mean([light.lamps[0].softness < 0.08 and light.lamps[0].color.mean() > 1.4 for light in drawn])
    assert 0.1 < behind < 0.35 and 0.1 < hard < 0.4
    assert all(np.linalg.norm(lamp.direction) == pytest.approx(1) for light in drawn for lamp in light.lamps)


@pytest.mark.parametrize(
    'mesh',
    [cylinder(0.01, 0.1, 0.7), box(np.array([0.01, 0.02, 0.003])), ball(0.03), torus((0.01, 0.012), 0.001, 0.002)],
)
def test_solids_are_closed_and_their_normals_point_outward(mesh):
    """The volume that triangles enclose agrees in sign and size with the one that points and normals give."""
    corners = mesh.points[mesh.faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    assert np.linalg.norm(mesh.normals, axis=1) == pytest.approx(np.ones(len(mesh.normals)), abs=1e-6)
    along = (normals * mesh.normals[mesh.faces].mean(1)).sum(1)
    areas = np.linalg.norm(normals, axis=1)
    agree = np.abs(along) > 0.85 * areas
    assert agree[areas > 1e-12].all()
    # a closed surface has no net area vector, once each triangle is turned to its normal
    assert np.abs((normals * np.sign(along)[:, None]).sum(0)).max() < 1e-9
    turned = mesh.transform(Rotation.from_euler('x', 0.5).as_matrix(), np.array([1.0, 2, 3]))
    assert np.allclose(turned.points.mean(0), [1, 2, 3], atol=0.01)
    colors = paint(mesh, np.random.default_rng(0)).colors
    assert colors.shape == mesh.points.shape and (colors >= 0).all() and (colors <= 1).all()
