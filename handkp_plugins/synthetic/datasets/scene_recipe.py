"""Pictures as photographs are: several hands, or none, among people and clutter, each hand with its labels."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..rendering.photometric import develop, exposure, streaked
from ..rendering.renderer import Renderer, Rendering
from ..scenes.multi_hand import MOST_HANDS, Stage, random_stage
from ..scenes.sample import Piece, Sample, SampleMaker, lights_of, shaded_props
from ..scenes.scene import HandInScene, Scene
from .recipe import Recipe

_LEAST_SEEN = 0.3
"""Share of the side of a hand that faces the camera which nothing before it may hide: else the stage is drawn anew."""
_BEFORE = 0.012  # metres by which a surface must be nearer than the hand's skin to hide it
_ATTEMPTS = 12
_FAR = 20.0  # metres
_MOVING_SHARE, _MOTION = 0.12, (0.005, 0.03)  # of pictures with motion blur; its length as a share of the longer side


@dataclass(frozen=True)
class StageSample(Sample):
    """A picture with the COCO record of each hand, with ids, in ``annotations``; ``annotation`` is empty."""

    annotations: tuple[dict[str, Any], ...] = ()

    @property
    def labels(self) -> dict[str, Any]:
        """What is kept of it beside the picture, whose size is its own."""
        height, width = self.image.shape[:2]
        return {
            'camera': self.camera,
            'annotations': list(self.annotations),
            'image': {'width': width, 'height': height},
        }


class StageMaker(SampleMaker):
    """Makes pictures of stages; keep one per process.

    Args:
        size: of the longer side in pixels.
        settings: of :class:`SampleMaker`.
    """

    photograph_share = 0.5  # generated clutter, of which there is no end, as often

    def __init__(self, size: int, **settings: Any) -> None:
        super().__init__(size=size, renderer=Renderer(size, far=_FAR), **settings)
        self._renderers = {(size, size): self.renderer}
        self.stage_options = {name: self.scene_options[name] for name in ('alone', 'one_shape')}

    def make(self, seed: int, index: int) -> StageSample:
        """The sample of an index. Labels depend on it, on the seed and on all arguments but the backgrounds."""
        look = np.random.default_rng([seed, index, 1])
        for attempt in range(_ATTEMPTS):
            rng = np.random.default_rng([seed, index, 0, attempt])
            stage = random_stage(self.models, self.size, rng, self.poses, **self.stage_options)
            rendering = self._staged(stage, look)
            hands = [(scene, hand) for scene in stage.scenes for hand in scene.hands]
            if all(seen_share(hand, scene, rendering.depth) >= _LEAST_SEEN for scene, hand in hands):
                break
        else:
            raise RuntimeError(f'no stage of {_ATTEMPTS} shows all of its hands')
        width, height = stage.camera.extent
        layers = np.dstack([rendering.color, rendering.alpha])
        if look.random() < _MOVING_SHARE:
            angle = look.uniform(0, np.pi)
            layers = streaked(layers, self.size * look.uniform(*_MOTION) * np.array([np.cos(angle), np.sin(angle)]))
        behind = self._behind(self.size, look)[:height, :width]
        return StageSample(
            image=develop(layers[..., :3] + (1 - layers[..., 3:]) * behind, look),
            mask=rendering.alpha,
            annotation={},
            camera={'K': stage.camera.matrix.tolist()},
            annotations=tuple(
                self._labels_of(scene, hand, rendering) | {'id': MOST_HANDS * index + k}
                for k, (scene, hand) in enumerate(hands)
            ),
        )

    def _staged(self, stage: Stage, rng: np.random.Generator) -> Rendering:
        pieces: list[Piece] = []
        for scene in stage.scenes:
            pieces += self._shaded(scene, gloss=rng.uniform(0.1, 1.3), cloth=int(rng.integers(2**31)))
        pieces += shaded_props(stage.props, np.zeros((0, 4)), stage.lighting, stage.camera)
        width, height = (int(side) for side in stage.camera.extent)
        if (width, height) not in self._renderers:
            self._renderers[width, height] = Renderer(width, height, _FAR)
        self.renderer = self._renderers[width, height]
        if not any(len(faces) for _, faces, _ in pieces):
            empty = np.zeros((height, width), np.float32)
            return Rendering(np.dstack([empty] * 3), empty, np.full(empty.shape, np.inf))
        return self._drawn(pieces, exposure(lights_of(pieces), rng), stage.camera)

    def _labels_of(self, scene: Scene, hand: HandInScene, rendering: Rendering) -> dict[str, Any]:
        """The COCO record of one of a scene's hands; its area is that of the box."""
        is_main = hand is scene.main
        own = scene if is_main else replace(scene, main=hand, other=scene.main)
        labels = self._annotation(own, rendering)
        width, height = labels['bbox'][2:]
        return labels | {'area': round(width * height, 1), 'held': labels['held'] if is_main else None}


def seen_share(hand: HandInScene, scene: Scene, depth: np.ndarray) -> float:
    """Share of the hand's surface in the picture that faces the camera, before which nothing is: no thing, other hand
    or finger of its own.

    Args:
        depth: (H, W) metres of the nearest surface.
    """
    points = hand.to_camera(hand.hand.vertices[hand.model.is_hand])
    normals = hand.hand.normals[hand.model.is_hand] @ hand.axes.T
    height, width = depth.shape
    column, row = np.rint(scene.camera.project(points)).astype(int).T
    counts = np.einsum('vi,vi->v', normals, points) < 0
    counts &= (column >= 0) & (row >= 0) & (column < width) & (row < height)
    before = depth[row[counts], column[counts]]
    return float(np.mean(points[counts, 2] - before < _BEFORE)) if counts.any() else 0.0


@dataclass(frozen=True)
class StageRecipe(Recipe):
    """What decides the contents of a set of pictures with none to four hands.

    Args:
        num: images.
        size: of the longer side in pixels, 128 to 1024; the other side is another from picture to picture.
        layers: not allowed.
        scenes: tells such a set from others.
    """

    size: int = 480
    scenes: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.layers:
            raise ValueError('layers: expected False with scenes, which have backgrounds, got True')
        if self.size < 128:
            raise ValueError(f'size: expected 128 to 1024 pixels for scenes, got {self.size}')

    def maker(self, **settings: Any) -> StageMaker:
        """What draws the pictures; keep one per process."""
        return StageMaker(**settings)
