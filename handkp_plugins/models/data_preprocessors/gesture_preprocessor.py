"""Normalise keypoints, and augment them in training."""

from typing import Any

import torch
from mmengine.model import BaseDataPreprocessor
from mmpose.registry import MODELS
from torch import Tensor

from handkp_plugins.structures.skeleton import NUM_KEYPOINTS

SCALES = ('max_abs', 'bone', 'none')
_BONE = (5, 6)  # the first bone of the index finger
_SHORTEST = 0.05  # least length of a bone, which may point at the camera, relative to the hand's extent


@MODELS.register_module()
class GesturePreprocessor(BaseDataPreprocessor):
    """Shift keypoints to the wrist and scale them to one size, in batches on the model's device.

    It is part of the model, so keypoints of an image and of a table are treated alike. In training each hand is also
    rotated, sheared and disturbed at random, which imitates another view and another detector.

    Args:
        scale: What becomes 1: 'max_abs', the largest absolute coordinate; 'bone', the first bone of the index finger
            (MSAHP, eq. 1); or 'none'.
        mirror: Probability of mirroring a hand. Between 0 and 1 no sign may be the mirror image of another.
        rotation: Standard deviation of the angle in degrees.
        shear: Standard deviation of the entries of a matrix that is added to the identity.
        noise: Standard deviation of the noise on each scaled coordinate.
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
        # saved with the weights, so that a checkpoint is used with the scale of its training
        self.register_buffer('scale_index', torch.tensor(SCALES.index(scale)))
        self.scale = scale
        self.mirror, self.rotation, self.shear, self.noise = mirror, rotation, shear, noise

    def _load_from_state_dict(self, *args: Any, **kwargs: Any) -> None:
        super()._load_from_state_dict(*args, **kwargs)
        self.scale = SCALES[int(self.scale_index)]  # read once: reading it in each step would make the GPU wait

    def forward(self, data: dict, training: bool = False) -> dict:
        """Normalise the ``inputs`` (N, 21, 2) of a batch, and augment them in training."""
        data = self.cast_data(data)
        points = data['inputs'].float()
        if points.shape[1:] != (NUM_KEYPOINTS, 2):
            raise ValueError(f'inputs: expected (N, {NUM_KEYPOINTS}, 2), got {tuple(points.shape)}')
        points = normalize_keypoints(points, self.scale)
        if training:
            points = normalize_keypoints(points @ self._matrices(len(points), points.device), self.scale)
            points = points + self.noise * torch.randn_like(points)
        return dict(data, inputs=points)

    def _matrices(self, num: int, device: torch.device) -> Tensor:
        """Return random matrices (N, 2, 2) that mirror, shear and rotate."""
        angle = torch.deg2rad(self.rotation * torch.randn(num, device=device))
        rotation = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()], 1).view(num, 2, 2)
        shear = torch.eye(2, device=device) + self.shear * torch.randn(num, 2, 2, device=device)
        sign = torch.where(torch.rand(num, device=device) < self.mirror, -1.0, 1.0)
        mirror = torch.diag_embed(torch.stack([sign, torch.ones_like(sign)], 1))
        return mirror @ shear @ rotation


def normalize_keypoints(points: Tensor, scale: str) -> Tensor:
    """Shift keypoints (N, 21, 2) to the wrist and scale them; see :class:`GesturePreprocessor`."""
    points = points - points[:, :1]
    if scale == 'none':
        return points
    size = points.abs().amax((1, 2))
    if scale == 'bone':
        bone = (points[:, _BONE[1]] - points[:, _BONE[0]]).norm(dim=1)
        size = torch.maximum(bone, _SHORTEST * size)
    return points / size.clamp(min=1e-6)[:, None, None]
