"""One generated image with its labels, from a seed and an index alone."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from handkp_plugins.imaging.backgrounds import crop_photograph, generate_background

from ..hand.kinematics import apply_matrix
from ..hand.model import HandModel
from ..poses.sampler import PoseSampler
from ..rendering.camera import Camera
from ..rendering.layers import extend_colors
from ..rendering.lights import Lighting
from ..rendering.meshes import Mesh
from ..rendering.photometric import apply_camera, exposure, random_camera, tone_map
from ..rendering.renderer import Part, Renderer, Rendering
from ..rendering.shading import Shader, to_srgb
from .grasp import SceneObject
from .scene import HandInScene, Scene, random_scene
from .worn import make_sleeve

VISIBLE, OCCLUDED, OUTSIDE = 2, 1, 0
# half the flesh's thickness at each keypoint of the mean hand, metres
_THICKNESS = 1e-3 * np.array([21.0] + [15.0, 11.5, 10.5, 8.0] + 4 * [13.0, 9.5, 8.5, 7.0])
_AWAY = 0.25  # sine by which a normal may point away from the camera: skinned ones are not quite those of triangles
_MARGIN = 8  # pixels around the image
_SEEN_WITHIN = 1.75  # half thicknesses: a keypoint is visible if the surface before it is nearer to it


@dataclass(frozen=True)
class Sample:
    """An image and its labels."""

    image: np.ndarray  # (H, W, 3) RGB, 8 bit; of a layer the straight colours, which go on beyond the hand's edge
    mask: np.ndarray  # (H, W) share of each pixel covered by hands, arms, sleeves and objects
    annotation: dict[str, Any]  # COCO record without ids
    camera: dict[str, Any]  # {'K': 3×3 list}

    @property
    def labels(self) -> dict[str, Any]:
        """What is kept of it beside the image."""
        return {'camera': self.camera, 'annotation': self.annotation}


@dataclass(frozen=True)
class SceneSample(Sample):
    """An image with the COCO record of each hand, with ids, in ``annotations``; ``annotation`` is empty."""

    annotations: tuple[dict[str, Any], ...] = ()

    @property
    def labels(self) -> dict[str, Any]:
        size = {'width': self.image.shape[1], 'height': self.image.shape[0]}
        return {'camera': self.camera, 'annotations': list(self.annotations), 'image': size}


class SampleMaker:
    """Makes samples, square unless the renderer is not; keep one per process. See :func:`random_scene`, too.

    Args:
        poses: What to draw poses from; None for all sources but recorded ones.
        backgrounds: Photographs to crop; None for generated backgrounds.
        layers: Put nothing behind the hand and leave the image sharp, to be composited later.
    """

    photograph_share = 0.85  # of images that get a photograph behind the hand, where there are any

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
        self._colors = lru_cache(maxsize=2)(lambda model, skin: model.colors(skin))  # frames of a clip share them

    def make(self, seed: int, index: int) -> Sample:
        """Make the sample of an index. Labels depend on it, the seed and all arguments but the backgrounds."""
        rng = np.random.default_rng([seed, index])
        scene = random_scene(self.models, self.size, rng, self.poses, **self.scene_options)
        look = np.random.default_rng([seed, index, 1])
        rendering = self._render(scene, look)
        if self.layers:
            image = np.rint(255 * extend_colors(rendering.color, rendering.alpha)).astype(np.uint8)
        else:
            image = self._photograph(rendering, look)
        return Sample(image, rendering.alpha, self._annotation(scene, rendering), {'K': scene.camera.matrix.tolist()})

    def _photograph(self, rendering: Rendering, rng: np.random.Generator) -> np.ndarray:
        """Put a random background behind a square rendering, and take the image with a random camera."""
        image = rendering.color + (1 - rendering.alpha[..., None]) * self._background(self.size, rng)
        return apply_camera(image, random_camera(self.size, rng), rng)

    def _background(self, size: int, rng: np.random.Generator) -> np.ndarray:
        if self.backgrounds and rng.random() < self.photograph_share:
            return crop_photograph(self.backgrounds[int(rng.integers(len(self.backgrounds)))], size, rng)
        return generate_background(size, rng)

    def _render(self, scene: Scene, rng: np.random.Generator) -> Rendering:
        parts = self._shade(scene, gloss=rng.uniform(0.1, 1.3), cloth=int(rng.integers(2**31)))
        return self._draw(parts, exposure(linear_colors(parts), rng), scene.camera)

    def _shade(self, scene: Scene, gloss: float, cloth: int) -> list[Part]:
        """All visible surfaces in the scene's light, in linear colours; ``cloth`` is the seed of the sleeves' cloth."""
        hands, camera, light = np.concatenate([hand.spheres for hand in scene.hands]), scene.camera, scene.lighting
        casters = np.concatenate([hands, *(obj.spheres for obj in scene.objects)])
        parts: list[Part] = []
        for hand in scene.hands:
            posed, colors = hand.hand, self._colors(hand.model, scene.skin)
            skin = Mesh(hand.to_camera(posed.vertices), apply_matrix(posed.normals, hand.axes), posed.faces, colors)
            parts.append(shade_mesh(skin, gloss, self._shaders[id(hand.model)], casters, light, camera))
            if hand.sleeve is not None:  # both sleeves of a person are of one cloth
                sleeve = make_sleeve(posed.forearm, hand.sleeve, hand.shape, np.random.default_rng(cloth))
                moved = sleeve.transform(hand.axes, hand.offset)
                parts.append(shade_mesh(moved, 0.0, Shader(sleeve.points), hands[:0], light, camera))
        return parts + shade_objects(scene.objects, hands, light, camera)

    def _draw(self, parts: list[Part], factor: float, camera: Camera) -> Rendering:
        """Expose linear colours by a factor and render them."""
        exposed = [replace(part, colors=to_srgb(tone_map(part.colors, factor))) for part in parts]
        return self.renderer.render(exposed, camera.focal)

    def _annotation(self, scene: Scene, rendering: Rendering) -> dict[str, Any]:
        hand = scene.main
        points = hand.to_camera(hand.hand.keypoints)
        pixels = scene.camera.project(points)
        visibility = keypoint_visibility(points, pixels, rendering.depth, hand.shape.breadth.mean())
        for obj in scene.objects:
            hidden = is_behind_mesh(obj.mesh, points, pixels, scene.camera)
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

    def _labels_of(self, person: Scene, hand: HandInScene, rendering: Rendering) -> dict[str, Any]:
        """Return the COCO record of one of a person's hands; its area is that of the box."""
        is_main = hand is person.main
        own = person if is_main else replace(person, main=hand, other=person.main)
        labels = self._annotation(own, rendering)
        width, height = labels['bbox'][2:]
        return labels | {'area': round(width * height, 1), 'held': labels['held'] if is_main else None}


