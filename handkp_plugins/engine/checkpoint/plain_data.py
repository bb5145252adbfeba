"""What a checkpoint may hold: tensors, numbers, strings and plain containers of them.

``torch.load(weights_only=True)`` refuses everything else, and rightly: a pickle that may name any class may run any
code. :func:`to_plain` is applied before a checkpoint is written. :data:`STOCK_GLOBALS` and :func:`from_stock` read what
stock MMEngine writes (its history buffers and NumPy arrays) through stand-ins of our own, so that neither MMEngine's
nor NumPy's unpickling code sees bytes of unknown origin.
"""

import re
from collections import OrderedDict, deque
from enum import Enum
from pathlib import PurePath
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer

_LEAVES = (type(None), bool, int, float, complex, str, bytes, torch.dtype, torch.device, torch.Size)
_HISTORY_KEYS = {'log_history', 'count_history', 'max_length'}


def to_plain(value: Any, where: str = 'checkpoint') -> Any:
    """A copy of ``value`` that ``torch.load(weights_only=True)`` accepts; tensors are shared, not copied.

    NumPy arrays become lists, history buffers dictionaries of tensors, other mappings and sequences their plain kin.

    Raises:
        TypeError: An object of another type; the message names the place where it was found.
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


class _Dtype:
    """Stands for ``numpy.dtype``: numbers, booleans and text only."""

    def __init__(self, code: str, *_: Any) -> None:
        if not re.fullmatch(r'[biufcSU]\d{1,6}', code):
            raise UnpicklingError(f'NumPy type {code!r} is not allowed in a checkpoint')
        self.dtype = np.dtype(code)

    def __setstate__(self, state: tuple) -> None:
        if state[1] in '<>':
            self.dtype = self.dtype.newbyteorder(state[1])

    def read(self, data: bytes) -> np.ndarray:
        return np.frombuffer(data, dtype=self.dtype)


class _Array:
    """Stands for ``numpy.ndarray``."""

    def __setstate__(self, state: tuple) -> None:
        _, shape, dtype, fortran, data = state
        self.value = dtype.read(data).reshape(shape, order='F' if fortran else 'C').copy()


class _History:
    """Stands for MMEngine's ``HistoryBuffer``; takes its two arrays and leaves its functions."""

    def __setstate__(self, state: dict) -> None:
        self.logs, self.counts, self.max_length = state['_log_history'], state['_count_history'], state['max_length']


def _reconstruct(*_: Any) -> _Array:
    return _Array()


def _scalar(dtype: _Dtype, data: bytes) -> Any:
    return dtype.read(data)[0].item()


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
    (_Array, 'numpy.ndarray'),
    (_Dtype, 'numpy.dtype'),
    *((_reconstruct, f'numpy.{core}.multiarray._reconstruct') for core in ('core', '_core')),
    *((_scalar, f'numpy.{core}.multiarray.scalar') for core in ('core', '_core')),
]


def from_stock(value: Any) -> Any:
    """Replace, in nested containers, the stand-ins of :data:`STOCK_GLOBALS` by arrays and history buffers."""
    if isinstance(value, _Array):
        return value.value
    if isinstance(value, _History):
        return HistoryBuffer(from_stock(value.logs), from_stock(value.counts), value.max_length)
    if isinstance(value, dict):
        for key in value:
            value[key] = from_stock(value[key])
        return value
    if type(value) in (list, tuple):
        return type(value)(map(from_stock, value))
    return value
