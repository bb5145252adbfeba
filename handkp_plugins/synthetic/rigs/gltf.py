"""Reads a skinned mesh from a glTF 2.0 file (``.gltf`` or ``.glb``): points, weights, joints at rest, textures.

Only what a rigged hand needs is read: triangles, at most four joints a vertex, one skin, base colour and normal map. A
general reader (pygltflib) would bring more packages and leave the work to do here: checked sizes and paths, and arrays.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from .gltf_file import GltfFile


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
        normal_map: (H, W, 3) RGB, 8 bit: the normal in the texture's frame, x right, y up; None where it has none.
    """

    points: np.ndarray
    faces: np.ndarray
    weights: np.ndarray
    joint_names: list[str]
    joints: np.ndarray
    uv: np.ndarray | None
    texture: np.ndarray | None
    normal_map: np.ndarray | None


def read_skinned_mesh(path: Path) -> SkinnedMesh:
    """The skinned mesh of a file; where several meshes share its first skin, all of them as one.

    Raises:
        FileNotFoundError: the file, or one that it names, is missing.
        ValueError: the file is damaged, holds no skinned mesh, or needs what is not read here; the message names the
            file and the part of it.
    """
    try:
        return _SkinnedFile(path).mesh()
    except (AttributeError, KeyError, OverflowError, TypeError) as error:
        raise ValueError(f'{path}: its JSON is not built as glTF prescribes ({error!r})') from error


def read_texture(path: Path) -> np.ndarray:
    """A picture (H, W, 3) RGB, 8 bit.

    Raises:
        ValueError: the file cannot be decoded.
    """
    return _decode(path.read_bytes(), str(path))


def _decode(data: bytes, what: str) -> np.ndarray:
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
    if image is None:
        raise ValueError(f'{what}: expected an image that OpenCV reads, got {len(data)} other bytes')
    return image[:, :, ::-1]


class _SkinnedFile(GltfFile):
    def mesh(self) -> SkinnedMesh:
        """Points, weights and joints of the first skin and of all meshes that use it."""
        node_ids = [i for i, node in enumerate(self.list('nodes')) if 'mesh' in node and node.get('skin') == 0]
        if not node_ids:
            raise self.wrong('holds no mesh with a skin')
        skin = self.entry('skins', 0)
        joint_ids = skin.get('joints', [])
        names = [str(self.entry('nodes', j).get('name', f'node {j}')) for j in joint_ids]
        if 'inverseBindMatrices' not in skin:
            raise self.wrong('skin 0 has no inverseBindMatrices')
        inverse = self.accessor(skin['inverseBindMatrices'], 'MAT4').astype(float).reshape(-1, 4, 4).transpose(0, 2, 1)
        if len(inverse) != len(names):
            raise self.wrong(f'skin 0 has {len(names)} joints, but {len(inverse)} inverse bind matrices')
        if not (np.abs(np.linalg.det(inverse)) > 1e-12).all():
            raise self.wrong(f'accessor {skin["inverseBindMatrices"]} holds a matrix that cannot be inverted')
        parts = [
            self._primitive(primitive, len(names))
            for i in node_ids
            for primitive in self.entry('meshes', self.entry('nodes', i)['mesh']).get('primitives', [])
        ]
        if not parts:
            raise self.wrong('its skinned mesh has no primitives')
        starts = np.cumsum([0, *(len(points) for points, *_ in parts)])
        uvs = [uv for _, _, _, uv in parts]
        return SkinnedMesh(
            points=np.concatenate([points for points, *_ in parts]),
            faces=np.concatenate([faces + start for (_, faces, *_), start in zip(parts, starts, strict=False)]),
            weights=np.concatenate([weights for _, _, weights, _ in parts]),
            joint_names=names,
            joints=np.linalg.inv(inverse),
            uv=None if any(uv is None for uv in uvs) else np.concatenate(uvs),
            texture=self._picture(node_ids, lambda m: m.get('pbrMetallicRoughness', {}).get('baseColorTexture')),
            normal_map=self._picture(node_ids, self._normal_texture),
        )

    def _primitive(
        self, primitive: dict[str, Any], num_joints: int
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray | None]:
        """Points (V, 3), faces (F, 3), weights (V, J) and texture places (V, 2) of one part of a mesh."""
        if primitive.get('mode', 4) != 4:
            raise self.wrong(f'expected triangles (mode 4), got mode {primitive["mode"]}')
        attributes = primitive.get('attributes', {})
        missing = [name for name in ('POSITION', 'JOINTS_0', 'WEIGHTS_0') if name not in attributes]
        if missing:
            raise self.wrong(f'its skinned mesh lacks {missing}')
        points = self.accessor(attributes['POSITION'], 'VEC3').astype(float)
        rows = np.arange(len(points))
        indices = self.accessor(primitive['indices'], 'SCALAR', whole=True).ravel() if 'indices' in primitive else rows
        if len(indices) % 3 or not len(indices) or indices.max() >= len(points):
            raise self.wrong(f'accessor {primitive.get("indices")} holds no triangles of {len(points)} points')
        joints = self.accessor(attributes['JOINTS_0'], 'VEC4', whole=True)
        four = self.accessor(attributes['WEIGHTS_0'], 'VEC4')
        if len(joints) != len(points) or len(four) != len(points):
            raise self.wrong(f'{len(points)} points have {len(joints)} rows of joints and {len(four)} of weights')
        if joints.max(initial=0) >= num_joints:
            raise self.wrong(f'accessor {attributes["JOINTS_0"]} names joint {joints.max()} of {num_joints}')
        weights = np.zeros((len(points), num_joints))
        for k in range(4):
            np.add.at(weights, (rows, joints[:, k].astype(int)), four[:, k])
        total = weights.sum(1, keepdims=True)
        if not (total > 1e-6).all():
            raise self.wrong(f'accessor {attributes["WEIGHTS_0"]} has a row without a weight')
        uv = self.accessor(attributes['TEXCOORD_0'], 'VEC2') if 'TEXCOORD_0' in attributes else None
        if uv is not None and len(uv) != len(points):
            raise self.wrong(f'{len(points)} points have {len(uv)} places in the texture')
        return points, indices.reshape(-1, 3).astype(int), weights / total, uv

    def _normal_texture(self, material: dict[str, Any]) -> dict[str, Any] | None:
        texture = material.get('normalTexture')
        if texture is not None and texture.get('scale', 1) != 1:
            raise self.wrong(f'expected a normal map of scale 1, got {texture["scale"]}')
        return texture

    def _picture(self, node_ids: list[int], chosen: Callable[[dict[str, Any]], Any]) -> np.ndarray | None:
        """A picture of the first material that has it; ``chosen`` finds its texture in a material."""
        meshes = [self.entry('meshes', self.entry('nodes', i)['mesh']) for i in node_ids]
        for primitive in (p for mesh in meshes for p in mesh['primitives']):
            texture = chosen(self.entry('materials', primitive['material']) if 'material' in primitive else {})
            if texture is None:
                continue
            source = self.entry('textures', texture.get('index')).get('source')
            image, what = self.entry('images', source), f'image {source}'
            data = self.fetch(image['uri'], what) if 'uri' in image else self.view(image.get('bufferView'))
            return _decode(data, f'{self.path}: {what}')
        return None
