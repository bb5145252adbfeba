"""Cameras around a hand: apart, aimed at it, with the arm out of the way, and true cameras."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from handkp_plugins.synthetic.hand.model import HandModel, ProceduralHand
from handkp_plugins.synthetic.hand.shape import HandShape
from handkp_plugins.synthetic.multiview import cameras as module
from handkp_plugins.synthetic.multiview.cameras import APART, DISTANCE, PlacedCamera, aim, random_cameras
from handkp_plugins.synthetic.poses.gestures import GESTURES
from handkp_plugins.synthetic.scenes.scene import HandInScene
from handkp_plugins.synthetic.scenes.views import arm_is_clear

SIZE = 64


@pytest.fixture(scope='module')
def model() -> ProceduralHand:
    return ProceduralHand(3.0)


def hand_in_world(model: HandModel, seed: int) -> HandInScene:
    rng = np.random.default_rng(seed)
    pose = GESTURES[str(rng.choice(list(GESTURES)))]
    axes = Rotation.random(random_state=seed).as_matrix()
    return HandInScene(model, model.pose(pose, HandShape()), pose, HandShape(), '', axes, np.zeros(3), None)


@pytest.mark.parametrize('num', [1, 2, 5, 8])
def test_cameras_are_apart_aimed_and_clear_of_the_arm(model, num):
    for seed in range(8):
        hand = hand_in_world(model, seed)
        placed = random_cameras(num, SIZE, hand, np.random.default_rng(seed))
        keypoints = hand.to_camera(hand.hand.keypoints)
        middle = 0.5 * (keypoints.min(0) + keypoints.max(0))
        to_camera = np.stack([p.position for p in placed]) - middle
        distance = np.linalg.norm(to_camera, axis=1)
        assert len(placed) == num and (distance >= DISTANCE[0]).all() and (distance <= DISTANCE[1]).all()
        cosine = np.clip((to_camera @ to_camera.T) / np.outer(distance, distance), -1, 1)
        assert np.degrees(np.arccos(cosine))[~np.eye(num, dtype=bool)].min(initial=180) >= APART - 1e-6
        for camera in placed:
            assert np.allclose(camera.rotation @ camera.rotation.T, np.eye(3), atol=1e-12)
            assert np.linalg.det(camera.rotation) == pytest.approx(1)
            assert 2.0 * SIZE <= camera.camera.focal <= 2.2 * SIZE
            points = camera.to_camera(keypoints)
            pixels = camera.camera.project(points)
            assert (points[:, 2] > 0.4).all() and (pixels > 0).all() and (pixels < SIZE - 1).all()
            ahead = camera.to_camera(middle[None])[0]
            assert np.degrees(np.arccos(ahead[2] / np.linalg.norm(ahead))) < 6
            assert arm_is_clear(hand.hand, camera.rotation @ hand.axes, camera.translation)


def test_they_stand_on_all_sides_and_mostly_upright(model):
    placed = [
        c for seed in range(20) for c in random_cameras(8, SIZE, hand_in_world(model, 0), np.random.default_rng(seed))
    ]
    position = np.stack([c.position for c in placed])
    assert (position.max(0) > 0.5).all() and (position.min(0) < -0.5).all()
    level = [c for c in placed if abs(c.rotation[2, 1]) < 0.7]
    down = np.stack([c.rotation[:, 1] for c in level])  # the world's y in the camera's frame
    assert np.mean(np.degrees(np.arctan2(np.abs(down[:, 0]), down[:, 1])) < 30) > 0.9


def test_a_camera_aimed_along_z_is_the_world(model):
    assert np.allclose(aim(np.array([0, 0, 2.0]), 0.0), np.eye(3))
    rotation = aim(
        np.array([1.0, 0, 0]), 0.0
    )  # a camera that looks to the right sees the right ahead and z on its left
    assert np.allclose(rotation @ [1, 0, 0], [0, 0, 1]) and np.allclose(rotation @ [0, 0, 1], [-1, 0, 0])
    placed = PlacedCamera(None, rotation, -rotation @ [0.5, 0.2, 0.1])
    assert np.allclose(placed.position, [0.5, 0.2, 0.1])
    assert np.allclose(placed.to_camera(np.array([[0.7, 0.3, 0.1]])), [[0, 0.1, 0.2]])


def test_too_many_cameras_are_an_error(model, monkeypatch):
    monkeypatch.setattr(module, '_TRIES', 20)
    with pytest.raises(RuntimeError, match='no place for 30 cameras found in 20 tries'):
        random_cameras(30, SIZE, hand_in_world(model, 0), np.random.default_rng(0))
