"""Reads a skinned mesh from a glTF 2.0 file (``.gltf`` or ``.glb``): points, weights, joints at rest, textures.

Only what a rigged hand needs is read: triangles, at most four joints a vertex, one skin, base colour and normal map.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from pygltflib import Material, Primitive

from .gltf_file import MALFORMED, GltfFile


@dataclass(frozen=True)
class SkinnedMesh:
    """V points, F triangles, J joints, in the units and axes of the file (glTF prescribes metres)."""

    points: np.ndarray  # (V, 3)
    faces: np.ndarray  # (F, 3) point ids, counter-clockwise seen from outside
    weights: np.ndarray  # (V, J); each row sums to 1
    joint_names: list[str]
    joints: np.ndarray  # (J, 4, 4) frames of the joints while the mesh rests
    uv: np.ndarray | None  # (V, 2) places in the texture, from its upper left corner
    texture: np.ndarray | None  # (H, W, 3) RGB, 8 bit, of the base colour
    normal_map: np.ndarray | None  # (H, W, 3) RGB, 8 bit: the normal in the texture's frame, x right, y up


def read_skinned_mesh(path: Path) -> SkinnedMesh:
    """Read the skinned mesh of a file; several meshes that share its first skin become one.

    Raises:
        FileNotFoundError: The file, or one that it names, is missing.
        ValueError: The file is damaged, has no skinned mesh or needs what is not read here; the message tells the part.
    """
    try:
        return _SkinnedFile(path).mesh()
    except MALFORMED as error:
        raise ValueError(f'{path}: expected a file built as glTF 2.0 prescribes, got {error!r}') from error


def read_texture(path: Path) -> np.ndarray:
    """Read an image (H, W, 3) RGB, 8 bit."""
    return _decode(path.read_bytes(), str(path))


def _decode(data: bytes, what: str) -> np.ndarray:
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
    if image is None:
        raise ValueError(f'{what}: expected an image that OpenCV reads, got {len(data)} other bytes')
    return image[:, :, ::-1]


class _SkinnedFile(GltfFile):
    def mesh(self) -> SkinnedMesh:
        """Points, weights and joints of the first skin and of all meshes that use it."""
        mesh_ids = [node.mesh for node in self.gltf.nodes or [] if node.mesh is not None and node.skin == 0]
        if not mesh_ids:
            raise self.error('nodes: expected a mesh with skin 0, got none')
        skin = self.entry('skins', 0)
        names = [str(self.entry('nodes', j).name or f'node {j}') for j in skin.joints]
        inverse = self.accessor(skin.inverseBindMatrices, 'MAT4').astype(float).reshape(-1, 4, 4).transpose(0, 2, 1)
        if len(inverse) != len(names):
            raise self.error(f'skin 0: expected {len(names)} inverse bind matrices, one a joint, got {len(inverse)}')
        if not (np.abs(np.linalg.det(inverse)) > 1e-12).all():
            raise self.error(f'accessor {skin.inverseBindMatrices}: expected invertible matrices, got others')
        primitives = [p for i in mesh_ids for p in self.entry('meshes', i).primitives]
        if not primitives:
            raise self.error('meshes: expected primitives with skin 0, got none')
        points, faces, weights, uvs = zip(*(self._primitive(p, len(names)) for p in primitives), strict=True)
        starts = np.cumsum([0, *map(len, points)])
        return SkinnedMesh(
            points=np.concatenate(points),
            faces=np.concatenate([f + start for f, start in zip(faces, starts, strict=False)]),
            weights=np.concatenate(weights),
            joint_names=names,
            joints=np.linalg.inv(inverse),
            uv=None if any(uv is None for uv in uvs) else np.concatenate(uvs),
            texture=self._image(
                primitives, lambda m: m.pbrMetallicRoughness and m.pbrMetallicRoughness.baseColorTexture
            ),
            normal_map=self._image(primitives, self._normal_texture),
        )

    def _primitive(
        self, primitive: Primitive, num_joints: int
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray | None]:
        """Points (V, 3), faces (F, 3), weights (V, J) and texture places (V, 2) of one part of a mesh."""
        if primitive.mode != 4:
            raise self.error(f'expected triangles (mode 4), got mode {primitive.mode}')
        attributes = primitive.attributes
        missing = [name for name in ('POSITION', 'JOINTS_0', 'WEIGHTS_0') if getattr(attributes, name) is None]
        if missing:
            raise self.error(f'attributes: expected POSITION, JOINTS_0 and WEIGHTS_0, got no {missing}')
        points = self.accessor(attributes.POSITION, 'VEC3').astype(float)
        joints = self.accessor(attributes.JOINTS_0, 'VEC4', whole=True)
        four = self.accessor(attributes.WEIGHTS_0, 'VEC4')
        uv = None if attributes.TEXCOORD_0 is None else self.accessor(attributes.TEXCOORD_0, 'VEC2')
        for name, rows in (('JOINTS_0', joints), ('WEIGHTS_0', four), ('TEXCOORD_0', uv)):
            if rows is not None and len(rows) != len(points):
                raise self.error(f'{name}: expected {len(points)} rows, one a point, got {len(rows)}')
        indices = ids = np.arange(len(points))
        if primitive.indices is not None:
            indices = self.accessor(primitive.indices, 'SCALAR', whole=True).ravel()
        if len(indices) % 3 or not len(indices) or indices.max() >= len(points):
            raise self.error(f'accessor {primitive.indices}: expected triangles of {len(points)} points, got others')
        if joints.max(initial=0) >= num_joints:
            raise self.error(f'accessor {attributes.JOINTS_0}: expected joints below {num_joints}, got {joints.max()}')
        weights = np.zeros((len(points), num_joints))
        for k in range(4):
            np.add.at(weights, (ids, joints[:, k].astype(int)), four[:, k])
        total = weights.sum(1, keepdims=True)
        if not (total > 1e-6).all():
            raise self.error(f'accessor {attributes.WEIGHTS_0}: expected positive sums of weights, got a row without')
        return points, indices.reshape(-1, 3).astype(int), weights / total, uv

    def _normal_texture(self, material: Material) -> Any:
        texture = material.normalTexture
        if texture is not None and texture.scale != 1:
            raise self.error(f'normalTexture: expected scale 1, got {texture.scale}')
        return texture

    def _image(self, primitives: list[Primitive], texture_of: Callable[[Material], Any]) -> np.ndarray | None:
        """The image of the first material that has such a texture."""
        for material in (self.entry('materials', p.material) for p in primitives if p.material is not None):
            texture = texture_of(material)
            if texture is None:
                continue
            source = self.entry('textures', texture.index).source
            image, what = self.entry('images', source), f'image {source}'
            data = self.view(image.bufferView) if image.uri is None else self.fetch(image.uri, what)
            return _decode(data, f'{self.path}: {what}')
        return None
