"""Reading pickles of plain data and NumPy arrays, without running anything that they name.

A pickle is a program: it may name any function and call it. Here the only names are those by which NumPy rebuilds
arrays, numbers and types, and even these lead to stand-ins, so that NumPy's own unpickling code sees no bytes of
unknown origin. :data:`NUMPY_STAND_INS` serves ``torch.load(weights_only=True)``, too.
"""

import pickle
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import numpy as np


class StandIn:
    """Takes the place of a class of another package while a pickle is read; :func:`restore` replaces it."""

    def restore(self) -> Any:
        """Return the object that this one stands for."""
        raise NotImplementedError


class _Array(StandIn):
    """Stands for ``numpy.ndarray``."""

    value: np.ndarray

    def __setstate__(self, state: tuple) -> None:
        _, shape, dtype, fortran, data = state
        self.value = dtype.decode(data).reshape(shape, order='F' if fortran else 'C').copy()

    def restore(self) -> np.ndarray:
        return self.value


class _Dtype:
    """Stands for ``numpy.dtype``: numbers, booleans and text only."""

    def __init__(self, code: str, *_: Any) -> None:
        if not re.fullmatch(r'[biufcSU]\d{1,6}', code):
            raise pickle.UnpicklingError(f'expected arrays of numbers, booleans or strings, got numpy.{code}')
        self.dtype = np.dtype(code)

    def __setstate__(self, state: tuple) -> None:
        if state[1] in '<>':
            self.dtype = self.dtype.newbyteorder(state[1])

    def decode(self, data: bytes | str) -> np.ndarray:
        # Python 2's bytes are read as text in latin1
        return np.frombuffer(data.encode('latin1') if isinstance(data, str) else data, dtype=self.dtype)


def _make_array(*_: Any) -> _Array:
    return _Array()


def _make_number(dtype: _Dtype, data: bytes) -> Any:
    return dtype.decode(data)[0].item()


def _make_from_buffer(data: bytes, dtype: _Dtype, shape: Sequence[int], order: str) -> _Array:
    array = _Array()
    array.__setstate__((None, shape, dtype, order == 'F', data))
    return array


def _encode(text: str, encoding: str) -> bytes:
    """Stands for ``_codecs.encode``, by which old protocols write bytes; no other codec is asked for."""
    if encoding != 'latin1':
        raise pickle.UnpicklingError(f'expected bytes in the encoding latin1, got {encoding!r}')
    return text.encode(encoding)


NUMPY_STAND_INS = [
    (_Array, 'numpy.ndarray'),
    (_Dtype, 'numpy.dtype'),
    *((_make_array, f'numpy.{core}.multiarray._reconstruct') for core in ('core', '_core')),
    *((_make_number, f'numpy.{core}.multiarray.scalar') for core in ('core', '_core')),
]
"""Stand-ins, and what they stand for."""

_ALLOWED = {name: stand_in for stand_in, name in NUMPY_STAND_INS} | {
    '_codecs.encode': _encode,
    'numpy.core.numeric._frombuffer': _make_from_buffer,
    'numpy._core.numeric._frombuffer': _make_from_buffer,
}


def restore(value: Any) -> Any:
    """Replace the stand-ins in nested containers by what they stand for."""
    if isinstance(value, StandIn):
        return value.restore()
    if isinstance(value, dict):
        for key in value:
            value[key] = restore(value[key])
        return value
    if type(value) in (list, tuple):
        return type(value)(map(restore, value))
    return value


class _PlainUnpickler(pickle.Unpickler):
    def __init__(self, file: BinaryIO, stand_ins: Mapping[str, Any]) -> None:
        super().__init__(file, encoding='latin1')
        self.allowed = _ALLOWED | dict(stand_ins)

    def find_class(self, module: str, name: str) -> Any:
        if f'{module}.{name}' not in self.allowed:
            raise pickle.UnpicklingError(
                f'expected arrays, dictionaries, lists, strings and numbers, got {module}.{name}'
            )
        return self.allowed[f'{module}.{name}']

    def persistent_load(self, pid: Any) -> NoReturn:
        raise pickle.UnpicklingError('references to things outside the file are not allowed')


def read_plain_pickle(path: Path, stand_ins: Mapping[str, Any] | None = None) -> Any:
    """Read a pickle of NumPy arrays, dictionaries, lists, tuples, strings and numbers; also one of Python 2.

    ``stand_ins`` (name → :class:`StandIn` or function of ours) are what it may name beside these. Raises ValueError if
    it names anything else, or is damaged. Nothing that it names has been called then.
    """
    with path.open('rb') as file:
        try:
            return restore(_PlainUnpickler(file, stand_ins or {}).load())
        except Exception as e:  # a damaged pickle may raise anything
            raise ValueError(f'{path}: expected a pickle of plain data, got {type(e).__name__}: {e}') from None
