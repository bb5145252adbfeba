"""Reading pickles of plain data, and of nothing else.

A pickle is a program: it may name any function and have it called. Here the only names that it may use are those by
which NumPy rebuilds an array, a number or a type, so that nothing else can be called.
"""

import pickle
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

_ARRAY, _NUMBER, _BUFFER = (
    f[0] for f in (np.zeros(1).__reduce__(), np.float64(1).__reduce__(), np.zeros(1).__reduce_ex__(5))
)


def _encode(text: str, encoding: str) -> bytes:
    """How old protocols write bytes; no other codec is asked for."""
    if encoding != 'latin1':
        raise pickle.UnpicklingError(f'expected bytes in the encoding latin1, got {encoding!r}')
    return text.encode(encoding)


_ALLOWED: dict[tuple[str, str], Any] = {
    ('numpy', 'ndarray'): np.ndarray,
    ('numpy', 'dtype'): np.dtype,
    ('_codecs', 'encode'): _encode,
    **{(f'numpy.{core}.multiarray', '_reconstruct'): _ARRAY for core in ('core', '_core')},
    **{(f'numpy.{core}.multiarray', 'scalar'): _NUMBER for core in ('core', '_core')},
    **{(f'numpy.{core}.numeric', '_frombuffer'): _BUFFER for core in ('core', '_core')},
}


class _PlainUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(
                f'expected arrays, dictionaries, lists, strings and numbers, got {module}.{name}'
            )
        return _ALLOWED[module, name]

    def persistent_load(self, pid: Any) -> NoReturn:
        raise pickle.UnpicklingError('references to things outside the file are not allowed')


def read_plain_pickle(path: Path) -> Any:
    """What a pickle of NumPy arrays, dictionaries, lists, tuples, strings and numbers holds; Python 2's too.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it names anything else, or is no whole pickle; nothing that it names has been called.
    """
    with path.open('rb') as file:
        try:
            return _PlainUnpickler(file, encoding='latin1').load()
        except Exception as e:  # a damaged pickle may raise anything
            raise ValueError(f'{path}: expected a pickle of plain data, but: {type(e).__name__}: {e}') from None
