"""Labels against the rendered image: masks, visibility, left and right."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from handkp_plugins.synthetic.hand.model import ProceduralHand
from handkp_plugins.synthetic.hand.shape import HandShape
from handkp_plugins.synthetic.poses.gestures import GESTURES
from handkp_plugins.synthetic.rendering.camera import Camera, find_translation
from handkp_plugins.synthetic.rendering.meshes import ball, box
from handkp_plugins.synthetic.rendering.renderer import Part
from handkp_plugins.synthetic.scenes import sample as module
from handkp_plugins.synthetic.scenes.grasp import SceneObject
from handkp_plugins.synthetic.scenes.sample import SampleMaker, is_behind_mesh, keypoint_visibility, visible_part
from handkp_plugins.synthetic.scenes.scene import Scene, random_scene
from handkp_plugins.synthetic.scenes.views import random_view
from handkp_plugins.synthetic.scenes.worn import make_sleeve

SIZE = 128
PALM_TO_CAMERA = np.array([[-1.0, 0, 0], [0, -1, 0], [0, 0, 1]])
BACK_TO_CAMERA = np.array([[1.0, 0, 0], [0, -1, 0], [0, 0, -1]])


@pytest.fixture(scope='module')
def maker() -> SampleMaker:
    return SampleMaker([ProceduralHand()], SIZE)


def posed(maker: SampleMaker, gesture: str, axes: np.ndarray, handedness: str) -> Scene:
    scene = random_scene(maker.models, SIZE, np.random.default_rng(0), maker.poses)
    hand = maker.models[0].pose(GESTURES[gesture], HandShape(), handedness)
    offset = find_translation(hand.keypoints @ axes.T, scene.camera, np.array([64.0, 64.0]), 90)
    main = replace(scene.main, hand=hand, shape=HandShape(), axes=axes, offset=offset, sleeve=None)
    return replace(scene, main=main, other=None, held=None, in_front=None, worn=())


def labels(maker: SampleMaker, scene: Scene) -> np.ndarray:
    rendering = maker._render(scene, np.random.default_rng(0))
    return np.array(maker._annotation(scene, rendering)['keypoints']).reshape(21, 3)


def test_keypoints_lie_on_the_rendered_hand(maker):
    inside, visible_inside = [], []
    for index in range(40):
        sample = maker.make(11, index)
        keypoints = np.array(sample.annotation['keypoints']).reshape(21, 3)
        mask = cv2.dilate((sample.mask > 0.3).astype(np.uint8), np.ones((3, 3)))
        for x, y, v in keypoints[keypoints[:, 2] > 0]:
            on_hand = mask[round(y), round(x)] > 0
            inside.append(on_hand)
            if v == 2:
                visible_inside.append(on_hand)
    assert np.mean(inside) > 0.995 and np.mean(visible_inside) > 0.995
    assert len(visible_inside) > 0.4 * len(inside)


def test_labels_agree_with_the_camera_and_the_image(maker):
    for index in range(10):
        sample = maker.make(12, index)
        a, keypoints = sample.annotation, np.array(sample.annotation['keypoints']).reshape(21, 3)
        projected = np.array(a['keypoints_3d']) @ np.array(sample.camera['K']).T
        assert np.allclose(projected[:, :2] / projected[:, 2:], keypoints[:, :2], atol=0.1)
        outside = ((keypoints[:, :2] < -0.5) | (keypoints[:, :2] > SIZE - 0.5)).any(1)
        assert np.array_equal(keypoints[:, 2] == 0, outside)
        x, y, w, h = a['bbox']
        assert x >= 0 and y >= 0 and x + w <= SIZE and y + h <= SIZE and w > 5 and h > 5
        assert 0 < a['area'] <= (w + 2) * (h + 2) and a['num_keypoints'] == (keypoints[:, 2] > 0).sum()
        assert a['handedness'] in ('left', 'right') and sample.image.shape == (SIZE, SIZE, 3)


@pytest.mark.parametrize('handedness', ['left', 'right'])
def test_an_open_palm_shows_every_keypoint(maker, handedness):
    assert (labels(maker, posed(maker, 'open', PALM_TO_CAMERA, handedness))[:, 2] == 2).all()


def test_a_fist_from_the_back_hides_the_fingertips(maker):
    visibility = labels(maker, posed(maker, 'fist', BACK_TO_CAMERA, 'right'))[:, 2]
    assert (visibility[[8, 12, 16, 20]] == 1).all() and (visibility[[0, 5, 9, 13, 17]] == 2).all()


def test_visibility_by_depth_alone():
    points = np.tile([0.0, 0, 0.5], (21, 1))
    pixels = np.tile([3.0, 2.0], (21, 1))
    pixels[1] = [8, 2]
    depth = np.full((5, 8), np.inf)
    depth[2, 3] = 0.42  # eight centimetres before the joints
    assert keypoint_visibility(points, pixels, depth, 1.0).tolist() == [1, 0] + [1] * 19
    depth[2, 3] = 0.495
    assert keypoint_visibility(points, pixels, depth, 1.0).tolist() == [2, 0] + [2] * 19


def test_a_thin_card_on_the_skin_hides_what_lies_under_it_and_belongs_to_alpha(maker):
    scene = posed(maker, 'open', PALM_TO_CAMERA, 'right')
    tip = scene.main.to_camera(scene.main.hand.keypoints)[12]
    card = box(np.array([0.012, 0.06, 0.0004])).transform(np.eye(3), tip - [0, 0, 0.0105])
    behind = box(np.array([0.012, 0.06, 0.0004])).transform(np.eye(3), tip + [0, 0, 0.03])
    for mesh, expected in ((card, 1), (behind, 2)):
        there = replace(scene, held=SceneObject('card', mesh, np.zeros((0, 4)), 0.5))
        assert labels(maker, there)[12, 2] == expected and labels(maker, there)[4, 2] == 2
        x, y, _ = labels(maker, there)[12]
        above = maker._render(there, np.random.default_rng(0)).alpha[max(round(y) - 12, 0), round(x)]
        assert above == 1 and maker._render(scene, np.random.default_rng(0)).alpha[max(round(y) - 12, 0), round(x)] == 0


def test_what_faces_away_need_not_be_drawn(maker, monkeypatch):
    scenes = [random_scene(maker.models, SIZE, np.random.default_rng([8, i]), maker.poses) for i in range(12)]
    some = [maker._render(scene, np.random.default_rng(0)) for scene in scenes]
    every = lambda mesh, camera: (np.arange(len(mesh.points)), mesh.faces)  # noqa: E731
    monkeypatch.setattr(module, 'visible_part', every)
    for scene, part in zip(scenes, some, strict=True):
        whole = maker._render(scene, np.random.default_rng(0))
        assert np.mean(np.abs(whole.alpha - part.alpha) > 0) < 1e-3
        both = np.isfinite(whole.depth) & np.isfinite(part.depth)
        assert np.mean(np.abs(whole.depth[both] - part.depth[both]) > 1e-4) < 2e-3


def test_one_cannot_look_through_a_cuff(maker):
    camera, forearm, tilt = Camera(SIZE, 200.0), np.eye(4), np.deg2rad(60)
    forearm[:3, 0], forearm[:3, 1] = [1, 0, 0], [0, np.sin(tilt), -np.cos(tilt)]  # the hand's end is nearer
    forearm[:3, 2], forearm[:3, 3] = np.cross(forearm[:3, 0], forearm[:3, 1]), [0, 0.08, 0.4]
    sleeve = make_sleeve(forearm, 0.05, HandShape(), np.random.default_rng(0))
    seen, faces = visible_part(sleeve, camera)
    part = maker.renderer.render([Part(sleeve.points[seen], faces, sleeve.colors[seen])], camera.focal)
    whole = maker.renderer.render([Part(sleeve.points, sleeve.faces, sleeve.colors)], camera.focal)
    assert (whole.alpha > 0).sum() > 1500 and np.abs(whole.alpha - part.alpha).max() < 0.5


def test_half_a_ball_and_nothing_outside_the_image_is_seen():
    camera, globe = Camera(100, 100.0), ball(0.1)
    ahead, aside = (globe.transform(np.eye(3), np.array(place)) for place in ([0, 0, 1.0], [1.0, 0, 1.0]))
    seen, faces = visible_part(ahead, camera)
    assert 0.45 < len(faces) / len(ahead.faces) < 0.8 and faces.max() == len(seen) - 1
    assert np.allclose(ahead.points[seen][faces[0]], ahead.points[ahead.faces[_row_of(ahead.faces, seen[faces[0]])]])
    assert len(visible_part(aside, camera)[0]) == 0


def _row_of(faces: np.ndarray, row: np.ndarray) -> int:
    return int(np.flatnonzero((faces == row).all(1))[0])


def test_behind_a_mesh_worked_out_by_hand():
    camera, wall = Camera(101, 100.0), box(np.array([0.1, 0.1, 0.01])).transform(np.eye(3), np.array([0, 0, 0.5]))
    points = np.array([[0, 0, 0.6], [0, 0, 0.4], [0.3, 0, 0.6], [0.11, 0, 0.6]])
    assert is_behind_mesh(wall, points, camera.project(points), camera).tolist() == [True, False, False, True]


@pytest.mark.parametrize('handedness', ['left', 'right'])
def test_the_thumb_is_on_its_side(maker, handedness):
    """Palm to the camera, fingers up: a right hand's thumb is on the right, a left hand's on the left."""
    scene = posed(maker, 'open', PALM_TO_CAMERA, handedness)
    x = labels(maker, scene)[:, 0]
    assert (x[4] > x[20] + 20) == (handedness == 'right')
    x = labels(maker, posed(maker, 'open', BACK_TO_CAMERA, handedness))[:, 0]
    assert (x[4] > x[20] + 20) == (handedness == 'left')


def test_handedness_agrees_with_the_image_in_random_scenes(maker):
    """Seen from the palm's side, wrist → forefinger → little finger turns one way in left hands, the other in right."""
    signs = []
    for index in range(60):
        scene = random_scene(maker.models, SIZE, np.random.default_rng(index), maker.poses)
        palm_to_camera = scene.main.axes @ [0, 0, -1]
        if abs(palm_to_camera[2]) < 0.5:
            continue
        points = scene.camera.project(scene.main.to_camera(scene.main.hand.keypoints))
        a, b = points[5] - points[0], points[17] - points[0]
        turn = np.sign(a[0] * b[1] - a[1] * b[0]) * np.sign(-palm_to_camera[2])
        signs.append((scene.main.hand.handedness, turn))
    assert set(signs) == {('left', 1.0), ('right', -1.0)}


def test_views_of_left_hands_are_not_those_of_right_hands_turned_over():
    """Rotations, never reflections."""
    for seed in range(20):
        axes = random_view(np.random.default_rng(seed), 'left')
        assert np.allclose(axes @ axes.T, np.eye(3)) and np.linalg.det(axes) == pytest.approx(1)


def test_labels_do_not_depend_on_the_background(maker, tmp_path):
    cv2.imwrite(str(tmp_path / 'grey.png'), np.full((50, 50, 3), 90, np.uint8))
    photographed = SampleMaker(maker.models, SIZE, backgrounds=[tmp_path / 'grey.png'])
    for index in range(3):
        plain, other = maker.make(1, index), photographed.make(1, index)
        assert plain.annotation == other.annotation
        assert not np.array_equal(plain.image, other.image)
