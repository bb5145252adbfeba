"""The parts of a glTF 2.0 file: its JSON, its binary data and the files that it names, every size checked.

Files may come from anywhere: what they say is checked against what they really hold, and a file may name others only
within its own folder.
"""

import base64
import binascii
import json
import os
import struct
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np

_MAX_BYTES = 256 * 2**20
_TYPES = {'SCALAR': 1, 'VEC2': 2, 'VEC3': 3, 'VEC4': 4, 'MAT4': 16}
_COMPONENTS = {5121: '<u1', 5123: '<u2', 5125: '<u4', 5126: '<f4'}
_FLOAT = 5126


class GltfFile:
    """A parsed ``.gltf`` or ``.glb`` file: its JSON in ``doc``, and its binary chunk, if it has one.

    Raises:
        FileNotFoundError: the file is missing.
        ValueError: it is too large, cut short, or no glTF.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.is_file():
            raise FileNotFoundError(f'rig: expected an existing .gltf or .glb file, got {path}')
        data = self._read(path)
        self.chunk: bytes | None = None
        if data[:4] == b'glTF':
            data = self._open_container(data)
        try:
            self.doc: dict[str, Any] = json.loads(data)
        except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
            raise self.wrong(f'is no glTF: its JSON does not parse ({error})') from error
        if not isinstance(self.doc, dict):
            raise self.wrong('is no glTF: its JSON is no object')
        if required := self.doc.get('extensionsRequired'):
            raise self.wrong(f'needs extensions that are not read here: {required}')

    def accessor(self, index: int, kind: str, whole: bool = False) -> np.ndarray:
        """The numbers (N, components) of an accessor, ids (``whole``) or shares of 1 where they are normalised."""
        what = f'accessor {index}'
        accessor = self.entry('accessors', index)
        allowed = [c for c in _COMPONENTS if not whole or c != _FLOAT]
        if accessor.get('type') != kind or accessor.get('componentType') not in allowed:
            found = f'{accessor.get("type")} of {accessor.get("componentType")}'
            raise self.wrong(f'{what}: expected {kind} of one of {allowed}, got {found}')
        if 'sparse' in accessor or 'bufferView' not in accessor:
            raise self.wrong(f'{what}: sparse and empty accessors are not read')
        view = self.entry('bufferViews', accessor['bufferView'])
        data = self.view(accessor['bufferView'])
        dtype = np.dtype(_COMPONENTS[accessor['componentType']])
        count, start = self._size(accessor, 'count', what), self._size(accessor, 'byteOffset', what)
        row = dtype.itemsize * _TYPES[kind]
        stride = self._size(view, 'byteStride', what) or row
        if stride < row or (count and start + stride * (count - 1) + row > len(data)):
            raise self.wrong(f'{what}: {count} rows of {row} bytes do not fit its {len(data)} bytes')
        values = np.ndarray((count, _TYPES[kind]), dtype, data, start, (stride, dtype.itemsize))
        if dtype.kind == 'f' and not np.isfinite(values).all():
            raise self.wrong(f'{what}: a number in it is not finite')
        return values / float(np.iinfo(dtype).max) if accessor.get('normalized') and dtype.kind == 'u' else values

    def view(self, index: int) -> bytes:
        view, what = self.entry('bufferViews', index), f'bufferView {index}'
        data = self._buffer(view.get('buffer', 0))
        start, length = self._size(view, 'byteOffset', what), self._size(view, 'byteLength', what)
        if start + length > len(data):
            raise self.wrong(f'{what}: bytes {start} to {start + length} of {len(data)}')
        return data[start : start + length]

    def _buffer(self, index: int) -> bytes:
        buffer, what = self.entry('buffers', index), f'buffer {index}'
        if 'uri' not in buffer and (index != 0 or self.chunk is None):
            raise self.wrong(f'{what} has neither a uri nor a binary chunk')
        data = self.fetch(buffer['uri'], what) if 'uri' in buffer else self.chunk
        if len(data) < self._size(buffer, 'byteLength', what):
            raise self.wrong(f'{what}: {buffer["byteLength"]} bytes are promised, {len(data)} are there')
        return data

    def fetch(self, uri: str, what: str) -> bytes:
        """The bytes that a URI stands for: embedded ones, or a file within this file's folder."""
        if uri.startswith('data:'):
            head, comma, body = uri.partition(',')
            if not comma or not head.endswith(';base64'):
                raise self.wrong(f'{what}: uri: expected a data: URI in base64, got {head[:40]!r}')
            try:
                return base64.b64decode(body, validate=True)
            except binascii.Error as error:
                raise self.wrong(f'{what}: its base64 is damaged ({error})') from error
        folder, name = self.path.resolve().parent, unquote(uri)
        if ':' in uri or '\0' in name or not (folder / name).resolve().is_relative_to(folder):
            raise self.wrong(f'{what}: uri: expected a data: URI or a file below {folder}, got {uri[:80]!r}')
        target = (folder / name).resolve()
        if not os.path.isfile(target):  # unlike Path.is_file, no error for a name that no file can have
            raise FileNotFoundError(f'{self.path}: {what} names {uri[:80]!r}, which is missing')
        return self._read(target)

    def _read(self, path: Path) -> bytes:
        if path.stat().st_size > _MAX_BYTES:
            raise ValueError(f'{path}: expected at most {_MAX_BYTES} bytes, got {path.stat().st_size}')
        return path.read_bytes()

    def _open_container(self, data: bytes) -> bytes:
        """Keep the binary chunk of a ``.glb`` and return its JSON."""
        chunks, place = {}, 12
        while place + 8 <= len(data):
            length, kind = struct.unpack_from('<I4s', data, place)
            chunks.setdefault(kind, data[place + 8 : place + 8 + length])
            if len(chunks[kind]) < length and kind in (b'JSON', b'BIN\0'):
                raise self.wrong(f'is cut short in its chunk {kind!r}')
            place += 8 + length
        if b'JSON' not in chunks:
            raise self.wrong('is no glTF: it has no JSON chunk')
        self.chunk = chunks.get(b'BIN\0')
        return chunks[b'JSON']

    def list(self, name: str) -> list[dict[str, Any]]:
        entries = self.doc.get(name, [])
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise self.wrong(f'{name}: expected a list of objects')
        return entries

    def entry(self, name: str, index: Any) -> dict[str, Any]:
        entries = self.list(name)
        if not isinstance(index, int) or not 0 <= index < len(entries):
            raise self.wrong(f'{name}: expected entry 0 to {len(entries) - 1}, got {index!r}')
        return entries[index]

    def _size(self, entry: dict[str, Any], key: str, what: str) -> int:
        value = entry.get(key, 0)
        if not isinstance(value, int) or value < 0:
            raise self.wrong(f'{what}: {key}: expected a whole number, 0 or more, got {value!r}')
        return value

    def wrong(self, why: str) -> ValueError:
        return ValueError(f'{self.path}: {why}')
