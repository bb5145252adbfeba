"""Which keys a part of a config may have: what tells a new setting from a misspelt one."""

import inspect
from collections.abc import Callable
from difflib import get_close_matches
from typing import Any

import torch
from mmdet import registry as mmdet_registry
from mmengine.model import MMDistributedDataParallel
from mmengine.optim import OptimWrapper
from mmengine.registry import Registry
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop, Runner, TestLoop, ValLoop
from mmengine.utils.dl_utils import set_multi_processing
from mmpose import registry as mmpose_registry
from torch.utils.data import DataLoader


def arguments(function: Callable) -> tuple[set[str], bool]:
    """Names of the keyword arguments of a class or function, and whether it takes others besides.

    A class that hands on ``**kwargs`` is taken to hand them to its next base class.
    """
    if not inspect.isclass(function):
        parameters = inspect.signature(function).parameters.values()
        return {p.name for p in parameters}, any(p.kind is p.VAR_KEYWORD for p in parameters)
    names: set[str] = set()
    for cls in function.__mro__[:-1]:
        if '__init__' in vars(cls):
            own, others = arguments(cls.__init__)
            names |= own
            if not others:
                return names, False
    return names - {'self', 'kwargs', 'args'}, True


def _names(*functions: Callable, more: str = '') -> set[str]:
    return set().union(*(arguments(f)[0] for f in functions)) - {'self', 'runner', 'args', 'kwargs'} | set(more.split())


# Keys of a config's first level that the runner, or what it calls, reads.
RUNNER_KEYS = _names(Runner.__init__) - {'cfg'} | {
    'runner_type',
    'custom_imports',
    'model_wrapper_cfg',
    'find_unused_parameters',
    'sync_bn',
    'compile',
    'activation_checkpointing',
    'efficient_conv_bn_eval',
    'channels_last',
    'preprocess_cfg',
}

_LOADER = _names(
    DataLoader,
    more='dataset sampler batch_sampler num_batch_per_epoch worker_init_fn collate_fn disable_subprocess_warning',
)
_OPTIM = 'optimizer constructor paramwise_cfg'
_DETECTING = ['nms_pre', 'min_bbox_size', 'score_thr', 'nms', 'max_per_img']
# Parts without a `type`, by their full name, or by the last part of it.
_UNTYPED = {
    '': RUNNER_KEYS,
    'train_dataloader': _LOADER,
    'val_dataloader': _LOADER,
    'test_dataloader': _LOADER,
    'train_cfg': _names(EpochBasedTrainLoop, IterBasedTrainLoop, more='by_epoch') - {'dataloader'},
    'val_cfg': _names(ValLoop) - {'dataloader', 'evaluator'},
    'test_cfg': _names(TestLoop) - {'dataloader', 'evaluator'},
    'optim_wrapper': _names(OptimWrapper, more=_OPTIM),
    'model_wrapper_cfg': _names(MMDistributedDataParallel),
    'env_cfg': {'cudnn_benchmark', 'mp_cfg', 'dist_cfg', 'resource_limit'},
    'env_cfg.mp_cfg': _names(set_multi_processing) - {'distributed'},
    'env_cfg.dist_cfg': {'backend', 'timeout', 'init_backend', 'port'},
    'auto_scale_lr': {'enable', 'base_batch_size'},
    'randomness': _names(Runner.set_randomness),
    'custom_imports': {'imports', 'allow_failed_imports'},
    '.clip_grad': _names(torch.nn.utils.clip_grad_norm_, torch.nn.utils.clip_grad_value_, more='type') - {'parameters'},
    '.paramwise_cfg': {
        'custom_keys',
        'bias_lr_mult',
        'bias_decay_mult',
        'norm_decay_mult',
        'flat_decay_mult',
        'dwconv_decay_mult',
        'dcn_offset_lr_mult',
        'bypass_duplicate',
    },
    '.test_cfg': {
        'flip_test',
        'flip_mode',
        'shift_heatmap',
        'shift_coords',
        'output_heatmaps',
        'output_keypoint_indices',
        *_DETECTING,
    },
}
# Parts whose keys are names of the user's choice.
_FREE = {'default_hooks', 'custom_keys', 'data_prefix', 'metainfo', 'backend_args', 'extra', 'mapping'}


def known_keys(node: dict, path: str) -> tuple[set[str], bool]:
    """Keys that a part of a config may have besides those it has, and whether there may be others.

    Args:
        node: The part; its ``type``, where given, is a registered name or a class.
        path: Its dotted name in the config.
    """
    kind = node.get('type')
    last = path.rpartition('.')[2]
    if kind is None:
        default = set() if path else RUNNER_KEYS
        return _UNTYPED.get(path, _UNTYPED.get(f'.{last}', default)) | {'type'}, last in _FREE
    if not isinstance(kind, str):
        return arguments(kind)
    names, others, found = set(), False, False
    for name, module in _registered(kind):
        found = True
        own, more = arguments(module)
        names |= own | {'type', '_scope_'}
        others |= more
        names |= dict(
            HOOKS={'priority'}, PARAM_SCHEDULERS={'convert_to_iter_based'}, OPTIM_WRAPPERS=set(_OPTIM.split())
        ).get(name, set())
    return names, others or not found


def _registered(kind: str) -> list[tuple[str, Any]]:
    """What is registered under a name, each with the name of the registry: of MMPose, else of MMDetection."""
    for package in (mmpose_registry, mmdet_registry):
        registries = {n: r for n, r in vars(package).items() if isinstance(r, Registry)}
        if found := [(n, module) for n, r in registries.items() if (module := r.get(kind)) is not None]:
            return found
    return []


def accepts(key: str, node: dict, options: dict[str, Any], path: str) -> bool:
    """Whether a part of a config may get a new ``key``.

    Args:
        key: The new key.
        node: The part as it is; empty where it does not exist yet.
        options: What the command line sets in this part; it may set the ``type``.
        path: The part's dotted name.
    """
    kind = options.get('type', node.get('type'))
    if not node and kind is None and not {path, '.' + path.rpartition('.')[2]} & _UNTYPED.keys():
        return True  # a new part of unknown type under a known name
    names, others = known_keys({**node, 'type': kind} if kind else node, path)
    if key in names:
        return True
    return others and not get_close_matches(key, names | set(node), n=1, cutoff=0.8)
