"""Reads a skinned mesh from a glTF 2.0 file (``.gltf`` or ``.glb``): points, weights, joints at rest, texture.

Only what a rigged hand needs is read: triangles, at most four joints a vertex, one skin, the base colour's texture.
Files may come from anywhere: every size is checked against what the file really holds, and a file may name others only
within its own folder.
"""

import base64
import binascii
import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import cv2
import numpy as np

_MAX_BYTES = 256 * 2**20
_TYPES = {'SCALAR': 1, 'VEC2': 2, 'VEC3': 3, 'VEC4': 4, 'MAT4': 16}
_COMPONENTS = {5121: '<u1', 5123: '<u2', 5125: '<u4', 5126: '<f4'}


@dataclass(frozen=True)
class SkinnedMesh:
    """V points, F triangles, J joints, in the units and axes of the file (glTF prescribes metres).

    Args:
        points: (V, 3).
        faces: (F, 3) point ids, counter-clockwise seen from outside.
        weights: (V, J); each row sums to 1.
        joint_names: J names.
        joints: (J, 4, 4) frames of the joints while the mesh rests.
        uv: (V, 2) places in the texture, from its upper left corner; None where the file has none.
        texture: (H, W, 3) RGB, 8 bit, of the base colour; None where the file has none.
    """

    points: np.ndarray
    faces: np.ndarray
    weights: np.ndarray
    joint_names: list[str]
    joints: np.ndarray
    uv: np.ndarray | None
    texture: np.ndarray | None


def read_skinned_mesh(path: Path) -> SkinnedMesh:
    """The skinned mesh of a file; where several meshes share its first skin, all of them as one.

    Raises:
        FileNotFoundError: the file, or one that it names, is missing.
        ValueError: the file is damaged, holds no skinned mesh, or needs what is not read here; the message names the
            file and the part of it.
    """
    return _File(path).mesh()


def read_texture(path: Path) -> np.ndarray:
    """A picture (H, W, 3) RGB, 8 bit.

    Raises:
        ValueError: the file cannot be decoded.
    """
    return _decode(np.frombuffer(path.read_bytes(), np.uint8), str(path))


def _decode(data: np.ndarray, what: str) -> np.ndarray:
    image = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    if image is None:
        raise ValueError(
            f'{what}: a picture that OpenCV reads is allowed, received {data.size} bytes of something else'
        )
    return image[:, :, ::-1]


