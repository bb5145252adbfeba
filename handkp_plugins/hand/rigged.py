"""Rigged hands from glTF files as hand models: the file's own flesh on our bones, with our shapes and skins."""

from pathlib import Path

import cv2
import numpy as np

from .gltf import read_skinned_mesh, read_texture
from .model import TemplateHand
from .rig_fitting import frame_weights, unbent
from .rig_joints import RigKind, find_kind
from .rig_mesh import BONE_INDEX, RiggedMesh, in_palm_frame, refined
from .skin import SkinLook
from .surface import neighbour_mean
from .template import HandTemplate, as_template, smoothstep
from .weld import with_forearm

_TEXTURE_BLUR = 1.0  # pixels
_DETAIL_ROUNDS = 60  # of averaging over neighbours: what is coarser is tone, which the painter knows better
_DETAIL_FADE = 25.0  # mm above the weld within which the texture's details fade
_DETAIL_STRENGTH, _DETAIL_CHROMA, _DETAIL_LIMIT = 0.8, 0.5, 0.35  # textures for games are painted strongly
_CREASE_SMOOTHING = 2  # rounds of averaging: a rig's vertices are further apart than a crease is wide


def load_rig(path: Path) -> 'RiggedHand':
    """A hand model from a rigged, skinned ``.gltf`` or ``.glb`` file of a right or left hand.

    Joint names of known rigs are understood (see ``rig_joints``); for others a table lies beside the file. Details of
    the skin come from the file's texture or, for rigs that are known to come without, from pictures beside it or in
    ``../textures``; where there are none, the skin is painted as the procedural hand's.

    Raises:
        FileNotFoundError: the file, or one that it names, is missing.
        ValueError: the file is damaged, its joints are unknown, or its mesh is no hand; the message names the file.
    """
    mesh = read_skinned_mesh(path)
    kind, roles = find_kind(path, mesh.joint_names)
    textures = [mesh.texture] if mesh.texture is not None else _textures_beside(path, kind)
    try:
        return _rigged(refined(in_palm_frame(mesh, roles)), textures)
    except ValueError as error:
        raise ValueError(f'{path}: {error}') from error


def _rigged(rig: RiggedMesh, textures: list[np.ndarray]) -> 'RiggedHand':
    detail = np.zeros((len(rig.points), 0))
    if rig.corner_uv is not None and textures:
        detail = np.concatenate([_detail(rig.faces, rig.corner_uv, t, len(rig.points)) for t in textures], axis=1)
    flat = unbent(rig)
    known = np.concatenate([flat.weights, detail], axis=1)
    fill = np.zeros(known.shape[1])
    fill[BONE_INDEX['palm']] = 1.0  # of the forearm's points; from there on weights go by place
    points, faces, known, weld = with_forearm(1e3 * flat.points, flat.faces, known, fill)
    bones = flat.weights.shape[1]
    points = 1e-3 * points
    template = as_template(points, faces, frame_weights(known[:, :bones], points, faces))
    detail = known[:, bones:] * smoothstep(1e3 * points[:, 1:2], weld, weld + _DETAIL_FADE)
    return RiggedHand(template, detail.reshape(len(points), -1, 3))


def _textures_beside(path: Path, kind: RigKind) -> list[np.ndarray]:
    places = (path.parent, path.parent.parent / 'textures')
    return [read_texture(place / name) for name in kind.textures for place in places if (place / name).is_file()]


def _detail(faces: np.ndarray, corner_uv: np.ndarray, texture: np.ndarray, num_points: int) -> np.ndarray:
    """How much brighter or darker (V, 3), as a logarithm, a texture is at each point than around it."""
    smooth = cv2.GaussianBlur(texture, (0, 0), _TEXTURE_BLUR).astype(np.float32) / 255
    height, width = texture.shape[:2]
    column, row = (corner_uv.reshape(-1, 2) % 1.0 * (width, height)).astype(int).T
    colors = smooth[np.minimum(row, height - 1), np.minimum(column, width - 1)]
    total = np.stack([np.bincount(faces.ravel(), colors[:, i], num_points) for i in range(3)], axis=1)
    mean = total / np.maximum(np.bincount(faces.ravel(), minlength=num_points), 1)[:, None]
    tone = np.log(np.maximum(mean, 0.02))
    around, average = tone, neighbour_mean(faces, num_points)
    for _ in range(_DETAIL_ROUNDS):
        around = average @ around
    detail = tone - around
    grey = detail.mean(1, keepdims=True)
    return np.clip(_DETAIL_STRENGTH * (grey + _DETAIL_CHROMA * (detail - grey)), -_DETAIL_LIMIT, _DETAIL_LIMIT)


class RiggedHand(TemplateHand):
    """A rig brought to our bones, with the details of its own skin textures.

    Args:
        template: V vertices.
        detail: (V, T, 3) logarithm of how much brighter each of T textures is than around the vertex, from the texture
            of the lightest skin to that of the darkest; T may be 0.
    """

    def __init__(self, template: HandTemplate, detail: np.ndarray) -> None:
        super().__init__(template)
        self._detail = detail.astype(np.float32)
        average = neighbour_mean(template.faces, len(template.vertices))
        for _ in range(_CREASE_SMOOTHING):
            self.painter.crease = 0.5 * (self.painter.crease + average @ self.painter.crease)

    def colors(self, look: SkinLook) -> np.ndarray:
        """Colours (V, 3) of the skin, sRGB in 0…1."""
        colors = super().colors(look)
        count = self._detail.shape[1]
        if count == 0:
            return colors
        place = np.clip(look.tone * count - 0.5, 0, count - 1)
        share = np.clip(1 - np.abs(np.arange(count) - place), 0, 1).astype(np.float32)
        return np.clip(colors * np.exp(look.wrinkles * np.einsum('vtc,t->vc', self._detail, share)), 0.01, 1)
