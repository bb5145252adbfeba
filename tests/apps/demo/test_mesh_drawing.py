"""Meshes drawn over an image."""

from dataclasses import replace

import cv2
import numpy as np
import torch

from handkp_plugins.apis.hand_mesh import HandMesh
from handkp_plugins.apps.demo.mesh_drawing import MeshDrawer
from handkp_plugins.models.hand_layers import HandLayer


def hand() -> HandMesh:
    """A hand with its fingers up and its palm to the camera, 1,500 pixels per metre."""
    layer = HandLayer()
    rotations = torch.eye(3).repeat(1, 16, 1, 1)
    rotations[:, 0] = torch.diag(torch.tensor([-1.0, -1, 1]))
    vertices, keypoints = (p[0].numpy() for p in layer(rotations, torch.zeros(1, 10)))
    return HandMesh(
        vertices - keypoints[9], layer.faces.numpy(), keypoints - keypoints[9], rotations[0].numpy(), np.zeros(10),
        1500.0, np.array([320.0, 240]),
    )  # fmt: skip


def test_the_mesh_lies_where_its_points_project() -> None:
    image, mesh = np.zeros((480, 640, 3), np.uint8), hand()
    drawn = MeshDrawer().draw(image, [mesh])
    assert not image.any()
    covered = (drawn > 30).any(-1)
    covered[:164, -164:] = False  # the view from the side
    expected = np.zeros((480, 640), np.uint8)
    for triangle in mesh.project(mesh.vertices)[mesh.faces]:
        cv2.fillConvexPoly(expected, np.rint(triangle).astype(np.int32), 1)
    common = (covered & (expected > 0)).sum() / (covered | (expected > 0)).sum()
    assert common > 0.95


def test_the_view_from_the_side_is_in_the_corner() -> None:
    image = np.zeros((480, 640, 3), np.uint8)
    drawn = MeshDrawer().draw(image, [replace(hand(), center=np.array([150.0, 330]))])
    corner = drawn[:163, -163:]
    assert (corner == 255).mean() > 0.4 and (corner < 200).any(-1).mean() > 0.02


def test_nothing_is_drawn_without_meshes() -> None:
    image = np.full((40, 50, 3), 7, np.uint8)
    assert np.array_equal(MeshDrawer().draw(image, []), image)


def test_a_hand_partly_outside_a_small_image() -> None:
    image = np.zeros((30, 20, 3), np.uint8)
    drawn = MeshDrawer().draw(image, [replace(hand(), center=np.array([0.0, 15]), scale=100.0)])
    assert drawn.shape == image.shape and drawn.any()
