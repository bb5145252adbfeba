"""Keypoints of any size and place, made comparable, and changed a little in training."""

from typing import Any

import torch
from mmengine.model import BaseDataPreprocessor
from mmpose.registry import MODELS
from torch import Tensor

from handkp_plugins.structures.skeleton import NUM_KEYPOINTS

SCALES = ('max_abs', 'bone', 'none')
_BONE = (5, 6)  # the index finger's first
_SHORTEST = 0.05  # of the hand's extent: how short a bone that points at the camera may count


@MODELS.register_module()
class GesturePreprocessor(BaseDataPreprocessor):
    """Keypoints relative to the wrist, brought to one size, in batches and on the model's device.

    It is part of the model, so keypoints in pixels of a photograph and those of a table pass the same way. In training
    each hand is moreover turned, sheared and disturbed at random, as another view and another detector would.

    Args:
        scale: 'max_abs', the largest absolute coordinate becomes 1; 'bone', the index finger's first bone does (MSAHP,
            eq. 1); or 'none'.
        mirror: chance that a hand is mirrored; not 0 or 1 only where no two signs are mirror images of each other.
        rotation: standard deviation of the angle in degrees.
        shear: standard deviation of the entries of a matrix that is added to the identity.
        noise: standard deviation of what is added to each coordinate, at the size that ``scale`` gives.

    Raises:
        ValueError: an argument out of range.
    """

    def __init__(
        self, scale: str = 'max_abs', mirror: float = 0.0, rotation: float = 0.0, shear: float = 0.0, noise: float = 0.0
    ) -> None:
        super().__init__()
        if scale not in SCALES:
            raise ValueError(f'scale: expected one of {SCALES}, got {scale!r}')
        if not 0 <= mirror <= 1:
            raise ValueError(f'mirror: expected a number from 0 to 1, got {mirror}')
        for name, value in (('rotation', rotation), ('shear', shear), ('noise', noise)):
            if value < 0:
                raise ValueError(f'{name}: expected a number from 0, got {value}')
        # with the weights, so that a checkpoint is read as it was trained, whatever the config says
        self.register_buffer('scale_index', torch.tensor(SCALES.index(scale)))
        self.scale = scale
        self.mirror = mirror
        self.rotation = rotation
        self.shear = shear
        self.noise = noise

    def _load_from_state_dict(self, *args: Any, **kwargs: Any) -> None:
        super()._load_from_state_dict(*args, **kwargs)
        self.scale = SCALES[int(self.scale_index)]  # here, once: to read it in each step would make a GPU wait

    def forward(self, data: dict, training: bool = False) -> dict:
        """A batch with ``inputs`` (N, 21, 2) → the same with ``inputs`` normalised, and in training changed."""
        data = self.cast_data(data)
        points = data['inputs'].float()
        if points.shape[1:] != (NUM_KEYPOINTS, 2):
            raise ValueError(f'inputs: expected (N, {NUM_KEYPOINTS}, 2), got {tuple(points.shape)}')
        points = normalized(points, self.scale)
        if training:
            points = normalized(points @ self._matrices(len(points), points.device), self.scale)
            points = points + self.noise * torch.randn_like(points)
        return dict(data, inputs=points)

    def _matrices(self, num: int, device: torch.device) -> Tensor:
        """(N, 2, 2): mirror, shear and turn."""
        angle = torch.deg2rad(self.rotation * torch.randn(num, device=device))
        turn = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()], 1).view(num, 2, 2)
        shear = torch.eye(2, device=device) + self.shear * torch.randn(num, 2, 2, device=device)
        sign = torch.where(torch.rand(num, device=device) < self.mirror, -1.0, 1.0)
        mirror = torch.diag_embed(torch.stack([sign, torch.ones_like(sign)], 1))
        return mirror @ shear @ turn


def normalized(points: Tensor, scale: str) -> Tensor:
    """Keypoints (N, 21, 2) relative to the wrist, at the size of ``scale``; see :class:`GesturePreprocessor`."""
    points = points - points[:, :1]
    if scale == 'none':
        return points
    size = points.abs().amax((1, 2))
    if scale == 'bone':
        bone = (points[:, _BONE[1]] - points[:, _BONE[0]]).norm(dim=1)
        size = torch.maximum(bone, _SHORTEST * size)
    return points / size.clamp(min=1e-6)[:, None, None]
