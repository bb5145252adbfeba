"""HTT on a video while it runs: poses and objects frame by frame, and the action so far."""

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor

from handkp_plugins.models.pose_estimators import HTT
from handkp_plugins.structures.images import check_image


@dataclass(frozen=True)
class StreamedFrame:
    """What is known of a frame.

    Letters: J joints, n_o objects.

    Args:
        frame: Index of the frame in the video, from 0.
        keypoints: (J, 2) in pixels of the image.
        keypoints_3d: (J, 3) in metres, in the camera's frame.
        object_scores: (n_o,) probabilities.
        final: Whether no later frame changes it.
    """

    frame: int
    keypoints: np.ndarray
    keypoints_3d: np.ndarray
    object_scores: np.ndarray
    final: bool


@dataclass
class _Phase:
    """Every s-th frame of the video. ``features`` are of the window so far, ``fused`` of its clip before it."""

    frames: list[int]
    features: list[Tensor]
    fused: list[Tensor]
    past: np.ndarray | float = 0.0  # summed probabilities of the actions of whole clips
    now: np.ndarray | float = 0.0  # those of the clip so far


class ClipStream:
    """Feeds a video to a network frame by frame; at its end the results are those of a test on the whole video.

    The backbone runs once per frame. The s phases of the video (frames n, n + s, …) are separate streams. A window of t
    frames is encoded again with each new frame, so its results are provisional until it is full: after t·s frames of
    the video, 1.1 s at 30 frames a second. Block A reads the frames of the clip so far. After T frames of a phase a new
    clip starts, and the probabilities of the clips are summed.

    Args:
        model: The network, in evaluation mode.
        camera: (3, 3) pinhole matrix of the video's images.
        clip_length: T.
        spacing: s.
    """

    def __init__(self, model: HTT, camera: np.ndarray, clip_length: int = 128, spacing: int = 2) -> None:
        if np.shape(camera) != (3, 3):
            raise ValueError(f'camera: expected intrinsics of shape (3, 3), got shape {np.shape(camera)}')
        if clip_length < model.head.window:
            raise ValueError(f'clip_length: expected {model.head.window} or more, the window, got {clip_length}')
        if spacing < 1:
            raise ValueError(f'spacing: expected an integer from 1, got {spacing}')
        self.model = model
        self.camera = np.asarray(camera, np.float32)
        self.clip_length = clip_length
        self.spacing = spacing
        self.count = 0
        self._phases = [_Phase([], [], []) for _ in range(spacing)]

    @property
    def action_scores(self) -> np.ndarray:
        """Mean probabilities (n_a,) of the actions so far; NaN before the first frame."""
        total = sum(phase.past + phase.now for phase in self._phases)
        return np.asarray(total / np.sum(total) if self.count else np.full(self.model.head.num_actions, np.nan))

    @torch.no_grad()
    def push(self, image: np.ndarray) -> list[StreamedFrame]:
        """The video's next image (BGR, uint8, [H, W, 3]) → the frames of its window, up to this one."""
        check_image(image)
        phase = self._phases[self.count % self.spacing]
        phase.frames.append(self.count)
        phase.features.append(self._feature(image))
        self.count += 1
        head = self.model.head
        tokens = head.pose_block(torch.stack(phase.features, 1))  # (1, window so far, d)
        pose, objects, fused = head.read_frames(tokens)
        clip = torch.cat([*phase.fused, fused], 1)  # (1, clip so far, d)
        valid = torch.ones(clip.shape[:2], dtype=torch.bool, device=clip.device)
        phase.now = head.read_clip(clip, valid)[0].float().softmax(-1).cpu().numpy()
        whole_clip = clip.shape[1] == self.clip_length
        final = len(phase.frames) == head.window or whole_clip
        results = self._results(phase.frames, pose, objects, image.shape[1::-1], final)
        if final:
            phase.frames, phase.features = [], []
            phase.fused = [*phase.fused, fused]
        if whole_clip:
            phase.fused, phase.past, phase.now = [], phase.past + phase.now, 0.0
        return results

    def _feature(self, image: np.ndarray) -> Tensor:
        """(1, d)."""
        size = self.model.head.decoder.input_size
        shrinks = image.shape[1] > size[0]
        if image.shape[1::-1] != size:
            image = cv2.resize(image, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
        rgb = np.ascontiguousarray(image[..., ::-1].transpose(2, 0, 1))
        device = self.model.head.action_token.device
        inputs = torch.from_numpy(rgb).to(device)[None, None].float() / 255 - 0.5  # (1, 1, 3, H, W)
        return self.model.extract_feat(inputs, torch.ones(1, 1, dtype=torch.bool))[:, 0]

    def _results(
        self, frames: list[int], pose: Tensor, objects: Tensor, size: tuple[int, int], final: bool
    ) -> list[StreamedFrame]:
        decoder = self.model.head.decoder
        ratio = np.divide(decoder.input_size, size)
        camera = torch.from_numpy(self.camera * [[ratio[0]], [ratio[1]], [1]]).to(pose)
        pixels = decoder.to_pixels(pose[0], camera)  # (window so far, J, 3)
        points = decoder.to_points(pixels, camera).cpu().numpy()
        scores = objects[0].float().softmax(-1).cpu().numpy()
        places = pixels[..., :2].cpu().numpy() / ratio
        return [StreamedFrame(*fields, final) for fields in zip(frames, places, points, scores, strict=True)]
