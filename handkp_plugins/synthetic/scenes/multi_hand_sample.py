"""Images as photographs are: several hands, or none, among people and clutter, each hand with its labels."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..rendering.camera import Camera
from ..rendering.photometric import apply_camera, exposure, motion_blur, random_camera
from ..rendering.renderer import Part, Renderer, Rendering
from .multi_hand import MOST_HANDS, MultiHandScene, random_multi_hand_scene
from .sample import Sample, SampleMaker, linear_colors, shade_objects
from .scene import HandInScene, Scene

_LEAST_VISIBLE = 0.3  # share of a hand's side towards the camera; where less is visible, the scene is drawn anew
_BEFORE = 0.012  # metres by which a surface must be nearer than the hand's skin to hide it
_ATTEMPTS = 12
_FAR = 20.0  # metres
_MOVING_SHARE, _MOTION = 0.12, (0.005, 0.03)  # of images with motion blur; its length as a share of the longer side


@dataclass(frozen=True)
class SceneSample(Sample):
    """An image with the COCO record of each hand, with ids, in ``annotations``; ``annotation`` is empty."""

    annotations: tuple[dict[str, Any], ...] = ()

    @property
    def labels(self) -> dict[str, Any]:
        """What is kept of it beside the image, whose size is its own."""
        height, width = self.image.shape[:2]
        return {
            'camera': self.camera,
            'annotations': list(self.annotations),
            'image': {'width': width, 'height': height},
        }


class SceneMaker(SampleMaker):
    """Makes images of multi-hand scenes whose longer side is ``size`` pixels; keep one per process."""

    photograph_share = 0.5  # generated clutter never repeats

    def __init__(self, size: int, **settings: Any) -> None:
        super().__init__(size=size, renderer=Renderer(size, far=_FAR), **settings)
        self._renderers = {(size, size): self.renderer}
        del self.scene_options['layer']

    def make(self, seed: int, index: int) -> SceneSample:
        """Make the sample of an index. Labels depend on it, the seed and all arguments but the backgrounds."""
        look = np.random.default_rng([seed, index, 1])
        for attempt in range(_ATTEMPTS):
            rng = np.random.default_rng([seed, index, 0, attempt])
            scene = random_multi_hand_scene(self.models, self.size, rng, self.poses, **self.scene_options)
            rendering = self._render_multi_hand(scene, look)
            hands = [(person, hand) for person in scene.people for hand in person.hands]
            if all(visible_share(hand, scene.camera, rendering.depth) >= _LEAST_VISIBLE for _, hand in hands):
                break
        else:
            raise RuntimeError(f'no scene of {_ATTEMPTS} shows all of its hands')
        width, height = scene.camera.extent
        layers = np.dstack([rendering.color, rendering.alpha])
        if look.random() < _MOVING_SHARE:
            angle = look.uniform(0, np.pi)
            layers = motion_blur(layers, self.size * look.uniform(*_MOTION) * np.array([np.cos(angle), np.sin(angle)]))
        background = self._background(self.size, look)[:height, :width]
        return SceneSample(
            image=apply_camera(layers[..., :3] + (1 - layers[..., 3:]) * background, random_camera(height, look), look),
            mask=rendering.alpha,
            annotation={},
            camera={'K': scene.camera.matrix.tolist()},
            annotations=tuple(
                self._labels_of(person, hand, rendering) | {'id': MOST_HANDS * index + k}
                for k, (person, hand) in enumerate(hands)
            ),
        )

    def _render_multi_hand(self, scene: MultiHandScene, rng: np.random.Generator) -> Rendering:
        parts: list[Part] = []
        for person in scene.people:
            parts += self._shade(person, gloss=rng.uniform(0.1, 1.3), cloth=int(rng.integers(2**31)))
        parts += shade_objects(scene.objects, np.zeros((0, 4)), scene.lighting, scene.camera)
        width, height = (int(side) for side in scene.camera.extent)
        if (width, height) not in self._renderers:
            self._renderers[width, height] = Renderer(width, height, _FAR)
        self.renderer = self._renderers[width, height]
        if not any(len(part.faces) for part in parts):
            empty = np.zeros((height, width), np.float32)
            return Rendering(np.dstack([empty] * 3), empty, np.full(empty.shape, np.inf))
        return self._draw(parts, exposure(linear_colors(parts), rng), scene.camera)

    def _labels_of(self, person: Scene, hand: HandInScene, rendering: Rendering) -> dict[str, Any]:
        """COCO record of one of a person's hands; its area is that of the box."""
        is_main = hand is person.main
        own = person if is_main else replace(person, main=hand, other=person.main)
        labels = self._annotation(own, rendering)
        width, height = labels['bbox'][2:]
        return labels | {'area': round(width * height, 1), 'held': labels['held'] if is_main else None}


def visible_share(hand: HandInScene, camera: Camera, depth: np.ndarray) -> float:
    """Share of the hand's surface in the image and towards the camera that nothing hides, not even its own fingers."""
    points = hand.to_camera(hand.hand.vertices[hand.model.is_hand])
    normals = hand.hand.normals[hand.model.is_hand] @ hand.axes.T
    height, width = depth.shape
    column, row = np.rint(camera.project(points)).astype(int).T
    counts = np.einsum('vi,vi->v', normals, points) < 0
    counts &= (column >= 0) & (row >= 0) & (column < width) & (row < height)
    before = depth[row[counts], column[counts]]
    return float(np.mean(points[counts, 2] - before < _BEFORE)) if counts.any() else 0.0
