"""A glTF 2.0 file, its binary data and the files that it names, every size checked.

pygltflib parses the file but checks neither types, sizes nor paths. Files may come from anywhere: what they say is
checked against what they really hold, and a file may name others only within its own folder.
"""

import base64
import binascii
import os
import struct
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
from pygltflib import GLTF2

MALFORMED = (AttributeError, KeyError, OverflowError, RecursionError, TypeError, struct.error)
"""What pygltflib and access to its objects raise, beside ValueError, where the JSON is not built as glTF prescribes."""
_MAX_BYTES = 256 * 2**20
_TYPES = {'SCALAR': 1, 'VEC2': 2, 'VEC3': 3, 'VEC4': 4, 'MAT4': 16}
_COMPONENTS = {5121: '<u1', 5123: '<u2', 5125: '<u4', 5126: '<f4'}
_FLOAT = 5126


class GltfFile:
    """A parsed ``.gltf`` or ``.glb`` file; its objects are in ``gltf``."""

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.is_file():
            raise FileNotFoundError(f'rig: expected an existing .gltf or .glb file, got {path}')
        data = self._read(path)
        try:
            is_binary = data[:4] == b'glTF'
            gltf = GLTF2.load_from_bytes(data) if is_binary else GLTF2.gltf_from_json(data.decode())
        except (ValueError, *MALFORMED) as error:
            raise self.error(f'expected a file built as glTF 2.0 prescribes, got {error!r}') from error
        if gltf is None:
            raise self.error('expected a JSON chunk, got none')
        if gltf.extensionsRequired:
            raise self.error(f'extensionsRequired: expected none, got {gltf.extensionsRequired}')
        self.gltf = gltf

    def accessor(self, index: int, kind: str, whole: bool = False) -> np.ndarray:
        """The numbers (N, components) of an accessor, ids (``whole``) or shares of 1 where they are normalised."""
        accessor, what = self.entry('accessors', index), f'accessor {index}'
        allowed = [c for c in _COMPONENTS if not whole or c != _FLOAT]
        if accessor.type != kind or accessor.componentType not in allowed:
            found = f'{accessor.type} of {accessor.componentType}'
            raise self.error(f'{what}: expected {kind} of one of {allowed}, got {found}')
        if accessor.sparse is not None or accessor.bufferView is None:
            raise self.error(f'{what}: expected a bufferView, got a sparse or empty accessor')
        view, data = self.entry('bufferViews', accessor.bufferView), self.view(accessor.bufferView)
        dtype = np.dtype(_COMPONENTS[accessor.componentType])
        count, start = self._size(accessor, 'count', what), self._size(accessor, 'byteOffset', what)
        row = dtype.itemsize * _TYPES[kind]
        stride = self._size(view, 'byteStride', what) or row
        if stride < row or (count and start + stride * (count - 1) + row > len(data)):
            raise self.error(f'{what}: expected {count} rows of {row} bytes, got {len(data)} bytes')
        values = np.ndarray((count, _TYPES[kind]), dtype, data, start, (stride, dtype.itemsize))
        if dtype.kind == 'f' and not np.isfinite(values).all():
            raise self.error(f'{what}: expected finite numbers, got others')
        return values / float(np.iinfo(dtype).max) if accessor.normalized and dtype.kind == 'u' else values

    def view(self, index: int) -> bytes:
        """The bytes of a buffer view."""
        view, what = self.entry('bufferViews', index), f'bufferView {index}'
        data = self._buffer(view.buffer)
        start, length = self._size(view, 'byteOffset', what), self._size(view, 'byteLength', what)
        if start + length > len(data):
            raise self.error(f'{what}: expected bytes {start} to {start + length}, got {len(data)} bytes')
        return data[start : start + length]

    def _buffer(self, index: int) -> bytes:
        buffer, what = self.entry('buffers', index), f'buffer {index}'
        chunk = self.gltf.binary_blob() if index == 0 else None
        data = chunk if buffer.uri is None else self.fetch(buffer.uri, what)
        length = self._size(buffer, 'byteLength', what)
        if data is None or len(data) < length:
            raise self.error(f'{what}: expected {length} bytes, got {"none" if data is None else len(data)}')
        return data

    def fetch(self, uri: str, what: str) -> bytes:
        """The bytes that a URI stands for: embedded ones, or a file within this file's folder."""
        if uri.startswith('data:'):
            head, comma, body = uri.partition(',')
            if not comma or not head.endswith(';base64'):
                raise self.error(f'{what}: uri: expected a data: URI in base64, got {head[:40]!r}')
            try:
                return base64.b64decode(body, validate=True)
            except binascii.Error as error:
                raise self.error(f'{what}: uri: expected base64, got {error}') from error
        folder, name = self.path.resolve().parent, unquote(uri)
        if ':' in uri or '\0' in name or not (folder / name).resolve().is_relative_to(folder):
            raise self.error(f'{what}: uri: expected a data: URI or a file below {folder}, got {uri[:80]!r}')
        target = (folder / name).resolve()
        if not os.path.isfile(target):  # unlike Path.is_file, no error for a name that no file can have
            raise FileNotFoundError(f'{self.path}: {what}: uri: expected an existing file, got {uri[:80]!r}')
        return self._read(target)

    def _read(self, path: Path) -> bytes:
        if path.stat().st_size > _MAX_BYTES:
            raise ValueError(f'{path}: expected at most {_MAX_BYTES} bytes, got {path.stat().st_size}')
        return path.read_bytes()

    def entry(self, name: str, index: Any) -> Any:
        """One of the file's objects: ``name`` is its list, such as 'nodes'."""
        entries = getattr(self.gltf, name) or []
        if not isinstance(index, int) or not 0 <= index < len(entries):
            raise self.error(f'{name}: expected entry 0 to {len(entries) - 1}, got {index!r}')
        return entries[index]

    def _size(self, entry: Any, key: str, what: str) -> int:
        value = getattr(entry, key) or 0
        if not isinstance(value, int) or value < 0:
            raise self.error(f'{what}: {key}: expected a whole number, 0 or more, got {value!r}')
        return value

    def error(self, why: str) -> ValueError:
        """An error that names the file."""
        return ValueError(f'{self.path}: {why}')
