"""Clips: one hand that moves before one camera for some seconds.

The person, objects, light, background and camera are the same throughout a clip; ``hand_motion`` and ``motion`` move
them. There is no second hand and nothing in front of the hand. A hand that holds an object keeps its pose.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import cv2
import numpy as np

from handkp_plugins.structures.skeleton import LONG_FINGERS

from ..hand.kinematics import FRAME_INDEX, joint_frames, keypoints_from_frames
from ..hand.pose import HandPose
from ..poses.sampler import PoseSampler
from ..rendering.camera import Camera
from ..rendering.photometric import apply_camera, exposure, motion_blur, random_camera
from ..rendering.renderer import Renderer, Rendering
from ..scenes.grasp import SceneObject
from ..scenes.sample import Sample, SampleMaker, linear_colors
from ..scenes.scene import HandInScene, Scene, random_scene
from ..scenes.views import arms_are_clear
from .hand_motion import finger_motion, hand_path
from .motion import CameraPath, random_camera_path, sway

TRIES = 16  # largest number of motions that are drawn for a clip
_INSIDE = 0.97  # share of keypoints in the image from which a motion is good enough
_NEAREST = 0.12  # metres from the camera
_WALL = 1.6  # size of the background, as a share of a frame's longer side
_EXPOSURE_DRIFT = 0.06
_MIRROR = np.diag([-1.0, 1, 1, 1])


@dataclass(frozen=True)
class Clip:
    """A hand and a camera that move for N frames."""

    base_scene: Scene  # person, objects and light, as in the first frame
    held: SceneObject | None  # in the palm's frame
    worn: tuple[tuple[SceneObject, int], ...]  # in the palm's frame at first, and the joint frame each moves with
    angles: np.ndarray  # (N, 24) degrees
    gestures: list[str]  # N names
    axes: np.ndarray  # (N, 3, 3) rotations from the palm's frame to the camera's
    offsets: np.ndarray  # (N, 3) translations from the palm's frame to the camera's
    camera_path: CameraPath

    @cached_property
    def frames(self) -> np.ndarray:
        """Joint frames (N, 35, 4, 4), mirrored for a left hand."""
        return hand_frames(self.angles, self.base_scene.main)

    @property
    def keypoints(self) -> np.ndarray:
        """Keypoints (N, 21, 3) in the camera's frame, metres."""
        return _to_camera(keypoints_from_frames(self.frames, self.base_scene.main.shape), self.axes, self.offsets)

    def scene_at(self, i: int) -> Scene:
        """Return the scene of a frame."""
        main, axes, offset = self.base_scene.main, self.axes[i], self.offsets[i]
        pose, worn = HandPose(self.angles[i]), []
        for obj, bone in self.worn:
            carried = self.frames[i, bone] @ np.linalg.inv(self.frames[0, bone])
            worn.append(obj.transform(carried[:3, :3], carried[:3, 3]).transform(axes, offset))
        rigid = np.array_equal(pose.angles, main.pose.angles)
        hand = main.hand if rigid else main.model.pose(pose, main.shape, main.hand.handedness)
        return replace(
            self.base_scene,
            main=replace(main, hand=hand, pose=pose, gesture=self.gestures[i], axes=axes, offset=offset),
            held=self.held.transform(axes, offset) if self.held else None,
            worn=tuple(worn),
            lighting=self.camera_path.rotate_lighting(i, self.base_scene.lighting),
        )


def plan_clip(scene: Scene, camera: Camera, time: np.ndarray, poses: PoseSampler, rng: np.random.Generator) -> Clip:
    """Move the main hand of a scene, without other hands and objects in front, at times (N,) in seconds from 0."""
    main = scene.main
    to_palm = main.axes.T, -main.axes.T @ main.offset
    if scene.held:
        angles, gestures = np.tile(main.pose.angles, (len(time), 1)), [main.gesture] * len(time)
    else:
        angles, gestures = finger_motion(time, main.pose, main.gesture, main.shape, poses, rng)
    frames = hand_frames(angles, main)
    keypoints = keypoints_from_frames(frames, main.shape)
    forearms = frames[:, FRAME_INDEX['forearm'], :3, :3]
    best = -np.inf
    for _ in range(TRIES):
        path = random_camera_path(time, rng)
        pose = path.to_moving_camera(*hand_path(time, keypoints, forearms, main.axes, camera, rng))
        score = _visible_share(*pose, keypoints, forearms, camera)
        if score > best:
            best, camera_path, (axes, offsets) = score, path, pose
        if score >= _INSIDE:
            break
    worn = [obj.transform(*to_palm) for obj in scene.worn]
    return Clip(
        base_scene=replace(scene, other=None, in_front=None, camera=camera),
        held=scene.held.transform(*to_palm) if scene.held else None,
        worn=tuple((obj, _carrying_frame(obj, frames[0])) for obj in worn),
        angles=angles,
        gestures=gestures,
        axes=axes,
        offsets=offsets,
        camera_path=camera_path,
    )


def hand_frames(angles: np.ndarray, hand: HandInScene) -> np.ndarray:
    """Return the joint frames (N, 35, 4, 4) at joint angles (N, 24) in degrees, mirrored for a left hand."""
    frames = joint_frames(angles, hand.shape)
    return _MIRROR @ frames @ _MIRROR if hand.hand.handedness == 'left' else frames


