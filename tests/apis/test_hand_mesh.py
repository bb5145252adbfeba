"""Meshes of hands in pixels of the image, mirrored, and as files."""

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData
from mmpose.structures import PoseDataSample

from handkp_plugins.apis.hand_mesh import HandMesh, mesh_of
from handkp_plugins.models.hand_layers import HandLayer


@pytest.fixture
def mesh() -> HandMesh:
    layer = HandLayer()
    vertices, keypoints = layer(torch.eye(3).expand(1, 16, 3, 3), torch.zeros(1, 10))
    root = keypoints[:, 9:10]
    found = InstanceData(
        vertices=(vertices - root).numpy(),
        keypoints_3d=(keypoints - root).numpy(),
        rotations=np.tile(np.eye(3), (1, 16, 1, 1)),
        shape=np.zeros((1, 10)),
        weak_camera=np.array([[4.0, 0.25, -0.5]]),
    )
    place = dict(input_size=(256, 256), input_center=np.array([300.0, 200]), input_scale=np.array([512.0, 512]))
    return mesh_of(PoseDataSample(pred_instances=found, metainfo=place), layer.faces.numpy())


def test_points_project_as_the_networks_keypoints(mesh: HandMesh) -> None:
    """û = 2 s xy + t; half of the crop's 512 pixels stand for û from 0 to 1."""
    points = np.array([[0.05, -0.02, 0.3]])
    u = 2 * 4.0 * points[:, :2] + [0.25, -0.5]
    assert np.allclose(mesh.project(points), np.array([300, 200]) + 256 * u)


def test_a_left_hand_is_the_mirror_image(mesh: HandMesh) -> None:
    left = mesh.mirror(640)
    assert np.allclose(left.project(left.keypoints_3d)[:, 0], 639 - mesh.project(mesh.keypoints_3d)[:, 0])
    assert np.allclose(left.project(left.vertices)[:, 1], mesh.project(mesh.vertices)[:, 1])
    assert volume(left) == pytest.approx(volume(mesh)) and volume(mesh) > 1e-4


def volume(mesh: HandMesh) -> float:
    """Of the mesh in m³, whose open wrist is closed in its middle: positive if the triangles face outward."""
    a, b, c = (mesh.vertices[mesh.faces[:, i]].astype(float) for i in range(3))
    return float(np.einsum('ni,ni->n', a, np.cross(b, c)).sum() / 6)


def test_files_hold_the_mesh(mesh: HandMesh) -> None:
    lines = mesh.as_obj().splitlines()
    vertices = np.array([line.split()[1:] for line in lines if line.startswith('v ')], float)
    faces = np.array([line.split()[1:] for line in lines if line.startswith('f ')], int)
    assert np.allclose(vertices * [1, -1, -1], mesh.vertices, atol=1e-5)
    assert np.array_equal(faces - 1, mesh.faces)
    instance = mesh.as_instance()
    assert np.allclose(instance['keypoints_3d'], mesh.keypoints_3d, atol=1e-5)
    assert np.shape(instance['rotations']) == (16, 3, 3) and instance['weak_camera']['scale'] == 2048
