"""Names, splits and COCO files of a generated set."""

from typing import Any

import numpy as np

from ..hand.skeleton import BONES, KEYPOINT_NAMES

SPLITS = {'train': 0.8, 'val': 0.1, 'test': 0.1}


def image_name(index: int) -> str:
    """File name of an image, relative to the set's folder."""
    return f'images/{index:06d}.jpg'


def split_of(num: int, seed: int) -> dict[str, list[int]]:
    """Indices of each split, sorted; drawn by the seed."""
    order = np.random.default_rng([seed, num]).permutation(num).tolist()
    val, test = (max(1, round(num * SPLITS[name])) for name in ('val', 'test'))
    parts = {'train': order[val + test :], 'val': order[:val], 'test': order[val : val + test]}
    return {name: sorted(ids) for name, ids in parts.items()}


def coco_document(records: list[dict[str, Any]], size: int, info: dict[str, Any]) -> dict[str, Any]:
    """A COCO keypoint file's contents from records of index, camera and annotation; pictures are square."""
    return {
        'info': info,
        'licenses': [],
        'categories': [
            {
                'id': 1,
                'name': 'hand',
                'supercategory': 'hand',
                'keypoints': KEYPOINT_NAMES,
                'skeleton': [[a + 1, b + 1] for a, b in BONES],
            }
        ],
        'images': [
            {
                'id': r['index'],
                'file_name': image_name(r['index']),
                'width': size,
                'height': size,
                'camera': r['camera'],
            }
            for r in records
        ],
        'annotations': [{'id': r['index'], 'image_id': r['index'], **r['annotation']} for r in records],
    }
