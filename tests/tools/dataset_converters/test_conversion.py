"""Records that all converters make."""

import json
from pathlib import Path

import numpy as np
import pytest
from conversion import Conversion


def test_record_equals_mmposes_own_panoptic_file(real_data: Path) -> None:
    folder = real_data / 'real_samples' / 'panoptic'
    theirs = json.loads((folder / 'test_panoptic.json').read_text())
    names = {image['id']: image['file_name'] for image in theirs['images']}
    assert len(theirs['annotations']) == 4
    for annotation in theirs['annotations']:
        keypoints = np.array(annotation['keypoints']).reshape(21, 3)
        image, ours = Conversion(folder).record(names[annotation['image_id']], keypoints)
        for key in ('bbox', 'center', 'area', 'keypoints', 'iscrowd', 'category_id'):
            assert ours[key] == pytest.approx(annotation[key]), key
        assert ours['segmentation'][0] == pytest.approx(annotation['segmentation'][0])
