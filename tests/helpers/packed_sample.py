"""A sample as a config's own pipeline packs it."""

import numpy as np
from mmengine.dataset import Compose


def packed_sample(pipeline: list[dict], channels: int = 3, img_id: int = 0, size: tuple[int, int] = (90, 120)) -> dict:
    """A picture of noise, of H and W, with a hand's labels, through a pipeline from the image on."""
    rng = np.random.default_rng(img_id)
    return Compose(pipeline)(
        dict(
            img=rng.integers(0, 256, (*size, channels), dtype=np.uint8),
            img_id=img_id,
            img_shape=size,
            ori_shape=size,
            bbox=np.array([[20, 10, 90, 80]], np.float32),
            bbox_score=np.ones(1, np.float32),
            keypoints=rng.uniform(25, 75, (1, 21, 2)).astype(np.float32),
            keypoints_visible=np.ones((1, 21), np.float32),
            flip_indices=list(range(21)),
        )
    )
