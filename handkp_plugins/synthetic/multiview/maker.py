"""Makes frames: one right hand, seen by several cameras at once."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..rendering.photometric import exposure
from ..scenes.sample import VISIBLE, Sample, SampleMaker, linear_colors
from ..scenes.scene import Scene, random_scene
from .cameras import PlacedCamera, random_cameras
from .pseudo_labels import make_pseudo_keypoints


@dataclass(frozen=True)
class Frame:
    """A moment: what the cameras see, in the world's frame, whose origin is the wrist. Its y points down."""

    world: Scene
    cameras: list[PlacedCamera]

    def scene_of(self, view: int) -> Scene:
        """Return the scene in the frame of one of the cameras."""
        placed, world = self.cameras[view], self.world
        rotation, translation = placed.rotation, placed.translation
        main = replace(world.main, axes=rotation @ world.main.axes, offset=translation)
        return replace(
            world,
            main=main,
            held=world.held and world.held.transform(rotation, translation),
            worn=tuple(obj.transform(rotation, translation) for obj in world.worn),
            camera=placed.camera,
            lighting=world.lighting.rotate(rotation),
        )


class ViewMaker(SampleMaker):
    """Makes frames that ``views`` cameras see; keep one per process. ``settings`` are :class:`SampleMaker`'s.

    Hand, skin, sleeve, gloss, light, and what is held or worn are the same in all views of a frame; each view has its
    own background, exposure and camera effects. There is no second hand and nothing in front.
    """

    def __init__(self, views: int, **settings: Any) -> None:
        super().__init__(**settings)
        self.views = views

    def plan(self, seed: int, frame: int) -> Frame:
        """Plan a frame. The plan depends on the seed, the frame and all arguments except the backgrounds."""
        rng = np.random.default_rng([seed, frame])
        scene = random_scene(self.models, self.size, rng, self.poses, handedness='right', **self.scene_options)
        main = replace(scene.main, offset=np.zeros(3))
        world = replace(
            scene,
            main=main,
            other=None,
            in_front=None,
            held=scene.held and scene.held.transform(np.eye(3), -scene.main.offset),
            worn=tuple(obj.transform(np.eye(3), -scene.main.offset) for obj in scene.worn),
        )
        return Frame(world, random_cameras(self.views, self.size, main, rng))

    def make_frame(self, seed: int, index: int) -> Iterator[Sample]:
        """Make the views of a frame. Labels depend on the same arguments as :meth:`plan`."""
        frame = self.plan(seed, index)
        look = np.random.default_rng([seed, index, 1])
        gloss, cloth = look.uniform(0.1, 1.3), int(look.integers(2**31))
        for view, placed in enumerate(frame.cameras):
            scene, look = frame.scene_of(view), np.random.default_rng([seed, index, 2, view])
            parts = self._shade(scene, gloss, cloth)
            rendering = self._draw(parts, exposure(linear_colors(parts), look), scene.camera)
            annotation = self._annotation(scene, rendering)
            noise = np.random.default_rng([seed, index, 3, view])
            annotation['pseudo_keypoints'] = self._pseudo_keypoints(annotation['keypoints'], noise)
            yield Sample(self._photograph(rendering, look), rendering.alpha, annotation, placed.labels)

    def _pseudo_keypoints(self, keypoints: list[float], rng: np.random.Generator) -> list[list[float]]:
        points = np.array(keypoints).reshape(1, -1, 3)
        noisy = make_pseudo_keypoints(points[..., :2], points[..., 2] < VISIBLE, self.size, rng)
        return [[round(x, 2), round(y, 2), round(c, 3)] for x, y, c in noisy[0].tolist()]