class _File:
    """A parsed file: JSON in ``doc``, and its binary chunk, if it has one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.is_file():
            raise FileNotFoundError(f'rig: an existing .gltf or .glb file is allowed, received {path}')
        data = self._read(path)
        self.chunk: bytes | None = None
        if data[:4] == b'glTF':
            data = self._open_container(data)
        try:
            self.doc: dict[str, Any] = json.loads(data)
        except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
            raise self._wrong(f'is no glTF: its JSON does not parse ({error})') from error
        if not isinstance(self.doc, dict):
            raise self._wrong('is no glTF: its JSON is no object')
        if required := self.doc.get('extensionsRequired'):
            raise self._wrong(f'needs extensions that are not read here: {required}')

    def mesh(self) -> SkinnedMesh:
        """Points, weights and joints of the first skin and of all meshes that use it."""
        node_ids = [i for i, node in enumerate(self._list('nodes')) if 'mesh' in node and node.get('skin') == 0]
        if not node_ids:
            raise self._wrong('holds no mesh with a skin')
        skin = self._entry('skins', 0)
        joint_ids = skin.get('joints', [])
        names = [str(self._entry('nodes', j).get('name', f'node {j}')) for j in joint_ids]
        if 'inverseBindMatrices' not in skin:
            raise self._wrong('skin 0 has no inverseBindMatrices')
        inverse = self._accessor(skin['inverseBindMatrices'], 'MAT4').reshape(-1, 4, 4).transpose(0, 2, 1)
        if len(inverse) != len(names):
            raise self._wrong(f'skin 0 has {len(names)} joints, but {len(inverse)} inverse bind matrices')
        if not (np.abs(np.linalg.det(inverse)) > 1e-12).all():
            raise self._wrong(f'accessor {skin["inverseBindMatrices"]} holds a matrix that cannot be inverted')
        parts = [
            self._primitive(primitive, len(names))
            for i in node_ids
            for primitive in self._entry('meshes', self._entry('nodes', i)['mesh']).get('primitives', [])
        ]
        if not parts:
            raise self._wrong('its skinned mesh has no primitives')
        starts = np.cumsum([0, *(len(points) for points, *_ in parts)])
        uvs = [uv for _, _, _, uv in parts]
        return SkinnedMesh(
            points=np.concatenate([points for points, *_ in parts]),
            faces=np.concatenate([faces + start for (_, faces, *_), start in zip(parts, starts, strict=False)]),
            weights=np.concatenate([weights for _, _, weights, _ in parts]),
            joint_names=names,
            joints=np.linalg.inv(inverse),
            uv=None if any(uv is None for uv in uvs) else np.concatenate(uvs),
            texture=self._texture([self._entry('nodes', i)['mesh'] for i in node_ids]),
        )

    def _primitive(
        self, primitive: dict[str, Any], num_joints: int
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray | None]:
        """Points (V, 3), faces (F, 3), weights (V, J) and texture places (V, 2) of one part of a mesh."""
        if primitive.get('mode', 4) != 4:
            raise self._wrong(f'a mesh of triangles (mode 4) is allowed, received mode {primitive["mode"]}')
        attributes = primitive.get('attributes', {})
        missing = [name for name in ('POSITION', 'JOINTS_0', 'WEIGHTS_0') if name not in attributes]
        if missing:
            raise self._wrong(f'its skinned mesh lacks {missing}')
        points = self._accessor(attributes['POSITION'], 'VEC3').astype(float)
        rows = np.arange(len(points))
        indices = self._accessor(primitive['indices'], 'SCALAR').ravel() if 'indices' in primitive else rows
        if len(indices) % 3 or (len(indices) and indices.max() >= len(points)):
            raise self._wrong(f'accessor {primitive.get("indices")} holds no triangles of {len(points)} points')
        joints, four = (self._accessor(attributes[name], 'VEC4') for name in ('JOINTS_0', 'WEIGHTS_0'))
        if len(joints) != len(points) or len(four) != len(points):
            raise self._wrong(f'{len(points)} points have {len(joints)} rows of joints and {len(four)} of weights')
        if joints.max(initial=0) >= num_joints:
            raise self._wrong(f'accessor {attributes["JOINTS_0"]} names joint {joints.max()} of {num_joints}')
        weights = np.zeros((len(points), num_joints))
        for k in range(4):
            np.add.at(weights, (rows, joints[:, k].astype(int)), four[:, k])
        total = weights.sum(1, keepdims=True)
        if not (total > 1e-6).all():
            raise self._wrong(f'accessor {attributes["WEIGHTS_0"]} has a row without a weight')
        uv = self._accessor(attributes['TEXCOORD_0'], 'VEC2') if 'TEXCOORD_0' in attributes else None
        if uv is not None and len(uv) != len(points):
            raise self._wrong(f'{len(points)} points have {len(uv)} places in the texture')
        return points, indices.reshape(-1, 3).astype(int), weights / total, uv

    def _accessor(self, index: int, kind: str) -> np.ndarray:
        """The numbers (N, components) of an accessor; whole numbers of weights and places become shares of 1."""
        what = f'accessor {index}'
        accessor = self._entry('accessors', index)
        if accessor.get('type') != kind or accessor.get('componentType') not in _COMPONENTS:
            found = f'{accessor.get("type")} of {accessor.get("componentType")}'
            raise self._wrong(f'{what}: {kind} of one of {sorted(_COMPONENTS)} is allowed, received {found}')
        if 'sparse' in accessor or 'bufferView' not in accessor:
            raise self._wrong(f'{what}: sparse and empty accessors are not read')
        view = self._entry('bufferViews', accessor['bufferView'])
        data = self._view(accessor['bufferView'])
        dtype = np.dtype(_COMPONENTS[accessor['componentType']])
        count, start = self._size(accessor, 'count', what), self._size(accessor, 'byteOffset', what)
        row = dtype.itemsize * _TYPES[kind]
        stride = self._size(view, 'byteStride', what) or row
        if stride < row or (count and start + stride * (count - 1) + row > len(data)):
            raise self._wrong(f'{what}: {count} rows of {row} bytes do not fit its {len(data)} bytes')
        values = np.ndarray((count, _TYPES[kind]), dtype, data, start, (stride, dtype.itemsize))
        if dtype.kind == 'f' and not np.isfinite(values).all():
            raise self._wrong(f'{what}: a number in it is not finite')
        return values / float(np.iinfo(dtype).max) if accessor.get('normalized') and dtype.kind == 'u' else values

    def _view(self, index: int) -> bytes:
        view, what = self._entry('bufferViews', index), f'bufferView {index}'
        data = self._buffer(view.get('buffer', 0))
        start, length = self._size(view, 'byteOffset', what), self._size(view, 'byteLength', what)
        if start + length > len(data):
            raise self._wrong(f'{what}: bytes {start} to {start + length} of {len(data)}')
        return data[start : start + length]

    def _buffer(self, index: int) -> bytes:
        buffer, what = self._entry('buffers', index), f'buffer {index}'
        if 'uri' not in buffer and (index != 0 or self.chunk is None):
            raise self._wrong(f'{what} has neither a uri nor a binary chunk')
        data = self._fetch(buffer['uri'], what) if 'uri' in buffer else self.chunk
        if len(data) < self._size(buffer, 'byteLength', what):
            raise self._wrong(f'{what}: {buffer["byteLength"]} bytes are promised, {len(data)} are there')
        return data

    def _texture(self, mesh_ids: list[int]) -> np.ndarray | None:
        """The base colour's picture of the first material that has one."""
        for primitive in (p for i in mesh_ids for p in self._entry('meshes', i)['primitives']):
            material = self._entry('materials', primitive['material']) if 'material' in primitive else {}
            base = material.get('pbrMetallicRoughness', {}).get('baseColorTexture')
            if base is None:
                continue
            source = self._entry('textures', base.get('index')).get('source')
            image, what = self._entry('images', source), f'image {source}'
            data = self._fetch(image['uri'], what) if 'uri' in image else self._view(image.get('bufferView'))
            return _decode(np.frombuffer(data, np.uint8), f'{self.path}: {what}')
        return None

    def _fetch(self, uri: str, what: str) -> bytes:
        """The bytes that a URI stands for: embedded ones, or a file within this file's folder."""
        if uri.startswith('data:'):
            head, comma, body = uri.partition(',')
            if not comma or not head.endswith(';base64'):
                raise self._wrong(f'{what}: a data: URI in base64 is allowed, received {head[:40]!r}')
            try:
                return base64.b64decode(body, validate=True)
            except binascii.Error as error:
                raise self._wrong(f'{what}: its base64 is damaged ({error})') from error
        folder = self.path.resolve().parent
        target = (folder / unquote(uri)).resolve()
        if ':' in uri or '\0' in unquote(uri) or not target.is_relative_to(folder):
            raise self._wrong(f'{what}: a data: URI or a file below {folder} is allowed, received {uri[:80]!r}')
        if not target.is_file():
            raise FileNotFoundError(f'{self.path}: {what} names {uri!r}, which is missing')
        return self._read(target)

    def _read(self, path: Path) -> bytes:
        if path.stat().st_size > _MAX_BYTES:
            raise ValueError(f'{path}: at most {_MAX_BYTES} bytes are allowed, received {path.stat().st_size}')
        return path.read_bytes()

    def _open_container(self, data: bytes) -> bytes:
        """Keep the binary chunk of a ``.glb`` and return its JSON."""
        chunks, place = {}, 12
        while place + 8 <= len(data):
            length, kind = struct.unpack_from('<I4s', data, place)
            chunks.setdefault(kind, data[place + 8 : place + 8 + length])
            if len(chunks[kind]) < length and kind in (b'JSON', b'BIN\0'):
                raise self._wrong(f'is cut short in its chunk {kind!r}')
            place += 8 + length
        if b'JSON' not in chunks:
            raise self._wrong('is no glTF: it has no JSON chunk')
        self.chunk = chunks.get(b'BIN\0')
        return chunks[b'JSON']

    def _list(self, name: str) -> list[dict[str, Any]]:
        entries = self.doc.get(name, [])
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise self._wrong(f'{name}: a list of objects is allowed')
        return entries

    def _entry(self, name: str, index: Any) -> dict[str, Any]:
        entries = self._list(name)
        if not isinstance(index, int) or not 0 <= index < len(entries):
            raise self._wrong(f'{name}: entry 0 to {len(entries) - 1} is allowed, received {index!r}')
        return entries[index]

    def _size(self, entry: dict[str, Any], key: str, what: str) -> int:
        value = entry.get(key, 0)
        if not isinstance(value, int) or value < 0:
            raise self._wrong(f'{what}: {key} must be a whole number, 0 or more, received {value!r}')
        return value

    def _wrong(self, why: str) -> ValueError:
        return ValueError(f'{self.path}: {why}')
