"""The table of clips of actions in each frame: its texture, and shadows of hands and object. Metres."""

from collections.abc import Iterator

import cv2
import numpy as np

from handkp_plugins.structures.skeleton import BONES

from ..hand.kinematics import FRAME_INDEX, apply_matrix
from .actions import ActionClip
from .viewpoint import NEAREST

TABLE_PIXELS = 640
_TABLE = 1.8  # side of the square of table that has a texture
_SHADOW, _SHADOW_BLUR = 0.45, 0.012  # darkness; deviation as a share of the image's width
_STEEPEST = 0.4  # cosine from straight up to the lamp that casts it; else it lies below
_BONE_WIDTH, _ARM = 0.02, 0.25
_PALM = [0, 1, 5, 9, 13, 17]


def view_table(clip: ActionClip, texture: np.ndarray) -> Iterator[np.ndarray]:
    """Yield each frame's view of a table with a texture [``TABLE_PIXELS``, ``TABLE_PIXELS``, 3], and the shadows."""
    camera, view, path = clip.base_scene.camera, clip.view, clip.camera_path
    step = _TABLE / TABLE_PIXELS
    middle = (clip.offsets[0] @ path.axes[0].T) + path.positions[0]
    ground = middle - (middle @ view.up + view.height) * view.up
    to_table = np.array([[step, 0, -0.5 * _TABLE], [0, -step, 0.5 * _TABLE], [0, 0, 1]])
    plane = np.stack([view.right, view.ahead, ground], axis=1) @ to_table
    for i, (axes, position) in enumerate(zip(path.axes, path.positions, strict=True)):
        moved = plane - np.outer(position, [0, 0, 1])
        image = cv2.warpPerspective(
            texture, camera.matrix @ axes.T @ moved, camera.extent.tolist(), borderMode=cv2.BORDER_REFLECT_101
        )
        yield image * (1 - _SHADOW * _shadow(clip, i))[..., None]


def _shadow(clip: ActionClip, i: int) -> np.ndarray:
    """Draw the soft shadow (H, W), 0…1, of bones and object on the table."""
    camera, view, path = clip.base_scene.camera, clip.view, clip.camera_path
    up = path.axes[i].T @ view.up
    level = -view.height - view.up @ path.positions[i]
    lamps = clip.base_scene.lighting.lamps
    towards = path.axes[i].T @ lamps[0].direction if lamps else up
    towards = towards if towards @ up > _STEEPEST else up
    width, height = camera.extent
    shadow = np.zeros((height, width), np.float32)

    def cast(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Shadows of points (N, 3): pixels (N, 2), and pixels (N,) a metre there."""
        ground = points - ((points @ up - level) / (towards @ up))[:, None] * towards
        depth = np.maximum(ground[:, 2:], NEAREST)
        return np.rint(camera.focal * ground[:, :2] / depth + (camera.extent - 1) / 2).astype(
            int
        ), camera.focal / depth[:, 0]

    for moving in filter(None, (clip, clip.other)):
        arm = moving.offsets[i] - _ARM * moving.axes[i] @ moving.frames[i, FRAME_INDEX['forearm'], :3, 1]
        pixels, scale = cast(np.concatenate([moving.keypoints[i], [arm]]))
        for a, b in (*BONES, (0, len(pixels) - 1)):
            cv2.line(shadow, pixels[a].tolist(), pixels[b].tolist(), 1.0, max(1, round(_BONE_WIDTH * scale[a])))
        cv2.fillConvexPoly(shadow, cv2.convexHull(pixels[_PALM]), 1.0)
    centres = apply_matrix(clip.held.spheres[:, :3], clip.axes[i]) + clip.offsets[i]
    for pixel, scale, radius in zip(*cast(centres), clip.held.spheres[:, 3], strict=True):
        cv2.circle(shadow, pixel.tolist(), max(1, round(radius * scale)), 1.0, -1)
    return cv2.GaussianBlur(shadow, (0, 0), _SHADOW_BLUR * width)
