"""Rigged hands from glTF files as hand models: the file's flesh on our bones, with our shapes and skins."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from ..hand.kinematics import normalize
from ..hand.model import HandModel
from ..hand.skin import SkinLook
from ..hand.surface import neighbour_mean
from ..hand.template import HandTemplate, make_template, smoothstep
from .fitting import BONE_INDEX, RiggedMesh, frame_weights, refine, straighten, to_palm_frame
from .gltf import read_skinned_mesh, read_texture
from .joints import find_kind
from .weld import weld_forearm

_DETAIL_FADE = 25.0  # mm above the weld within which the textures' details fade
_CREASE_SMOOTHING = 2  # rounds of averaging: a rig's vertices are further apart than a crease is wide

# textures
_BLUR = 1.0  # pixels
_ROUNDS = 60  # of averaging over neighbours: what is coarser is tone, which the painter sets
_STRENGTH, _CHROMA, _LIMIT = 0.8, 0.5, 0.35  # textures for games are painted strongly
_STEEPEST = 0.25  # the least part of a normal along the surface's own; a smaller one means a damaged map


def load_rig(path: Path) -> 'RiggedHand':
    """Load a hand model from a rigged, skinned ``.gltf`` or ``.glb`` file of a right or left hand.

    ``joints`` knows the joint names of some rigs; others need a table beside the file. Details of the skin come from
    the file's texture and normal map or, for known rigs without, from images beside it or in ``../textures``; without
    any, the skin is painted as the procedural hand's.
    """
    mesh = read_skinned_mesh(path)
    kind, roles = find_kind(path, mesh.joint_names)
    textures = [mesh.texture] if mesh.texture is not None else _images_beside(path, kind.textures)
    bumps = [mesh.normal_map] if mesh.normal_map is not None else _images_beside(path, kind.normal_maps)
    try:
        return _rigged(refine(to_palm_frame(mesh, roles)), textures, bumps)
    except ValueError as error:
        raise ValueError(f'{path}: {error}') from error


def _rigged(rig: RiggedMesh, textures: list[np.ndarray], bumps: list[np.ndarray]) -> 'RiggedHand':
    flat = straighten(rig)
    tones, tilts = [], []
    if rig.corner_uv is not None:
        tones = [tone_detail(rig.faces, rig.corner_uv, image, len(rig.points)) for image in textures]
        tilts = [normal_tilt(flat.points, rig.faces, rig.corner_uv, image) for image in bumps]
    known = np.concatenate([flat.weights, *tilts, *tones], axis=1)
    fill = np.zeros(known.shape[1])
    fill[BONE_INDEX['palm']] = 1.0  # of the forearm's points; from there on weights go by place
    points, faces, known, weld = weld_forearm(1e3 * flat.points, flat.faces, known, fill)
    points = 1e-3 * points
    weights, details = np.split(known, [flat.weights.shape[1]], axis=1)
    template = make_template(points, faces, frame_weights(weights, points, faces))
    details = details * smoothstep(1e3 * points[:, 1:2], weld, weld + _DETAIL_FADE)
    tilt, tone = np.split(details.reshape(len(points), -1, 3), [len(tilts)], axis=1)
    normals = normalize(template.normals + tilt.sum(1)).astype(np.float32)
    return RiggedHand(replace(template, normals=normals), tone)


def _images_beside(path: Path, names: Sequence[str]) -> list[np.ndarray]:
    places = (path.parent, path.parent.parent / 'textures')
    return [read_texture(place / name) for name in names for place in places if (place / name).is_file()]


class RiggedHand(HandModel):
    """A rig on our bones, with the details of its own skin textures.

    ``detail`` (V, T, 3) is the logarithm of how much brighter each of 0 or more textures, from the lightest skin to the
    darkest, is than around the vertex.
    """

    def __init__(self, template: HandTemplate, detail: np.ndarray) -> None:
        super().__init__(template)
        self._detail = detail.astype(np.float32)
        average = neighbour_mean(template.faces, len(template.vertices))
        for _ in range(_CREASE_SMOOTHING):
            self.painter.crease = 0.5 * (self.painter.crease + average @ self.painter.crease)

    def colors(self, look: SkinLook) -> np.ndarray:
        colors = super().colors(look)
        count = self._detail.shape[1]
        if count == 0:
            return colors
        place = np.clip(look.tone * count - 0.5, 0, count - 1)
        share = np.clip(1 - np.abs(np.arange(count) - place), 0, 1).astype(np.float32)
        return np.clip(colors * np.exp(look.wrinkles * np.einsum('vtc,t->vc', self._detail, share)), 0.01, 1)


def tone_detail(faces: np.ndarray, corner_uv: np.ndarray, texture: np.ndarray, num_points: int) -> np.ndarray:
    """How much brighter or darker (V, 3), as a logarithm, a texture is at each point than around it."""
    mean = _vertex_mean(faces, _sample_texture(texture, corner_uv), num_points)
    tone = np.log(np.maximum(mean, 0.02))
    around, average = tone, neighbour_mean(faces, num_points)
    for _ in range(_ROUNDS):
        around = average @ around
    detail = tone - around
    grey = detail.mean(1, keepdims=True)
    return np.clip(_STRENGTH * (grey + _CHROMA * (detail - grey)), -_LIMIT, _LIMIT)


def normal_tilt(points: np.ndarray, faces: np.ndarray, corner_uv: np.ndarray, normal_map: np.ndarray) -> np.ndarray:
    """What a normal map adds (V, 3) to the unit normal at each point.

    The map's x and y run to the right and upwards in the texture, as glTF prescribes; the triangles' places in the
    texture give their directions on the surface. A triangle without an area there adds nothing.
    """
    edges = points[faces[:, 1:]] - points[faces[:, :1]]  # (F, 2, 3)
    steps = (corner_uv[:, 1:] - corner_uv[:, :1]).astype(float)  # (F, 2, 2)
    area = np.linalg.det(steps)
    flat = np.abs(area) < 1e-12
    steps[flat] = np.eye(2)
    right, down = (normalize(along) for along in np.linalg.solve(steps, edges).transpose(1, 0, 2))  # (F, 3) each
    normal = 2 * _sample_texture(normal_map, corner_uv) - 1  # (F, 3, 3)
    x, y = (normal[..., :2] / np.maximum(normal[..., 2:], _STEEPEST)).transpose(2, 0, 1)[..., None]  # (F, 3, 1) each
    tilt = (x * right[:, None] - y * down[:, None]) * ~flat[:, None, None]
    return _vertex_mean(faces, tilt, len(points))


def _sample_texture(image: np.ndarray, corner_uv: np.ndarray) -> np.ndarray:
    """An image's values (F, 3, 3), 0…1, at each corner of each triangle."""
    smooth = cv2.GaussianBlur(image, (0, 0), _BLUR).astype(np.float32) / 255
    height, width = image.shape[:2]
    column, row = (corner_uv % 1.0 * (width, height)).astype(int).transpose(2, 0, 1)
    return smooth[np.minimum(row, height - 1), np.minimum(column, width - 1)]


def _vertex_mean(faces: np.ndarray, values: np.ndarray, num_points: int) -> np.ndarray:
    """Mean (V, 3) over the corners (F, 3, 3) that meet at each vertex."""
    flat = values.reshape(-1, 3)
    total = np.stack([np.bincount(faces.ravel(), flat[:, i], num_points) for i in range(3)], axis=1)
    return total / np.maximum(np.bincount(faces.ravel(), minlength=num_points), 1)[:, None]
