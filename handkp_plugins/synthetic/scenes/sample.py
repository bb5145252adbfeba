"""One generated picture with its labels, from a seed and an index alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from handkp_plugins.imaging.backgrounds import generated, photograph

from ..hand.kinematics import turn
from ..hand.model import HandModel
from ..poses.sampler import PoseSampler
from ..rendering.camera import Camera
from ..rendering.layers import extended
from ..rendering.lights import Lighting
from ..rendering.meshes import Mesh
from ..rendering.photometric import develop, exposure, toned
from ..rendering.renderer import Part, Renderer, Rendering
from ..rendering.shading import Shader, Surface, to_linear, to_srgb
from .grasp import Prop
from .scene import Scene, random_scene
from .sleeve import make_sleeve

VISIBLE, OCCLUDED, OUTSIDE = 2, 1, 0
_THICKNESS = 1e-3 * np.array([21.0] + [15.0, 11.5, 10.5, 8.0] + 4 * [13.0, 9.5, 8.5, 7.0])
"""Half the flesh's thickness at each keypoint of the mean hand, metres."""
_AWAY = 0.25
"""Sine by which a normal may point away from the camera: skinned normals are not quite those of the triangles."""
Piece = tuple[np.ndarray, np.ndarray, np.ndarray]
"""A surface: points (V, 3), triangles (F, 3) and the linear colours (V, 3) that leave it towards the camera."""
_MARGIN = 8  # pixels around the picture
_SEEN_WITHIN = 1.75
"""A keypoint counts as seen if the surface before it is nearer to it than this many half thicknesses."""


@dataclass(frozen=True)
class Sample:
    """A picture and what is known of it.

    Args:
        image: (H, W, 3) RGB, 8 bit; of a layer the straight colours, which go on beyond the hand's edge.
        mask: (H, W) share of each pixel covered by hands, arms, sleeves and things.
        annotation: COCO record without ids.
        camera: ``{'K': 3×3 list}``.
    """

    image: np.ndarray
    mask: np.ndarray
    annotation: dict[str, Any]
    camera: dict[str, Any]

    @property
    def labels(self) -> dict[str, Any]:
        """What is kept of it beside the picture."""
        return {'camera': self.camera, 'annotation': self.annotation}


