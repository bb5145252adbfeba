"""Which keys a part of a config may have, read from the signature of what it configures."""

import inspect
from collections.abc import Callable
from difflib import get_close_matches
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from mmengine.optim import OptimWrapper
from mmengine.registry import Registry
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop, Runner, TestLoop, ValLoop
from torch.utils.data import DataLoader

# What MMEngine makes of a part without ``type``. All other parts without ``type`` may have any key.
_DEFAULTS: dict[str, tuple[Callable, ...]] = {
    '': (Runner,),
    'train_dataloader': (DataLoader,),
    'val_dataloader': (DataLoader,),
    'test_dataloader': (DataLoader,),
    'train_cfg': (EpochBasedTrainLoop, IterBasedTrainLoop),
    'val_cfg': (ValLoop,),
    'test_cfg': (TestLoop,),
    'optim_wrapper': (OptimWrapper,),
    'randomness': (Runner.set_randomness,),
}
# Keys that the runner reads itself, by the part or by the registry of the part's class.
_MORE = {
    '': 'runner_type custom_imports model_wrapper_cfg find_unused_parameters sync_bn compile activation_checkpointing '
    'efficient_conv_bn_eval channels_last preprocess_cfg',
    'train_dataloader': 'num_batch_per_epoch',
    'train_cfg': 'by_epoch',
    'optim_wrapper': 'constructor paramwise_cfg',
    'OPTIM_WRAPPERS': 'optimizer constructor paramwise_cfg',
    'HOOKS': 'priority',
    'PARAM_SCHEDULERS': 'convert_to_iter_based',
}


def known_keys(node: dict, path: str) -> tuple[set[str], bool]:
    """Keys that a part of a config may have, and whether it may have others.

    Args:
        node: The part; its ``type``, if any, is a registered name or a class.
        path: Its dotted name in the config.
    """
    kind = node.get('type')
    if kind is None:
        parts = [(path, function) for function in _DEFAULTS.get(path, ())]
    else:
        parts = _registered(kind) if isinstance(kind, str) else [('', kind)]
    names, others = set(node) | {'type'}, not parts
    for place, function in parts:
        own, more = _arguments(function)
        names |= own | set(_MORE.get(place, '').split())
        others |= more
    return names - {'self', 'runner', 'cfg'}, others


def accepts(key: str, node: dict, path: str) -> bool:
    """Whether a part of a config may have ``key``: in a part that may have any key, unless it is nearly a known one."""
    names, others = known_keys(node, path)
    return key in names | {'_scope_', '_delete_'} or (others and not get_close_matches(key, names, n=1, cutoff=0.8))


def _registered(kind: str) -> list[tuple[str, Any]]:
    """The classes of a name, each with the name of its registry: those of MMPose, else those of MMDetection."""
    for package in filter(find_spec, ('mmpose', 'mmdet')):
        registries = inspect.getmembers(import_module(f'{package}.registry'), lambda x: isinstance(x, Registry))
        if found := [(name, module) for name, registry in registries if (module := registry.get(kind)) is not None]:
            return found
    return []


def _arguments(function: Callable) -> tuple[set[str], bool]:
    """Names of the arguments of a class or function, and whether it takes others.

    A class with ``**kwargs`` passes them to its next base class.
    """
    if not inspect.isclass(function):
        parameters = inspect.signature(function).parameters.values()
        keywords = [p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
        return set(keywords), any(p.kind is p.VAR_KEYWORD for p in parameters)
    names: set[str] = set()
    for cls in function.__mro__[:-1]:
        if '__init__' in vars(cls):
            own, others = _arguments(cls.__init__)
            names |= own
            if not others:
                return names, False
    return names, True


RUNNER_KEYS = known_keys({}, '')[0]
"""Keys of the first level of a config."""
