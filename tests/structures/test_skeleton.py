"""Keypoint names, bones and joint orders against MMPose's own data set descriptions."""

from pathlib import Path

import mmpose
import numpy as np
import pytest
from mmengine.config import Config
from mmpose.datasets.datasets.utils import parse_pose_metainfo

from handkp_plugins.structures import skeleton as sk

MMPOSE_DATASETS = Path(mmpose.__file__).parent / '.mim/configs/_base_/datasets'


def mmpose_info(name: str) -> dict:
    return Config.fromfile(MMPOSE_DATASETS / f'{name}.py').dataset_info


def test_equals_mmpose_onehand10k():
    ours, theirs = parse_pose_metainfo(sk.HAND_METAINFO), parse_pose_metainfo(dict(mmpose_info('onehand10k')))
    for key in ('keypoint_id2name', 'skeleton_links', 'flip_indices', 'num_keypoints'):
        assert ours[key] == theirs[key], key
    for key in ('keypoint_colors', 'skeleton_link_colors', 'dataset_keypoint_weights'):
        assert np.array_equal(ours[key], theirs[key]), key


@pytest.mark.parametrize(
    'ours, theirs',
    [('rhd', 'rhd2d'), ('interhand', 'interhand2d'), ('freihand', 'freihand2d'), ('panoptic', 'panoptic_hand2d')],
)
def test_joint_orders_match_mmpose_names(ours, theirs):
    info = mmpose_info(theirs)['keypoint_info']
    names = [info[i]['name'] for i in range(21)]
    assert [names[i] for i in sk.JOINT_ORDERS[ours]] == sk.KEYPOINT_NAMES


def test_stb_runs_from_the_little_finger_to_the_thumb():
    stb = ['wrist'] + [sk.KEYPOINT_NAMES[i] for ids in reversed(sk.FINGER_KEYPOINTS.values()) for i in ids]
    assert [stb[i] for i in sk.JOINT_ORDERS['stb']] == sk.KEYPOINT_NAMES


def test_each_keypoint_but_the_wrist_ends_one_bone():
    assert len(sk.BONES) == 20 and [b for _, b in sk.BONES] == list(range(1, 21))
    assert sk.BONES[3] == (3, 4) and sk.BONES[4] == (0, 5)


def test_to_our_order_says_what_is_wrong():
    with pytest.raises(ValueError, match="dataset: expected one of .* got 'coco'"):
        sk.to_our_order(np.zeros((21, 2)), 'coco')
    with pytest.raises(ValueError, match=r'got \(20, 2\)'):
        sk.to_our_order(np.zeros((20, 2)), 'rhd')