class SampleMaker:
    """Makes samples of one size; keep one per process.

    Args:
        models: the hands to pose, each as often.
        size: width and height in pixels.
        poses: what to draw poses from; None for all sources but recorded ones.
        backgrounds: photographs to crop; generated backgrounds where there are none.
        layers: put nothing behind the hand and leave the picture sharp, for whoever composites it later.
        alone, one_shape: see :func:`random_scene`.
        renderer: draws the pictures; None for one of square pictures.
    """

    photograph_share = 0.85
    """Share of pictures that get a photograph behind the hand, where there are any."""

    def __init__(
        self,
        models: Sequence[HandModel],
        size: int,
        poses: PoseSampler | None = None,
        backgrounds: list[Path] | None = None,
        layers: bool = False,
        alone: bool = False,
        one_shape: bool = False,
        renderer: Renderer | None = None,
    ) -> None:
        self.models, self.size, self.poses = list(models), size, poses or PoseSampler()
        self.backgrounds, self.layers = backgrounds, layers
        self.scene_options = dict(layer=layers, alone=alone, one_shape=one_shape)
        self.renderer = renderer or Renderer(size)
        self._shaders = {id(model): Shader(model.resting) for model in self.models}

    def make(self, seed: int, index: int) -> Sample:
        """The sample of an index. Labels depend on it, on the seed and on all arguments but the backgrounds."""
        rng = np.random.default_rng([seed, index])
        scene = random_scene(self.models, self.size, rng, self.poses, **self.scene_options)
        look = np.random.default_rng([seed, index, 1])
        rendering = self._render(scene, look)
        if self.layers:
            image = np.rint(255 * extended(rendering.color, rendering.alpha)).astype(np.uint8)
        else:
            image = develop(rendering.color + (1 - rendering.alpha[..., None]) * self._behind(self.size, look), look)
        return Sample(
            image=image,
            mask=rendering.alpha,
            annotation=self._annotation(scene, rendering),
            camera={'K': scene.camera.matrix.tolist()},
        )

    def _behind(self, size: int, rng: np.random.Generator) -> np.ndarray:
        if self.backgrounds and rng.random() < self.photograph_share:
            return photograph(self.backgrounds, size, rng)
        return generated(size, rng)

    def _render(self, scene: Scene, rng: np.random.Generator) -> Rendering:
        pieces = self._shaded(scene, gloss=rng.uniform(0.1, 1.3), cloth=int(rng.integers(2**31)))
        return self._drawn(pieces, exposure(lights_of(pieces), rng), scene.camera)

    def _shaded(self, scene: Scene, gloss: float, cloth: int) -> list[Piece]:
        """All surfaces that can be seen, in the scene's light; ``gloss`` is the skin's, ``cloth`` a seed of sleeves."""
        hands, camera = np.concatenate([hand.spheres for hand in scene.hands]), scene.camera
        casters = np.concatenate([hands, *(prop.spheres for prop in scene.props)])
        pieces: list[Piece] = []
        for hand in scene.hands:
            posed = hand.hand
            color = to_linear(hand.model.colors(scene.skin))
            skin = Surface(hand.to_camera(posed.vertices), turn(posed.normals, hand.axes), color, gloss)
            pieces.append(shaded(skin, posed.faces, self._shaders[id(hand.model)], casters, scene.lighting, camera))
            if hand.sleeve is not None:  # of one garment, so of one cloth
                sleeve = make_sleeve(posed.forearm, hand.sleeve, hand.shape, np.random.default_rng(cloth))
                moved = _surface(sleeve.moved(hand.axes, hand.offset), 0.0)
                pieces.append(shaded(moved, sleeve.faces, Shader(sleeve.points), hands[:0], scene.lighting, camera))
        return pieces + shaded_props(scene.props, hands, scene.lighting, camera)

    def _drawn(self, pieces: list[Piece], factor: float, camera: Camera) -> Rendering:
        """Pieces, exposed by a factor, as a picture."""
        exposed = toned(lights_of(pieces), factor)
        ends = np.cumsum([len(light) for _, _, light in pieces])[:-1]
        parts = [
            Part(points, faces, to_srgb(light))
            for (points, faces, _), light in zip(pieces, np.split(exposed, ends), strict=True)
        ]
        return self.renderer.render(parts, camera.focal)

    def _annotation(self, scene: Scene, rendering: Rendering) -> dict[str, Any]:
        hand = scene.main
        points = hand.to_camera(hand.hand.keypoints)
        pixels = scene.camera.project(points)
        visibility = keypoint_visibility(points, pixels, rendering.depth, hand.shape.breadth.mean())
        for prop in scene.props:
            hidden = behind_mesh(prop.mesh, points, pixels, scene.camera)
            visibility = np.where(hidden, np.minimum(visibility, OCCLUDED), visibility)
        outline = scene.camera.project(hand.to_camera(hand.hand.vertices[hand.model.is_hand]))
        low = np.clip(outline.min(0), 0, scene.camera.extent - 1)
        high = np.clip(outline.max(0), 0, scene.camera.extent - 1)
        left, top, right, bottom = (int(v) for v in (*np.floor(low), *np.ceil(high) + 1))
        return {
            'category_id': 1,
            'iscrowd': 0,
            'bbox': [round(float(v), 2) for v in (*low, *(high - low))],
            'area': round(float(rendering.alpha[top:bottom, left:right].sum()), 1),
            'keypoints': [
                number
                for (x, y), v in zip(pixels.tolist(), visibility.tolist(), strict=True)
                for number in (round(x, 2), round(y, 2), v)
            ],
            'num_keypoints': int((visibility > 0).sum()),
            'keypoints_3d': np.round(points, 5).tolist(),
            'handedness': hand.hand.handedness,
            'gesture': hand.gesture,
            'held': scene.held.name if scene.held else None,
            'in_front': scene.in_front.name if scene.in_front else None,
            'other_hand': scene.other.hand.handedness if scene.other else None,
        }


