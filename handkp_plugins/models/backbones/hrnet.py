"""HRNet without its last stage."""

from typing import Any

import torch.nn.functional as F
from mmpose.models.backbones import HRNet
from mmpose.models.backbones.hrnet import HRModule
from mmpose.registry import MODELS
from torch import Tensor, nn

from ..layers import check_input_size


class _OneBranch(nn.Module):
    """An ``HRModule`` that fuses into one branch only and has no parameters for the other fusions."""

    def __init__(self, module: HRModule, branch: int) -> None:
        super().__init__()
        self.branch = str(branch)
        self.branches = module.branches
        self.fuse_layers = nn.ModuleDict({self.branch: module.fuse_layers[branch]})  # names as in HRModule
        self.register_load_state_dict_pre_hook(self._drop_other_fusions)

    def forward(self, x: list[Tensor]) -> list[Tensor]:
        """One map per branch → the fused map of one branch."""
        maps = [branch(m) for branch, m in zip(self.branches, x, strict=True)]
        fusions = self.fuse_layers[self.branch]
        return [F.relu(sum(m if fuse is None else fuse(m) for fuse, m in zip(fusions, maps, strict=True)))]

    def _drop_other_fusions(self, module: nn.Module, state_dict: dict[str, Tensor], prefix: str, *_: Any) -> None:
        """Accept the weights of a whole HRNet without reporting the fusions that are not built."""
        fusions = f'{prefix}fuse_layers.'
        for name in [n for n in state_dict if n.startswith(fusions)]:
            if not name.startswith(f'{fusions}{self.branch}.'):
                del state_dict[name]


@MODELS.register_module()
class TruncatedHRNet(HRNet):
    """HRNet that ends after stage 3 and returns one of its three branches (hand keypoint transformer, section 2).

    MMPose's ``HRNet`` always has a stage 4. This one has neither stage 4 nor the last fusions into the other branches.
    It loads weights of a whole HRNet and reports those of stage 4 as unexpected. Inside, images are padded to a
    multiple of the coarsest branch's stride.

    Args:
        extra: As in ``HRNet``, without ``stage4``.
        branch: 0, 1 or 2 for the map at stride 4, 8 or 16.
        **kwargs: Arguments of ``HRNet``.
    """

    def __init__(self, extra: dict, branch: int = 1, **kwargs: Any) -> None:
        if 'stage4' in extra:
            raise ValueError('extra: expected stage1 to stage3, got stage4, which is never built')
        num_branches = extra['stage3']['num_branches']
        if branch not in range(num_branches):
            raise ValueError(f'branch: expected 0 to {num_branches - 1}, got {branch}')
        # stage 4 without modules, for the one map that stage 3 returns
        stage4 = dict(extra['stage3'], num_modules=0, num_branches=1, num_channels=extra['stage3']['num_channels'][:1])
        super().__init__(dict(extra, stage4=stage4), **kwargs)
        self.stage3[-1] = _OneBranch(self.stage3[-1], branch)
        self.stride = 4 * 2**branch
        self.coarsest_stride = 4 * 2 ** (num_branches - 1)

    def forward(self, x: Tensor) -> tuple[Tensor]:
        """Images (B, 3, H, W) → the map of the branch (B, C, H/stride, W/stride)."""
        check_input_size(x.shape, self.stride)
        h, w = x.shape[2:]
        padded = F.pad(x, (0, -w % self.coarsest_stride, 0, -h % self.coarsest_stride))
        (maps,) = super().forward(padded)
        return (maps[:, :, : h // self.stride, : w // self.stride],)
