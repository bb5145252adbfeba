"""One generated picture with its labels, from a seed and an index alone."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..hand.kinematics import turn
from ..hand.model import HandModel
from .backgrounds import generated, photograph
from .layers import extended
from .photometric import develop, expose
from .renderer import Part, Renderer, Rendering
from .scene import Scene, random_scene
from .shading import Shader, Surface, to_linear, to_srgb
from .sleeve import make_sleeve

VISIBLE, OCCLUDED, OUTSIDE = 2, 1, 0
_THICKNESS = 1e-3 * np.array([21.0] + [15.0, 11.5, 10.5, 8.0] + 4 * [13.0, 9.5, 8.5, 7.0])
"""Half the flesh's thickness at each keypoint of the mean hand, metres."""
_SEEN_WITHIN = 1.75
"""A keypoint counts as seen if the surface before it is nearer to it than this many half thicknesses."""


@dataclass(frozen=True)
class Sample:
    """A picture and what is known of it.

    Args:
        image: (H, W, 3) RGB, 8 bit; of a layer the straight colours, which go on beyond the hand's edge.
        mask: (H, W) share of each pixel covered by hand, arm or sleeve.
        annotation: COCO record without ids.
        camera: ``{'K': 3×3 list}``.
    """

    image: np.ndarray
    mask: np.ndarray
    annotation: dict[str, Any]
    camera: dict[str, Any]


class SampleMaker:
    """Makes samples of one size; keep one per process.

    Args:
        model: the hand to pose.
        size: width and height in pixels.
        backgrounds: photographs to crop; generated backgrounds where there are none.
        layers: put nothing behind the hand and leave the picture sharp, for whoever composites it later.
    """

    def __init__(
        self, model: HandModel, size: int, backgrounds: list[Path] | None = None, layers: bool = False
    ) -> None:
        self.model, self.size, self.backgrounds, self.layers = model, size, backgrounds, layers
        self.renderer = Renderer(size)
        self.shader = Shader(model.resting)

    def make(self, seed: int, index: int) -> Sample:
        """The sample of an index. Labels depend on seed, index and size only, not on backgrounds."""
        scene = random_scene(self.model, self.size, np.random.default_rng([seed, index]))
        look = np.random.default_rng([seed, index, 1])
        rendering = self._render(scene, look)
        if self.layers:
            image = np.rint(255 * extended(rendering.color, rendering.alpha)).astype(np.uint8)
        else:
            image = develop(rendering.color + (1 - rendering.alpha[..., None]) * self._behind(look), look)
        return Sample(
            image=image,
            mask=rendering.alpha,
            annotation=self._annotation(scene, rendering),
            camera={'K': scene.camera.matrix.tolist()},
        )

    def _behind(self, rng: np.random.Generator) -> np.ndarray:
        if self.backgrounds and rng.random() < 0.85:
            return photograph(self.backgrounds, self.size, rng)
        return generated(self.size, rng)

    def _render(self, scene: Scene, rng: np.random.Generator) -> Rendering:
        hand = scene.hand
        spheres = np.concatenate([scene.to_camera(hand.spheres[:, :3]), hand.spheres[:, 3:]], axis=1)
        skin = Surface(
            points=scene.to_camera(hand.vertices),
            normals=turn(hand.normals, scene.axes),
            color=to_linear(self.model.colors(scene.skin)),
            gloss=rng.uniform(0.1, 1.3),
        )
        shaded = self.shader.shade(skin, spheres, scene.lights, scene.sky, scene.ground)
        pieces, sleeve = [(skin.points, hand.faces, shaded)], None
        if scene.sleeve is not None:
            sleeve = make_sleeve(hand.forearm, scene.sleeve, scene.shape, rng)
            cloth = Surface(
                scene.to_camera(sleeve.points), turn(sleeve.normals, scene.axes), to_linear(sleeve.colors), 0.0
            )
            lit = Shader(sleeve.points).shade(cloth, spheres[:0], scene.lights, scene.sky, scene.ground)
            pieces.append((cloth.points, sleeve.faces, lit))
        exposed = expose(np.concatenate([light for _, _, light in pieces]), rng)
        parts, done = [], 0
        for points, faces, light in pieces:
            parts.append(Part(points, faces, to_srgb(exposed[done : done + len(light)])))
            done += len(light)
        return self.renderer.render(parts, scene.camera.focal)

    def _annotation(self, scene: Scene, rendering: Rendering) -> dict[str, Any]:
        points = scene.to_camera(scene.hand.keypoints)
        pixels = scene.camera.project(points)
        visibility = keypoint_visibility(points, pixels, rendering.depth, scene.shape.breadth.mean())
        outline = scene.camera.project(scene.to_camera(scene.hand.vertices[self.model.is_hand]))
        low = np.clip(outline.min(0), 0, self.size - 1)
        high = np.clip(outline.max(0), 0, self.size - 1)
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
            'handedness': scene.handedness,
            'gesture': scene.gesture,
        }


def keypoint_visibility(points: np.ndarray, pixels: np.ndarray, depth: np.ndarray, thickness: float) -> np.ndarray:
    """2 seen, 1 hidden by the hand or sleeve, 0 outside the picture, for each keypoint (21,).

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
