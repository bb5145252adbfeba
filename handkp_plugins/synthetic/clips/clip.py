"""Clips: one hand before one camera for some seconds, frame by frame.

Person, things, light, wall and camera stay for a clip; they move as ``hand_motion`` and ``motion`` say. There is no
second hand and nothing in front of the hand. A thing in the hand keeps its fingers and wrist still.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np

from handkp_plugins.structures.skeleton import LONG_FINGERS

from ..hand.kinematics import FRAME_INDEX, joint_frames, keypoints_from_frames
from ..hand.pose import HandPose
from ..poses.sampler import PoseSampler
from ..rendering.camera import Camera
from ..rendering.photometric import apply_camera, exposure, jpeg_compress, motion_blur, random_look
from ..rendering.renderer import Renderer
from ..scenes.grasp import SceneObject
from ..scenes.sample import Sample, SampleMaker, linear_colors
from ..scenes.scene import HandInScene, Scene, random_scene
from ..scenes.views import arms_are_clear
from .hand_motion import finger_motion, hand_path
from .motion import CameraPath, random_camera_path, sway

TRIES = 16  # ways of hand and camera that are drawn for a clip at most
_INSIDE = 0.97
"""Share of a clip's keypoints that shall lie in the picture: ways of hand and camera are drawn until they do."""
_NEAREST = 0.12  # metres from the camera
_WALL = 1.6  # size of the wall's picture, as a share of a frame's longer side
_EXPOSURE_DRIFT = 0.06
_MIRROR = np.diag([-1.0, 1, 1, 1])


@dataclass(frozen=True)
class Clip:
    """A hand and a camera that move for N frames.

    Args:
        cast: the scene of the first frame but for the hand's place: who and what is there.
        held: the thing in the hand, in the palm's frame.
        worn: each thing worn in the palm's frame of the first frame, and which of the hand's frames carries it.
        angles: (N, 24) degrees.
        gestures: N names.
        frames: (N, 35, 4, 4) of the hand, mirrored for a left one.
        axes, offsets: (N, 3, 3) and (N, 3) that bring the hand before the camera.
        camera_path: the camera's motion.
    """

    cast: Scene
    held: SceneObject | None
    worn: tuple[tuple[SceneObject, int], ...]
    angles: np.ndarray
    gestures: list[str]
    frames: np.ndarray
    axes: np.ndarray
    offsets: np.ndarray
    camera_path: CameraPath

    @property
    def keypoints(self) -> np.ndarray:
        """(N, 21, 3) in the camera's frame, metres."""
        return _before(self.axes, self.offsets, keypoints_from_frames(self.frames, self.cast.main.shape))

    def scene(self, i: int) -> Scene:
        """The scene of a frame."""
        main, axes, offset = self.cast.main, self.axes[i], self.offsets[i]
        pose, worn = HandPose(self.angles[i]), []
        for obj, bone in self.worn:
            carried = self.frames[i, bone] @ np.linalg.inv(self.frames[0, bone])
            worn.append(obj.transform(carried[:3, :3], carried[:3, 3]).transform(axes, offset))
        hand = main.model.pose(pose, main.shape, main.hand.handedness)
        return replace(
            self.cast,
            main=replace(main, hand=hand, pose=pose, gesture=self.gestures[i], axes=axes, offset=offset),
            held=self.held.transform(axes, offset) if self.held else None,
            worn=tuple(worn),
            lighting=self.camera_path.lighting(i, self.cast.lighting),
        )


def plan_clip(scene: Scene, camera: Camera, time: np.ndarray, poses: PoseSampler, rng: np.random.Generator) -> Clip:
    """Motion for the main hand of a scene at times (N,) in seconds, from 0; no other hand, and nothing in front."""
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
        way = path.before(*hand_path(time, keypoints, forearms, main.axes, camera, rng))
        inside = _inside(*way, keypoints, forearms, camera)
        if inside > best:
            best, camera_path, (axes, offsets) = inside, path, way
        if inside >= _INSIDE:
            break
    worn = [obj.transform(*to_palm) for obj in scene.worn]
    return Clip(
        cast=replace(scene, other=None, in_front=None, camera=camera),
        held=scene.held.transform(*to_palm) if scene.held else None,
        worn=tuple((obj, _bone(obj, frames[0])) for obj in worn),
        angles=angles,
        gestures=gestures,
        frames=frames,
        axes=axes,
        offsets=offsets,
        camera_path=camera_path,
    )


def hand_frames(angles: np.ndarray, hand: HandInScene) -> np.ndarray:
    """Frames (N, 35, 4, 4) of a hand at joint angles (N, 24) in degrees, mirrored for a left one."""
    frames = joint_frames(angles, hand.shape)
    return _MIRROR @ frames @ _MIRROR if hand.hand.handedness == 'left' else frames


def _before(axes: np.ndarray, offsets: np.ndarray, keypoints: np.ndarray) -> np.ndarray:
    """Keypoints (N, 21, 3) of the palm's frame in the camera's."""
    return np.einsum('nki,nmi->nkm', keypoints, axes) + offsets[:, None]


