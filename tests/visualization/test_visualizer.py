"""MMPose's visualizer draws what a trained network predicts."""

import numpy as np
import pytest
from helpers.paths import ROOT
from mmengine.config import Config
from mmengine.structures import InstanceData
from mmpose.datasets.datasets.utils import parse_pose_metainfo
from mmpose.registry import VISUALIZERS
from mmpose.structures import PoseDataSample

import handkp_plugins  # noqa: F401  registers the visualizer
from handkp_plugins.structures.skeleton import hand_metainfo

RUNTIME = ROOT / 'configs' / '_base_' / 'runtime.py'


@pytest.mark.parametrize('backend', ['opencv', 'matplotlib'])
def test_keypoints_that_a_network_is_sure_of_are_drawn(backend: str):
    config = dict(Config.fromfile(RUNTIME).visualizer, name=backend, vis_backends=[], backend=backend)
    visualizer = VISUALIZERS.build(config)
    visualizer.set_dataset_meta(parse_pose_metainfo(hand_metainfo('a_test')))
    hand = InstanceData(keypoints=np.full((1, 21, 2), 20.0), keypoint_scores=np.ones((1, 21)))
    sample = PoseDataSample(pred_instances=hand)
    drawn = visualizer.add_datasample('a', np.zeros((40, 40, 3), np.uint8), sample, draw_gt=False, draw_bbox=False)
    assert drawn[20, 20].any() and not drawn[:8].any()
