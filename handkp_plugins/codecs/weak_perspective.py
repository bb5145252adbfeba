"""Keypoints in units of the image, and the camera that projects a hand there."""

import numpy as np
from mmpose.codecs.base import BaseKeypointCodec
from mmpose.registry import KEYPOINT_CODECS
from torch import Tensor


@KEYPOINT_CODECS.register_module()
class WeakPerspectiveLabel(BaseKeypointCodec):
    """Keypoints between −1 and 1, and a camera of weak perspective (HaMuCo; its code).

    A camera has a scale s ≥ 0 in 1/m and a shift t. With x, y of a joint in metres relative to the root, and the size S
    of the input in pixels::

        û = 2 s (x, y) + t        pixel = S (û + 1) / 2

    Letters: N hands, K keypoints.

    Args:
        input_size: [W, H] of the network's input, which is square: W = H = S.
    """

    label_mapping_table = dict(keypoint_labels='keypoint_labels', keypoint_weights='keypoint_weights')

    def __init__(self, input_size: tuple[int, int]) -> None:
        super().__init__()
        if len(input_size) != 2 or input_size[0] != input_size[1] or input_size[0] < 1:
            raise ValueError(f'input_size: expected [W, H] of a square in pixels, got {input_size}')
        self.input_size = (int(input_size[0]), int(input_size[1]))

    def encode(self, keypoints: np.ndarray, keypoints_visible: np.ndarray | None = None) -> dict[str, np.ndarray]:
        """Pixels (N, K, 2) and confidences (N, K), by default 1 → ``keypoint_labels`` û and ``keypoint_weights``.

        Keypoints outside the input keep their labels. A keypoint of weight 0 may have any coordinates.
        """
        weights = np.ones(keypoints.shape[:2]) if keypoints_visible is None else keypoints_visible
        if not ((weights >= 0) & (weights <= 1)).all():
            raise ValueError(
                f'keypoints_visible: expected confidences from 0 to 1, got {weights.min()}, {weights.max()}'
            )
        labels = np.where(weights[..., None] > 0, 2 * keypoints / self.input_size[0] - 1, 0)
        return dict(keypoint_labels=labels.astype(np.float32), keypoint_weights=weights.astype(np.float32))

    def decode(self, encoded: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """û (N, K, 2) → pixels (N, K, 2) of the input, and scores (N, K) of 1."""
        return (encoded + 1) / 2 * self.input_size[0], np.ones(encoded.shape[:2], np.float32)

    @staticmethod
    def project(points: Tensor, camera: Tensor) -> Tensor:
        """Points (…, K, 3) in metres relative to the root, cameras (…, 3) of scale and shift → û (…, K, 2)."""
        scale, shift = camera[..., None, :1], camera[..., None, 1:]
        return 2 * scale * points[..., :2] + shift
