"""The detector that ships: found by its address, by this project and by MMDetection, and it finds generated hands."""

import json
from pathlib import Path

import cv2
import numpy as np
import torch
from helpers.detection_set import CONFIGS
from helpers.tool_module import load_tool
from mmengine.registry import DefaultScope
from torchvision.ops import box_iou

from handkp_plugins.apis.detection import DEFAULT_DETECTOR, init_detector
from handkp_plugins.apps.demo.options import NetworkOptions
from handkp_plugins.engine.checkpoint.shipped import SCHEME, available, config_file, weights_file, weights_names
from handkp_plugins.synthetic.hand.model import ProceduralHand
from handkp_plugins.synthetic.scenes.multi_hand import SceneMaker

CONFIG, ADDRESS = CONFIGS / 'rtmdet_nano_320_photographs.py', f'{SCHEME}{DEFAULT_DETECTOR}'


def test_it_is_small_and_listed_as_a_detector():
    assert available()[DEFAULT_DETECTOR].stat().st_size < 3e6
    assert DEFAULT_DETECTOR in weights_names(detectors=True) and DEFAULT_DETECTOR not in weights_names(detectors=False)
    assert config_file(weights_file(ADDRESS)).resolve() == CONFIG


def test_mmdetection_loads_it_by_its_address():
    from mmdet.apis import init_detector as init_by_mmdetection

    with DefaultScope.overwrite_default_scope('mmdet'):
        theirs = init_by_mmdetection(str(CONFIG), ADDRESS, device='cpu')
    assert theirs.dataset_meta['classes'] == ('hand',)
    ours = init_detector(CONFIG, ADDRESS, 'cpu').model.state_dict()
    for key, value in theirs.state_dict().items():
        torch.testing.assert_close(value, ours[key])


def test_the_demo_takes_it_unasked(tmp_path: Path):
    sample = SceneMaker(size=320, models=[ProceduralHand()], alone=True).make(0, 8)  # a picture with one large hand
    cv2.imwrite(str(tmp_path / 'hand.png'), sample.image[..., ::-1])
    load_tool('demo').main(tmp_path / 'hand.png', output=tmp_path / 'out', networks=NetworkOptions(device='cpu'))
    document = json.loads((tmp_path / 'out' / 'keypoints.json').read_text())
    assert document['detector']['checkpoint'] == ADDRESS
    hands = torch.tensor([hand['bbox'] for hand in document['items'][0]['instances']]).reshape(-1, 4)
    label = torch.tensor([sample.annotations[0]['bbox']])
    hands[:, 2:] += hands[:, :2]
    label[:, 2:] += label[:, :2]
    assert box_iou(hands, label).max() > 0.5


def test_it_finds_generated_hands_and_little_else():
    """Hands that are not tiny, in scenes of another seed than those that it was trained and tested on."""
    detect, maker = init_detector(CONFIG, ADDRESS, 'cpu'), SceneMaker(size=320, models=[ProceduralHand()])
    best, boxes = [], 0
    for index in range(30):
        sample = maker.make(99, index)
        found = detect(np.ascontiguousarray(sample.image[..., ::-1]))
        boxes += len(found.boxes)
        labels = torch.tensor([a['bbox'] for a in sample.annotations if a['area'] > 40**2]).reshape(-1, 4)
        labels[:, 2:] += labels[:, :2]
        nothing = torch.zeros(len(labels), 1)
        overlaps = torch.cat([nothing, box_iou(labels, torch.from_numpy(found.boxes).reshape(-1, 4))], 1)
        best += overlaps.amax(1).tolist()
    assert len(best) > 15 and np.mean(np.array(best) > 0.5) > 0.8
    assert boxes < 3 * len(best)