def _to_camera(keypoints: np.ndarray, axes: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    return np.einsum('nki,nmi->nkm', keypoints, axes) + offsets[:, None]


def _visible_share(
    axes: np.ndarray, offsets: np.ndarray, keypoints: np.ndarray, forearms: np.ndarray, camera: Camera
) -> float:
    """Return the share of keypoints in the image, minus that of frames with a hand or arm too near to the camera."""
    points = _to_camera(keypoints, axes, offsets)
    to_hand = np.einsum('ni,ni->n', axes[:, 2], forearms[:, :, 1])
    clear = arms_are_clear(to_hand, offsets[:, 2]) & (points[..., 2].min(1) > _NEAREST)
    points[..., 2] = np.maximum(points[..., 2], _NEAREST)
    pixels = camera.project(points)
    inside = ((pixels >= 0) & (pixels <= camera.extent - 1)).all(-1)
    return float(inside.mean() + clear.mean() - 1)


def _carrying_frame(obj: SceneObject, frames: np.ndarray) -> int:
    """Return the index of the joint frame that a worn object moves with: the forearm, or the nearest finger's root."""
    if obj.name == 'watch':
        return FRAME_INDEX['forearm']
    bones = [FRAME_INDEX[f'{finger}_0'] for finger in LONG_FINGERS]
    middle = frames[bones, :3, 3] + 0.02 * frames[bones, :3, 1]
    return bones[int(np.linalg.norm(middle - obj.mesh.points.mean(0), axis=1).argmin())]


class ClipMaker(SampleMaker):
    """Makes clips of ``size`` × ``height`` pixels; keep one per process. ``settings`` are :class:`SampleMaker`'s."""

    def __init__(self, frames: int, fps: float, size: int, height: int, **settings: Any) -> None:
        super().__init__(size=size, renderer=Renderer(size, height), **settings)
        self.time, self.height = np.arange(frames) / fps, height

    def draw_scene(self, rng: np.random.Generator, **options: bool) -> Scene:
        """Draw a scene for a camera of the clip's size; options override those of the maker."""
        scene = random_scene(self.models, self.size, rng, self.poses, **(self.scene_options | options))
        return replace(scene, camera=replace(scene.camera, height=self.height))

    def plan(self, seed: int, index: int) -> Clip:
        """Plan a clip. The plan depends on the seed, the index and all arguments except the backgrounds."""
        rng = np.random.default_rng([seed, index])
        scene = self.draw_scene(rng)
        return plan_clip(scene, scene.camera, self.time, self.poses, rng)

    def make_clip(self, seed: int, index: int) -> Iterator[Sample]:
        """Make the frames of a clip. Labels depend on the same arguments as :meth:`plan`."""
        clip = self.plan(seed, index)
        camera = clip.base_scene.camera
        look = np.random.default_rng([seed, index, 1])
        gloss, cloth, factor = look.uniform(0.1, 1.3), int(look.integers(2**31)), None
        drift = np.exp(sway(self.time, look.uniform(0, _EXPOSURE_DRIFT), look, (0.1, 0.4))[:, 0])
        settings = replace(random_camera(int(camera.extent[1]), look), motion=None)
        shutter = look.uniform(0, 0.6)  # exposure time, as a share of a frame's time
        backgrounds = self._move_background(clip, shutter, look)
        shifts = shutter * np.gradient(camera.project(clip.keypoints).mean(1), axis=0)
        for i, background in enumerate(backgrounds):
            scene = clip.scene_at(i)
            parts = self._shade(scene, gloss, cloth)
            factor = factor or exposure(linear_colors(parts), look)
            rendering = self._draw(parts, factor, camera)
            # approximation: the whole hand moves as its middle does
            layers = motion_blur(np.dstack([rendering.color, rendering.alpha]), shifts[i])
            image = apply_camera(drift[i] * (layers[..., :3] + (1 - layers[..., 3:]) * background), settings, look)
            yield self._label(scene, image, rendering, index * len(self.time) + i)

    def _label(self, scene: Scene, image: np.ndarray, rendering: Rendering, index: int) -> Sample:
        """Return a frame with its labels; ``index`` counts the frames of all clips."""
        return Sample(
            image=image,
            mask=rendering.alpha,
            annotation=self._annotation(scene, rendering),
            camera={'K': scene.camera.matrix.tolist()},
        )

    def _move_background(self, clip: Clip, shutter: float, rng: np.random.Generator) -> Iterator[np.ndarray]:
        """Yield each frame's view of one background image, which hangs on a wall behind the hand."""
        camera = clip.base_scene.camera
        size = int(_WALL * camera.extent.max())
        image = self._background(size, rng)
        to_rest = np.eye(3)
        to_rest[:2, 2] = (camera.extent - size) / 2
        homographies = clip.camera_path.homographies(camera, clip.offsets[:, 2].max() + rng.uniform(0.2, 1.5))
        middle = homographies @ [*(camera.extent - 1) / 2, 1]
        shifts = shutter * np.gradient(middle[:, :2] / middle[:, 2:], axis=0)
        for homography, shift in zip(homographies, shifts, strict=True):
            view = cv2.warpPerspective(
                image, homography @ to_rest, camera.extent.tolist(), borderMode=cv2.BORDER_REFLECT_101
            )
            yield motion_blur(view, shift)
