"""The losses of HaMuCo: 2D labels, consistency of views, distillation and priors."""

from typing import NamedTuple

import roma
from mmpose.registry import MODELS
from torch import Tensor, nn

from ..layers import align_views

UNIT = 0.2
"""Metres that count as 1 in losses and embeddings."""


class Hands(NamedTuple):
    """Hands of N images in the axes of their cameras: x right, y down, z away.

    P points are the vertices of the mesh, followed by the 21 keypoints, in metres relative to keypoint 9.
    """

    rotations: Tensor  # (N, 16, 3, 3) relative to the mean pose
    shape: Tensor  # (N, 10)
    camera: Tensor  # (N, 3) of weak perspective
    points: Tensor  # (N, P, 3)
    projected: Tensor  # (N, 21, 2), û of the keypoints


@MODELS.register_module()
class HaMuCoLoss(nn.Module):
    """L = L_2D + L_c + L_d + L_p (HaMuCo; normalised as in its code).

    With hands M of the single-view network, M* of the cross-view one, A_ji that aligns view j with view i, and M̃ the
    mean over j of A_ji(M*_j)::

        L_2D   mean |c û − c u|, of M and of M*: a sum over B·V·42, not over the confidences c
        L_c    in even iterations mean |A_ji(M*_j) − M*_i| in x and y, else mean |M̃_i − M*_i|
        L_d    mean |M_i − M̃_i|
        L_p    mean |β| + 0.01 mean |log Q|, the latter of both networks

    Lengths are in units of 0.2 m. M*_i in the first case of L_c, and M̃, get no gradient. Q are the rotations of the
    15 finger bones relative to the mean pose.

    Args:
        consistency: Weight of L_c; 0 leaves it out.
        distillation: Weight of L_d; 0 leaves it out.
        shape: Weight of |β|.
        pose: Weight of |log Q|.
    """

    def __init__(
        self, consistency: float = 1.0, distillation: float = 1.0, shape: float = 1.0, pose: float = 0.01
    ) -> None:
        super().__init__()
        weights = dict(consistency=consistency, distillation=distillation, shape=shape, pose=pose)
        for name, weight in weights.items():
            if weight < 0:
                raise ValueError(f'{name}: expected a weight from 0, got {weight}')
        self.weights = weights

    def forward(
        self,
        single: Hands,
        cross: Hands | None,
        labels: Tensor,
        confidences: Tensor,
        num_views: int,
        rotations: Tensor | None,
        iteration: int,
        teach: bool = True,
    ) -> dict[str, Tensor]:
        """Compute the losses.

        Letters: N = B·V images, the V views of a frame in a row.

        Args:
            single, cross: Hands of both networks; ``cross`` is None where the single-view network is trained alone.
            labels: u, (N, 21, 2), −1 to 1 in the image.
            confidences: c, (N, 21), 0 to 1.
            num_views: V.
            rotations: (N, 3, 3), from the world to the cameras. None where they are not known.
            iteration: Decides by its parity which form L_c has.
            teach: Whether L_c and L_d count already.
        """
        sure = confidences[..., None]
        losses = dict(
            loss_2d=(sure * (single.projected - labels)).abs().mean(),
            loss_prior=self.weights['shape'] * single.shape.abs().mean() + self._pose_prior(single),
        )
        if cross is None:
            return losses
        losses['loss_2d_cross'] = (sure * (cross.projected - labels)).abs().mean()
        losses['loss_prior'] = losses['loss_prior'] + self._pose_prior(cross)
        if not teach:
            return losses
        points = cross.points.unflatten(0, (-1, num_views)) / UNIT  # (B, V, P, 3)
        known = None if rotations is None else rotations.unflatten(0, (-1, num_views))
        aligned, scales = align_views(points, known)  # (B, V, V, P, 3)
        fused = aligned.mean(2).detach()
        if iteration % 2 == 0:
            consistency = (aligned - points.detach()[:, :, None])[..., :2].abs().mean()
        else:
            consistency = (points - fused).abs().mean()
        losses['loss_consistency'] = self.weights['consistency'] * consistency
        if self.weights['distillation']:
            taught = single.points.unflatten(0, (-1, num_views)) / UNIT
            losses['loss_distillation'] = self.weights['distillation'] * (taught - fused).abs().mean()
        losses['smallest_scale'] = scales.detach().min()
        return losses

    def _pose_prior(self, hands: Hands) -> Tensor:
        return self.weights['pose'] * roma.rotmat_to_rotvec(hands.rotations[:, 1:]).abs().mean()
