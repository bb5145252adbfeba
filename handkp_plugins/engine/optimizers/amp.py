"""Mixed precision on the CPU and on the GPU."""

import logging
import platform
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from mmengine.device import get_device
from mmengine.logging import print_log
from mmengine.model import is_model_wrapper
from mmengine.optim import AmpOptimWrapper, OptimWrapper
from mmengine.utils import apply_to
from mmpose.registry import OPTIM_WRAPPERS
from torch import nn


def cpu_has_bfloat16() -> bool:
    """Whether this CPU computes in bfloat16 (AVX-512 BF16 or AMX; assumed of CPUs that are no x86)."""
    return platform.machine() != 'x86_64' or torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()


@OPTIM_WRAPPERS.register_module()
class HandAmpOptimWrapper(AmpOptimWrapper):
    """Mixed precision on the CPU, too: bfloat16 there and on GPUs that have it, else float16.

    Args:
        dtype: 'bfloat16' or 'float16'; None chooses as above.
        loss_scale: For float16: 'dynamic', a number, or arguments of ``torch.amp.GradScaler``.
        **kwargs: Arguments of :class:`mmengine.optim.OptimWrapper`.
    """

    def __init__(self, dtype: str | None = None, loss_scale: str | float | dict = 'dynamic', **kwargs: Any) -> None:
        OptimWrapper.__init__(self, **kwargs)
        device = get_device()
        has_bfloat16 = device != 'cuda' or torch.cuda.is_bf16_supported(including_emulation=False)
        dtype = dtype or ('bfloat16' if has_bfloat16 else 'float16')
        allowed = ['bfloat16'] * has_bfloat16 + ['float16'] * (device != 'cpu')
        if dtype not in allowed:
            raise ValueError(f'dtype: expected on {device} {" or ".join(allowed)}, got {dtype}')
        if device == 'cpu' and not cpu_has_bfloat16():
            print_log(
                'mixed precision: expected a CPU with bfloat16 instructions, got one without: training in single '
                'precision, without --amp, is several times faster here',
                'current',
                logging.WARNING,
            )
        self.cast_dtype = getattr(torch, dtype)
        scaling = {} if loss_scale == 'dynamic' else loss_scale
        if not isinstance(scaling, dict):
            scaling = dict(init_scale=float(scaling))
        self._scale_update_param = scaling.get('init_scale') if not isinstance(loss_scale, (dict, str)) else None
        self.loss_scaler = torch.amp.GradScaler(device, **scaling, enabled=dtype == 'float16')

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Autocast, but compute the loss in float32: heads of MMPose cannot measure accuracy in bfloat16, and heads of
        MMDetection cannot assign boxes exactly."""
        model_ = model.module if is_model_wrapper(model) else model
        head = getattr(model_, 'head', None) or getattr(model_, 'bbox_head', None)
        with super().optim_context(model):
            if head is None:
                yield
                return
            # Heads call their own forward, so that hooks of a module do not run.
            head.forward = partial(_in_float32, head.forward)
            try:
                yield
            finally:
                del head.forward

    def load_state_dict(self, state_dict: dict) -> None:
        """Load the optimizer's state, and the loss scale if both trainings scale the loss."""
        state_dict = dict(state_dict)
        if not state_dict.get('loss_scaler'):
            state_dict.pop('loss_scaler', None)
        super().load_state_dict(state_dict)


def _in_float32(forward: Callable, *args: Any, **kwargs: Any) -> Any:
    return apply_to(forward(*args, **kwargs), torch.is_tensor, torch.Tensor.float)
