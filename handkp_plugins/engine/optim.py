"""Mixed precision on the CPU and on the GPU."""

from typing import Any

import torch
from mmengine.device import get_device
from mmengine.optim import AmpOptimWrapper, OptimWrapper
from mmpose.registry import OPTIM_WRAPPERS


@OPTIM_WRAPPERS.register_module()
class HandAmpOptimWrapper(AmpOptimWrapper):
    """Mixed precision wherever the training runs: bfloat16 on the CPU and on GPUs that have it, else float16.

    MMEngine's wrapper, from which everything but the constructor comes, refuses to work without an accelerator.

    Args:
        dtype: 'bfloat16' or 'float16'; None chooses as above. The CPU has bfloat16 only.
        loss_scale: For float16, as in :class:`mmengine.optim.AmpOptimWrapper`: 'dynamic', a number, or arguments of
            ``torch.amp.GradScaler``. bfloat16 has the range of float32 and needs no scaling.
        **kwargs: Arguments of :class:`mmengine.optim.OptimWrapper`.

    Raises:
        ValueError: A type that this machine does not have.
    """

    def __init__(self, dtype: str | None = None, loss_scale: str | float | dict = 'dynamic', **kwargs: Any) -> None:
        OptimWrapper.__init__(self, **kwargs)
        device = get_device()
        has_bfloat16 = device != 'cuda' or torch.cuda.is_bf16_supported(including_emulation=False)
        dtype = dtype or ('bfloat16' if has_bfloat16 else 'float16')
        allowed = ['bfloat16'] * has_bfloat16 + ['float16'] * (device != 'cpu')
        if dtype not in allowed:
            raise ValueError(f'dtype: allowed on {device} {" or ".join(allowed)}, received {dtype}')
        self.cast_dtype = getattr(torch, dtype)
        scaling = {} if loss_scale == 'dynamic' else loss_scale
        if not isinstance(scaling, dict):
            scaling = dict(init_scale=float(scaling))
        self._scale_update_param = scaling.get('init_scale') if not isinstance(loss_scale, (dict, str)) else None
        self.loss_scaler = torch.amp.GradScaler(device, **scaling, enabled=dtype == 'float16')

    def load_state_dict(self, state_dict: dict) -> None:
        """Load the optimizer's state, and the loss scale where both that training and this one scale the loss."""
        state_dict = dict(state_dict)
        if not state_dict.get('loss_scaler'):
            state_dict.pop('loss_scaler', None)
        super().load_state_dict(state_dict)