def shade_mesh(
    mesh: Mesh, gloss: float, shader: Shader, spheres: np.ndarray, lighting: Lighting, camera: Camera
) -> Part:
    """The visible part of a mesh, in the light that spheres (P, 4) leave it; colours are linear."""
    seen, faces = visible_part(mesh, camera)
    return Part(mesh.points[seen], faces, shader.shade(mesh, gloss, spheres, lighting, seen))


def shade_objects(
    objects: Sequence[SceneObject], spheres: np.ndarray, lighting: Lighting, camera: Camera
) -> list[Part]:
    """:func:`shade_mesh` of each object."""
    return [
        shade_mesh(obj.mesh, obj.gloss, Shader(obj.mesh.points, coarseness=2), spheres, lighting, camera)
        for obj in objects
    ]


def linear_colors(parts: list[Part]) -> np.ndarray:
    """The colours (V, 3) of all parts."""
    return np.concatenate([part.colors for part in parts])


def visible_part(mesh: Mesh, camera: Camera) -> tuple[np.ndarray, np.ndarray]:
    """Ids (S,) of the vertices of a closed mesh that can be visible, and triangles (F', 3) among those.

    What faces away from the camera at the origin and what lies outside the image is left out: more than half of a hand
    and its arm, which then is neither shaded nor drawn.
    """
    points, distance = mesh.points, np.sqrt(np.einsum('vi,vi->v', mesh.points, mesh.points))
    shows = np.einsum('vi,vi->v', mesh.normals, points) < _AWAY * distance
    room = (0.5 * camera.extent + _MARGIN) / camera.focal
    shows &= (np.abs(points[:, :2]) <= room * points[:, 2:]).all(1)
    faces = mesh.faces[shows[mesh.faces].any(1)]
    used = np.zeros(len(points), bool)
    used[faces.ravel()] = True
    return np.flatnonzero(used), (np.cumsum(used) - 1)[faces]


def depth_at(pixels: np.ndarray, depth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Whether pixels (N, 2) lie in the image, and the depth (H, W) of the nearest surface there."""
    height, width = depth.shape
    column, row = np.rint(pixels).astype(int).T
    inside = (column >= 0) & (row >= 0) & (column < width) & (row < height)
    return inside, depth[np.clip(row, 0, height - 1), np.clip(column, 0, width - 1)]


def keypoint_visibility(points: np.ndarray, pixels: np.ndarray, depth: np.ndarray, thickness: float) -> np.ndarray:
    """2 visible, 1 occluded, 0 outside the image, for each keypoint (21, 3) that is seen at pixels (21, 2).

    The thickness of the hand's fingers is a factor of the mean hand's.
    """
    inside, before = depth_at(pixels, depth)
    seen = points[:, 2] - before < _SEEN_WITHIN * thickness * _THICKNESS
    return np.where(inside, np.where(seen, VISIBLE, OCCLUDED), OUTSIDE)


def is_behind_mesh(mesh: Mesh, points: np.ndarray, pixels: np.ndarray, camera: Camera) -> np.ndarray:
    """Whether each point (N, 3) of the camera frame, seen at pixels (N, 2), lies behind some triangle of a mesh.

    ``keypoint_visibility`` cannot tell a thin object on the skin from the skin; this can.
    """
    corner = camera.project(mesh.points)[mesh.faces]  # (F, 3, 2)
    depth = mesh.points[mesh.faces, 2]
    to_corner = corner[None] - pixels[:, None, None]  # (N, F, 3, 2)
    after, before = np.roll(to_corner, -1, axis=2), np.roll(to_corner, -2, axis=2)
    area = after[..., 0] * before[..., 1] - after[..., 1] * before[..., 0]  # of the triangle against each corner
    total = area.sum(-1)
    with np.errstate(divide='ignore', invalid='ignore'):
        share = area / total[..., None]
        nearness = (share / depth).sum(-1)  # 1 / depth is linear in the image
    hit = (share >= 0).all(-1) & (nearness * points[:, None, 2] > 1)
    return hit.any(1)