def _inside(
    axes: np.ndarray, offsets: np.ndarray, keypoints: np.ndarray, forearms: np.ndarray, camera: Camera
) -> float:
    """Share of keypoints (N, 21, 3) in the picture, less that of frames in which hand or arm come too near to us."""
    points = _before(axes, offsets, keypoints)
    to_hand = np.einsum('ni,ni->n', axes[:, 2], forearms[:, :, 1])
    clear = arms_are_clear(to_hand, offsets[:, 2]) & (points[..., 2].min(1) > _NEAREST)
    points[..., 2] = np.maximum(points[..., 2], _NEAREST)
    pixels = camera.project(points.reshape(-1, 3))
    inside = ((pixels >= 0) & (pixels <= camera.extent - 1)).all(1)
    return float(inside.mean() + clear.mean() - 1)


def _bone(obj: SceneObject, frames: np.ndarray) -> int:
    """Which of a hand's frames (35, 4, 4) carries a thing worn: the forearm's, or the nearest finger's at its root."""
    if obj.name == 'watch':
        return FRAME_INDEX['forearm']
    bones = [FRAME_INDEX[f'{finger}_0'] for finger in LONG_FINGERS]
    middle = frames[bones, :3, 3] + 0.02 * frames[bones, :3, 1]
    return bones[int(np.linalg.norm(middle - obj.mesh.points.mean(0), axis=1).argmin())]


class ClipMaker(SampleMaker):
    """Makes clips; keep one per process.

    Args:
        frames: of each clip.
        fps: frames a second.
        size, height: in pixels.
        settings: of :class:`SampleMaker`.
    """

    def __init__(self, frames: int, fps: float, size: int, height: int, **settings: Any) -> None:
        super().__init__(size=size, renderer=Renderer(size, height), **settings)
        self.time, self.height = np.arange(frames) / fps, height

    def plan(self, seed: int, index: int) -> Clip:
        """What happens in a clip; it depends on its index, on the seed and on all arguments but the backgrounds."""
        rng = np.random.default_rng([seed, index])
        scene = random_scene(self.models, self.size, rng, self.poses, **self.scene_options)
        return plan_clip(scene, replace(scene.camera, height=self.height), self.time, self.poses, rng)

    def make_clip(self, seed: int, index: int) -> Iterator[Sample]:
        """The frames of a clip. Labels depend on what :meth:`plan` depends on."""
        clip = self.plan(seed, index)
        camera = clip.cast.camera
        look = np.random.default_rng([seed, index, 1])
        gloss, cloth, factor = look.uniform(0.1, 1.3), int(look.integers(2**31)), None
        drift = np.exp(sway(self.time, look.uniform(0, _EXPOSURE_DRIFT), look, (0.1, 0.4))[:, 0])
        development = replace(random_look(int(camera.extent[1]), look), streak=None)
        quality = int(look.uniform(30, 85)) if look.random() < 0.3 else None
        shutter = look.uniform(0, 0.6)  # share of a frame's time in which light falls in
        walls = self._walls(clip, shutter, look)
        shifts = shutter * _velocity(clip.keypoints, camera)
        for i, wall in enumerate(walls):
            scene = clip.scene(i)
            parts = self._shade(scene, gloss, cloth)
            factor = factor or exposure(linear_colors(parts), look)
            rendering = self._draw(parts, factor, camera)
            # as if all of the hand moved as its middle does
            layers = motion_blur(np.dstack([rendering.color, rendering.alpha]), shifts[i])
            image = apply_camera(drift[i] * (layers[..., :3] + (1 - layers[..., 3:]) * wall), development, look)
            yield Sample(
                image=jpeg_compress(image, quality) if quality else image,
                mask=rendering.alpha,
                annotation=self._annotation(scene, rendering),
                camera={'K': camera.matrix.tolist()},
            )

    def _walls(self, clip: Clip, shutter: float, rng: np.random.Generator) -> Iterator[np.ndarray]:
        """What lies behind the hand in each frame: one picture on a wall some way behind it."""
        camera = clip.cast.camera
        size = int(_WALL * camera.extent.max())
        picture = self._background(size, rng)
        to_rest = np.eye(3)
        to_rest[:2, 2] = (camera.extent - size) / 2
        homographies = clip.camera_path.homographies(camera, clip.offsets[:, 2].max() + rng.uniform(0.2, 1.5))
        middle = homographies @ [*(camera.extent - 1) / 2, 1]
        shifts = shutter * np.gradient(middle[:, :2] / middle[:, 2:], axis=0)
        for homography, shift in zip(homographies, shifts, strict=True):
            wall = cv2.warpPerspective(
                picture, homography @ to_rest, camera.extent.tolist(), borderMode=cv2.BORDER_REFLECT_101
            )
            yield motion_blur(wall, shift)


def _velocity(points: np.ndarray, camera: Camera) -> np.ndarray:
    """Pixels a frame (N, 2) by which the middle of points (N, K, 3) moves."""
    pixels = camera.project(points.reshape(-1, 3)).reshape(*points.shape[:2], 2)
    return np.gradient(pixels.mean(1), axis=0)