def shaded(
    surface: Surface, faces: np.ndarray, shader: Shader, spheres: np.ndarray, lighting: Lighting, camera: Camera
) -> Piece:
    """What can be seen of a surface, in the light that spheres (P, 4) leave it."""
    seen, faces = towards_camera(surface, faces, camera)
    return surface.points[seen], faces, shader.shade(surface, spheres, lighting, seen)


def shaded_props(props: Sequence[Prop], spheres: np.ndarray, lighting: Lighting, camera: Camera) -> list[Piece]:
    """What can be seen of each thing; see :func:`shaded`."""
    return [
        shaded(_surface(p.mesh, p.gloss), p.mesh.faces, Shader(p.mesh.points, coarseness=2), spheres, lighting, camera)
        for p in props
    ]


def lights_of(pieces: list[Piece]) -> np.ndarray:
    """The linear colours (V, 3) of all pieces."""
    return np.concatenate([light for _, _, light in pieces])


def towards_camera(surface: Surface, faces: np.ndarray, camera: Camera) -> tuple[np.ndarray, np.ndarray]:
    """The part of a closed surface that can be seen: ids (S,) of vertices, and triangles (F', 3) among those.

    Left out are what faces away from the camera at the origin and what lies outside the picture: more than half of a
    hand and its arm, which then is neither shaded nor drawn.
    """
    points, distance = surface.points, np.sqrt(np.einsum('vi,vi->v', surface.points, surface.points))
    shows = np.einsum('vi,vi->v', surface.normals, points) < _AWAY * distance
    room = (0.5 * camera.extent + _MARGIN) / camera.focal
    shows &= (np.abs(points[:, :2]) <= room * points[:, 2:]).all(1)
    faces = faces[shows[faces[:, 0]] | shows[faces[:, 1]] | shows[faces[:, 2]]]
    used = np.zeros(len(points), bool)
    used[faces.ravel()] = True
    return np.flatnonzero(used), (np.cumsum(used) - 1)[faces]


def _surface(mesh: Mesh, gloss: float) -> Surface:
    return Surface(mesh.points, mesh.normals, to_linear(mesh.colors), gloss)


def keypoint_visibility(points: np.ndarray, pixels: np.ndarray, depth: np.ndarray, thickness: float) -> np.ndarray:
    """2 seen, 1 hidden by a hand, sleeve or thing, 0 outside the picture, for each keypoint (21,).

    Args:
        points: (21, 3) in the camera frame, metres.
        pixels: (21, 2) their projections.
        depth: (H, W) metres of the nearest surface.
        thickness: of this hand's fingers, as a factor of the mean hand's.
    """
    height, width = depth.shape
    column, row = np.rint(pixels).astype(int).T
    inside = (column >= 0) & (row >= 0) & (column < width) & (row < height)
    before = depth[np.clip(row, 0, height - 1), np.clip(column, 0, width - 1)]
    seen = points[:, 2] - before < _SEEN_WITHIN * thickness * _THICKNESS
    return np.where(inside, np.where(seen, VISIBLE, OCCLUDED), OUTSIDE)


def behind_mesh(mesh: Mesh, points: np.ndarray, pixels: np.ndarray, camera: Camera) -> np.ndarray:
    """Whether each point (N, 3) of the camera frame, seen at pixels (N, 2), lies behind some triangle of a mesh.

    ``keypoint_visibility`` cannot tell a thin thing that lies on the skin from the skin; this can.
    """
    corner = camera.project(mesh.points)[mesh.faces]  # (F, 3, 2)
    depth = mesh.points[mesh.faces, 2]
    to_corner = corner[None] - pixels[:, None, None]  # (N, F, 3, 2)
    after, before = np.roll(to_corner, -1, axis=2), np.roll(to_corner, -2, axis=2)
    area = after[..., 0] * before[..., 1] - after[..., 1] * before[..., 0]  # of the triangle against each corner
    total = area.sum(-1)
    with np.errstate(divide='ignore', invalid='ignore'):
        share = area / total[..., None]
        nearness = (share / depth).sum(-1)  # 1 / depth is linear in the picture
    hit = (share >= 0).all(-1) & (nearness * points[:, None, 2] > 1)
    return hit.any(1)
