"""A hand as a differentiable function of the rotations of its bones and its shape."""

from pathlib import Path

import roma
import torch
from torch import Tensor, nn

from .arrays import NUM_BONES, NUM_SHAPES, HandArrays, load_hand_arrays

LEVELS = ([1, 4, 7, 10, 13], [2, 5, 8, 11, 14], [3, 6, 9, 12, 15])
"""Bones by their distance from the wrist, bone 0. The parent of each is the one before it, or the wrist."""
_CHAINED = [0, *(bone for level in LEVELS for bone in level)]  # the order in which their places become known
_ORDER = [_CHAINED.index(bone) for bone in range(NUM_BONES)]


class HandLayer(nn.Module):
    """A right hand by linear blend skinning, with MANO's arrays or those of the open hand.

    The open hand is made from this package's generated hand (``tools/make_open_hand.py``) and has the same interface:
    16 bones in MANO's order, 10 coefficients of the shape, 21 keypoints in ours. It has no pose basis.

    Letters: N hands, V vertices. Lengths are in metres, in the axes of the wrist's rotation.

    Args:
        hand: ``'open'``, or the path of a MANO file; see :func:`~.arrays.load_hand_arrays`.
    """

    def __init__(self, hand: str | Path = 'open') -> None:
        super().__init__()
        arrays = load_hand_arrays(hand)
        self.num_vertices, self.adds_vectors = arrays.num_vertices, arrays.adds_vectors
        # The arrays are known from the file, so no checkpoint holds them: MANO's must not be passed on.
        for name in HandArrays.__annotations__:
            value = getattr(arrays, name)
            if name not in ('num_vertices', 'adds_vectors', 'faces'):
                value = None if value is None else torch.tensor(value, dtype=torch.float32)
                self.register_buffer(name, value, persistent=False)
        self.register_buffer('faces', torch.tensor(arrays.faces, dtype=torch.int64), persistent=False)
        mean = roma.rotvec_to_rotmat(self.mean_pose)
        self.register_buffer('mean_rotations', mean, persistent=False)

    def forward(self, rotations: Tensor, shape: Tensor) -> tuple[Tensor, Tensor]:
        """Pose hands.

        Args:
            rotations: (N, 16, 3, 3), of each bone relative to its parent at rest; the first turns the whole hand.
            shape: (N, 10), deviations from the mean hand; their spread among people is 1.

        Returns:
            Vertices (N, V, 3) and keypoints (N, 21, 3).
        """
        if rotations.shape[1:] != (NUM_BONES, 3, 3) or shape.shape != (len(rotations), NUM_SHAPES):
            raise ValueError(
                f'rotations, shape: expected (N, {NUM_BONES}, 3, 3) and (N, {NUM_SHAPES}), '
                f'got {tuple(rotations.shape)} and {tuple(shape.shape)}'
            )
        points = self.points + torch.einsum('pcs,ns->npc', self.shape_basis, shape)  # (N, P, 3)
        if self.pose_basis is not None:
            turned = rotations[:, 1:] - torch.eye(3).to(rotations)
            points = points + torch.einsum('pcr,nr->npc', self.pose_basis, turned.flatten(1))
        joints = self.joints + torch.einsum('jcs,ns->njc', self.joint_basis, shape)  # (N, 16, 3)
        axes, places = self._chain(rotations, joints)
        offsets = places - (axes @ joints[..., None])[..., 0]
        transforms = torch.cat([axes, offsets[..., None]], -1).flatten(2)  # (N, 16, 12)
        blend = (self.weights @ transforms).unflatten(-1, (3, 4))  # (N, P, 3, 4)
        posed = (blend[..., :3] @ points[..., None])[..., 0] + blend[..., 3]
        return posed[:, : self.num_vertices], self.keypoints @ posed

    def add_mean_pose(self, rotations: Tensor) -> Tensor:
        """Rotations (N, 16, 3, 3) relative to the mean pose → relative to the rest. The wrist's stays as it is."""
        wrist, fingers = rotations[:, :1], rotations[:, 1:]
        if self.adds_vectors:
            fingers = roma.rotvec_to_rotmat(roma.rotmat_to_rotvec(fingers) + self.mean_pose)
        else:
            fingers = self.mean_rotations @ fingers
        return torch.cat([wrist, fingers], 1)

    @staticmethod
    def _chain(rotations: Tensor, joints: Tensor) -> tuple[Tensor, Tensor]:
        """Rotations (N, 16, 3, 3) and joints at rest (N, 16, 3) → axes (N, 16, 3, 3) and places (N, 16, 3) of bones."""
        axes, places = [rotations[:, :1]], [joints[:, :1]]
        before = [0] * len(LEVELS[0])
        for level in LEVELS:
            bones = joints[:, level] - joints[:, before]
            places.append(places[-1] + (axes[-1] @ bones[..., None])[..., 0])
            axes.append(axes[-1] @ rotations[:, level])
            before = level
        return torch.cat(axes, 1)[:, _ORDER], torch.cat(places, 1)[:, _ORDER]
