"""A miniature OneHand10K."""

import json
from pathlib import Path

import cv2
import numpy as np


def write_mini_coco(root: Path, num_images: int = 4, size: int = 64, seed: int = 0, num_keypoints: int = 21) -> Path:
    """Write ``root/images/*.jpg`` and ``root/ann.json`` in OneHand10K's COCO format; returns the JSON's path.

    Each image shows one dot per keypoint, so that a network has something to find.
    """
    rng = np.random.default_rng(seed)
    (root / 'images').mkdir(parents=True, exist_ok=True)
    images, annotations = [], []
    for i in range(num_images):
        points = rng.uniform(0.15, 0.85, (num_keypoints, 2)) * size
        image = rng.integers(0, 60, (size, size, 3), dtype=np.uint8)
        for k, (x, y) in enumerate(points):
            cv2.circle(image, (int(x), int(y)), 2, (int(40 + 9 * k) % 256, 255 - 8 * k, 200), -1)
        name = f'images/{i:04d}.jpg'
        cv2.imwrite(str(root / name), image)
        low, high = points.min(0) - 2, points.max(0) + 2
        keypoints = np.concatenate([points, np.ones((num_keypoints, 1))], 1)
        images.append(dict(id=i, file_name=name, width=size, height=size))
        annotations.append(
            dict(
                id=i,
                image_id=i,
                category_id=1,
                iscrowd=0,
                keypoints=keypoints.reshape(-1).round(3).tolist(),
                bbox=[*low.tolist(), *(high - low).tolist()],
                area=float(np.prod(high - low)),
                num_keypoints=num_keypoints,
            )
        )
    path = root / 'ann.json'
    path.write_text(
        json.dumps(
            dict(images=images, annotations=annotations, categories=[dict(id=1, name='hand', supercategory='hand')])
        )
    )
    return path
