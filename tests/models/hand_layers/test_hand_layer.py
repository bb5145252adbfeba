"""The hand layer with the arrays of the open hand."""

import numpy as np
import pytest
import roma
import torch

from handkp_plugins.models.hand_layers import HandLayer
from handkp_plugins.models.hand_layers.arrays import HandArrays, load_hand_arrays
from handkp_plugins.synthetic.hand.kinematics import hand_keypoints
from handkp_plugins.synthetic.hand.shape import HandShape
from handkp_plugins.synthetic.poses.gestures import GESTURES
from handkp_plugins.synthetic.rigs.open_hand import bone_rotations

THUMB_TIP, MIDDLE_TIP = 4, 12


@pytest.fixture(scope='module')
def layer() -> HandLayer:
    return HandLayer()


def rotations_of(angles: np.ndarray) -> torch.Tensor:
    return torch.tensor(bone_rotations(angles), dtype=torch.float32)[None]


def test_rest_and_mean_shape_are_the_template(layer: HandLayer) -> None:
    vertices, keypoints = layer(torch.eye(3).expand(1, 16, 3, 3), torch.zeros(1, 10))
    assert torch.allclose(vertices[0], layer.points[: layer.num_vertices], atol=1e-6)
    assert keypoints[0, THUMB_TIP].mul(1000).tolist() == pytest.approx([-82.0, 90.2, -45.6], abs=0.05)
    assert keypoints[0, MIDDLE_TIP].mul(1000).tolist() == pytest.approx([-3.0, 186.5, 2.5], abs=0.05)


@pytest.mark.parametrize('gesture', ['relaxed', 'fist', 'point'])
def test_keypoints_are_those_of_the_generated_hand(layer: HandLayer, gesture: str) -> None:
    straight = GESTURES[gesture].replace(dict(palm_arch=0, wrist_flexion=0, wrist_deviation=0)).angles
    expected = hand_keypoints(straight, HandShape())
    _, keypoints = layer(rotations_of(straight), torch.zeros(1, 10))
    assert np.abs(keypoints[0].numpy() - expected).max() < 1e-5


def test_the_mean_pose_is_relaxed(layer: HandLayer) -> None:
    rotations = layer.add_mean_pose(torch.eye(3).expand(1, 16, 3, 3))
    assert torch.allclose(rotations, rotations_of(GESTURES['relaxed'].angles), atol=1e-5)


def test_the_whole_hand_turns_about_the_wrist(layer: HandLayer) -> None:
    turn = roma.rotvec_to_rotmat(torch.tensor([[0.3, -0.8, 1.1]]))
    rotations = rotations_of(GESTURES['ok'].angles)
    shape = torch.randn(1, 10, generator=torch.Generator().manual_seed(0))
    before, joints = layer(rotations, shape)
    after, turned = layer(torch.cat([turn[:, None], rotations[:, 1:]], 1), shape)
    wrist = joints[:, :1]
    assert torch.allclose(turned - wrist, (joints - wrist) @ turn.mT, atol=1e-6)
    assert torch.allclose(after - wrist, (before - wrist) @ turn.mT, atol=1e-6)


def test_shapes_change_the_size_of_a_hand(layer: HandLayer) -> None:
    rest = torch.eye(3).expand(3, 16, 3, 3)
    shape = torch.zeros(3, 10)
    shape[1, 0], shape[2, 0] = 2, -2
    _, keypoints = layer(rest, shape)
    length = (keypoints[:, MIDDLE_TIP] - keypoints[:, 0]).norm(dim=1)
    assert (length[1] - length[0]).abs() > 0.01 and (length[1] - length[0]) * (length[2] - length[0]) < 0


def test_gradients_are_right() -> None:
    layer = HandLayer().double()
    generator = torch.Generator().manual_seed(0)
    vectors = torch.randn(1, 16, 3, generator=generator, dtype=torch.float64, requires_grad=True)
    shape = torch.randn(1, 10, generator=generator, dtype=torch.float64, requires_grad=True)
    chosen = slice(None, None, 97)

    def pose(vectors: torch.Tensor, shape: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        vertices, keypoints = layer(layer.add_mean_pose(roma.rotvec_to_rotmat(vectors)), shape)
        return vertices[:, chosen], keypoints

    assert torch.autograd.gradcheck(pose, (vectors, shape), atol=1e-6)


def test_no_checkpoint_holds_the_arrays(layer: HandLayer) -> None:
    assert not layer.state_dict()


def test_wrong_shapes_are_named(layer: HandLayer) -> None:
    with pytest.raises(
        ValueError, match=r'rotations, shape: expected \(N, 16, 3, 3\) and \(N, 10\), got \(2, 15, 3, 3\)'
    ):
        layer(torch.eye(3).expand(2, 15, 3, 3), torch.zeros(2, 10))
    arrays = {name: getattr(load_hand_arrays('open'), name) for name in HandArrays.__annotations__}
    with pytest.raises(ValueError, match=r'weights: expected finite numbers of shape \(828, 16\), got \(828, 15\)'):
        HandArrays(**arrays | dict(weights=arrays['weights'][:, 1:]))


def test_a_hand_is_open_or_a_file() -> None:
    with pytest.raises(ValueError, match="hand: expected 'open' or a file of MANO, .pkl or .npz, got 'mano'"):
        HandLayer('mano')
    with pytest.raises(FileNotFoundError, match='got nowhere.pkl, which does not exist'):
        HandLayer('nowhere.pkl')
