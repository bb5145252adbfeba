"""What a checkpoint may hold: tensors, numbers, strings and plain containers of them.

``torch.load(weights_only=True)`` refuses everything else, and rightly: a pickle that may name any class may run any
code. :func:`to_plain` is applied before a checkpoint is written. :data:`STOCK_GLOBALS` reads what stock MMEngine writes
(its history buffers and NumPy arrays) through stand-ins, so that neither MMEngine's nor NumPy's unpickling code sees
bytes of unknown origin; :func:`~handkp_plugins.fileio.restricted_pickle.restore` replaces them afterwards.
"""

from collections import OrderedDict, deque
from enum import Enum
from pathlib import PurePath
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer

from handkp_plugins.fileio.restricted_pickle import NUMPY_STAND_INS, StandIn, restore

_LEAVES = (type(None), bool, int, float, complex, str, bytes, torch.dtype, torch.device, torch.Size)
_HISTORY_KEYS = {'log_history', 'count_history', 'max_length'}


def to_plain(value: Any, where: str = 'checkpoint') -> Any:
    """A copy of ``value`` that ``torch.load(weights_only=True)`` accepts; tensors are shared, not copied.

    NumPy arrays become lists, history buffers dictionaries of tensors, other mappings and sequences their plain kin. An
    object of another type raises a TypeError that names its place.
    """
    if type(value) in _LEAVES or isinstance(value, torch.Tensor):
        return value
    if isinstance(value, HistoryBuffer):
        logs, counts = (torch.as_tensor(np.array(part)) for part in value.data)
        return dict(log_history=logs, count_history=counts, max_length=value.max_length)
    if isinstance(value, Enum):
        return to_plain(value.value, where)
    if isinstance(value, (np.ndarray, np.generic)):
        return to_plain(value.tolist(), where)
    if isinstance(value, OrderedDict):
        plain = OrderedDict((to_plain(k, where), to_plain(v, f'{where}.{k}')) for k, v in value.items())
        if hasattr(value, '_metadata'):  # a module's versions travel on its state dict as an attribute
            plain._metadata = to_plain(value._metadata, where)
        return plain
    if isinstance(value, dict):
        return {to_plain(k, where): to_plain(v, f'{where}.{k}') for k, v in value.items()}
    if isinstance(value, (list, deque)):
        return [to_plain(v, f'{where}[{i}]') for i, v in enumerate(value)]
    if isinstance(value, tuple):
        return tuple(to_plain(v, f'{where}[{i}]') for i, v in enumerate(value))
    if isinstance(value, (set, frozenset)):
        return {to_plain(v, where) for v in value}
    for plain_type in (bool, int, float, str, bytes):
        if isinstance(value, plain_type):
            return plain_type(value)
    if isinstance(value, PurePath):
        return str(value)
    raise TypeError(f'{where}: expected tensors, numbers, strings and containers of them, got {type(value)}')


def history_buffers(scalars: dict[str, Any]) -> dict[str, Any]:
    """Turn the dictionaries that :func:`to_plain` made of history buffers back into such buffers."""
    return {
        name: HistoryBuffer(stored['log_history'].numpy(), stored['count_history'].numpy(), stored['max_length'])
        if isinstance(stored, dict) and stored.keys() == _HISTORY_KEYS
        else stored
        for name, stored in scalars.items()
    }


class _History(StandIn):
    """Stands for MMEngine's ``HistoryBuffer``; takes its two arrays and leaves its functions."""

    def __setstate__(self, state: dict) -> None:
        self.logs, self.counts, self.max_length = state['_log_history'], state['_count_history'], state['max_length']

    def restore(self) -> HistoryBuffer:
        return HistoryBuffer(restore(self.logs), restore(self.counts), self.max_length)


def _no_bytes() -> bytes:
    """Stands for ``bytes``, by which a pickle makes the contents of an array without elements."""
    return b''


def _history_method(owner: type, name: str) -> None:
    """Stands for ``getattr``, by which a pickled history buffer names its statistics: these four, and nothing comes."""
    if owner is not _History or name not in ('min', 'max', 'current', 'mean'):
        raise UnpicklingError(f'getattr({owner!r}, {name!r}) is not allowed in a checkpoint')


STOCK_GLOBALS = [
    (_History, 'mmengine.logging.history_buffer.HistoryBuffer'),
    (_history_method, 'builtins.getattr'),
    (_no_bytes, 'builtins.bytes'),
    *NUMPY_STAND_INS,
]
