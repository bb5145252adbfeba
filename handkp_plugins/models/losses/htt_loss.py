"""The loss of HTT: action, object, and keypoints as pixel and depth."""

import torch
import torch.nn.functional as F
from mmengine.dist import all_reduce, get_world_size
from mmpose.registry import MODELS
from torch import Tensor, nn

NORMALIZERS = ('valid', 'clip')


@MODELS.register_module()
class HTTLoss(nn.Module):
    """Cross-entropies of action and object and L1 distances of pixels and depths (HTT, L = L_A + λ2 L_H + λ3 L_O).

    With N valid frames in the batch and J joints::

        CE(action), mean of the clips
        + CE(object) / N + Σ (|Δu| + |Δv|) / (2 J N) + 100 Σ |ΔZ| / (J N), sums over valid frames

    with u, v in pixels of an image of width 480 and Z in metres. The paper writes the last two terms as
    λ2 (‖ΔP2D‖₁ + λ1 ‖ΔPdep‖₁) / J with λ1, λ2, λ3 = 200, 0.5, 1: the same weights. It divides a clip's frame terms by
    its length T, the authors' code by N.

    A joint of weight 0 (of an absent hand) adds 0; J and N do not change. The loss is computed in float32. In
    distributed training N is the mean over the processes, so that the mean of their gradients is that of one process
    with all clips.

    Letters: B batch, T frames, J joints, n_o objects, n_a actions.

    Args:
        pixel_weight: Of the mean of |Δu| and |Δv|.
        depth_weight: Of the mean of |ΔZ|.
        lambdas: The paper's λ1 and λ2. They replace the two weights.
        object_weight: λ3.
        action_weight: Of the action's cross-entropy.
        normalizer: What a clip's frame terms are divided by: 'valid', N of the batch, or 'clip', B·T.
    """

    def __init__(
        self,
        pixel_weight: float = 1.0,
        depth_weight: float = 100.0,
        lambdas: tuple[float, float] | None = None,
        object_weight: float = 1.0,
        action_weight: float = 1.0,
        normalizer: str = 'valid',
    ) -> None:
        super().__init__()
        if lambdas is not None:
            pixel_weight, depth_weight = 2 * lambdas[1], lambdas[0] * lambdas[1]
        self.weights = dict(pixel=pixel_weight, depth=depth_weight, object=object_weight, action=action_weight)
        for name, value in self.weights.items():
            if value < 0:
                raise ValueError(f'{name}_weight: expected a number from 0, got {value}')
        if normalizer not in NORMALIZERS:
            raise ValueError(f'normalizer: expected one of {NORMALIZERS}, got {normalizer!r}')
        self.normalizer = normalizer

    def forward(
        self,
        pixels: Tensor,
        pixel_labels: Tensor,
        joint_weights: Tensor,
        object_logits: Tensor,
        object_labels: Tensor,
        action_logits: Tensor,
        action_labels: Tensor,
        valid: Tensor,
    ) -> dict[str, Tensor]:
        """Return the four weighted terms.

        Args:
            pixels, pixel_labels: (B, T, J, 3) u, v, Z.
            joint_weights: (B, T, J).
            object_logits, object_labels: (B, T, n_o) and (B,).
            action_logits, action_labels: (B, n_a) and (B,).
            valid: (B, T), bool.

        Returns:
            ``loss_action``, ``loss_object``, ``loss_pixel`` and ``loss_depth``, scalars.
        """
        batch, length, joints = joint_weights.shape
        valid = valid.to(pixels.device)
        frames = batch * length
        if self.normalizer == 'valid':
            all_reduce(frames := valid.sum().float(), 'mean')
            frames = frames.clamp(min=1 / get_world_size())
        weights = (joint_weights * valid[..., None])[..., None]  # (B, T, J, 1)
        # where comes first: a NaN in padding must not reach the loss or its gradient
        error = torch.where(weights > 0, pixels.float() - pixel_labels, 0).abs() * weights
        logits = torch.where(valid[..., None], object_logits.float(), 0).flatten(0, 1)  # (B·T, n_o)
        entropy = F.cross_entropy(logits, object_labels.repeat_interleave(length), reduction='none')
        terms = dict(
            action=F.cross_entropy(action_logits.float(), action_labels),
            object=(entropy * valid.flatten()).sum() / frames,
            pixel=error[..., :2].sum() / (2 * joints * frames),
            depth=error[..., 2].sum() / (joints * frames),
        )
        return {f'loss_{name}': self.weights[name] * term for name, term in terms.items()}
