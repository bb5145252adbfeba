"""MMPose's own programs take this project's configs and checkpoints as they are."""

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import cv2
import mmpose
import numpy as np
import pytest
import torch
from helpers.mini_coco import write_mini_coco
from helpers.paths import ROOT
from mmengine.config import Config
from mmengine.registry import DefaultScope
from torchvision.ops import box_iou

from handkp_plugins.cli import train_test as cli
from handkp_plugins.engine.config import load_config
from handkp_plugins.synthetic.hand.model import ProceduralHand
from handkp_plugins.synthetic.scenes.multi_hand import SceneMaker, SceneSample
from handkp_plugins.visualization.video import VideoFile

CONFIG = ROOT / 'configs' / 'pmsdsnet' / 'pmsdsnet_lite_synthetic-128.py'
DEMO = Path(mmpose.__file__).parent / '.mim' / 'demo'
LITE = ROOT / 'configs' / 'pmsdsnet' / 'pmsdsnet_lite_layers-128.py'
OUR_DETECTOR = ROOT / 'configs' / 'hand_detection' / 'rtmdet_nano_320_scenes.py'
HAND_DETECTOR = DEMO / 'mmdetection_cfg' / 'rtmdet_nano_320-8xb32_hand.py'


@pytest.fixture(scope='module')
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A checkpoint of a real training by one of the shipped configs."""
    folder = tmp_path_factory.mktemp('compat')
    write_mini_coco(folder, num_images=2, size=128)
    cfg = load_config(
        CONFIG,
        {
            'train_dataloader.dataset.type': 'OneHand10KDataset',
            'train_dataloader.dataset.data_root': str(folder),
            'train_dataloader.dataset.ann_file': 'ann.json',
            'train_dataloader.batch_size': 2,
            'train_dataloader.num_workers': 0,
            'train_dataloader.persistent_workers': False,
            'train_cfg.max_epochs': 1,
            'log_level': 'WARNING',
            'experiment_name': 'compat',
        },
    )
    cfg.update(work_dir=str(folder), val_cfg=None, val_dataloader=None, val_evaluator=None)
    cli.build_runner(cfg).train()
    return str(folder / 'epoch_1.pth')


@pytest.fixture
def image(tmp_path: Path) -> str:
    path = tmp_path / 'hand.jpg'
    cv2.imwrite(str(path), np.random.default_rng(0).integers(0, 255, (90, 120, 3), dtype=np.uint8))
    return str(path)


@pytest.fixture(scope='module')
def detector(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A checkpoint of MMPose's hand detector, untrained but sure of itself: it finds something everywhere."""
    from mmdet.registry import MODELS
    from mmdet.utils import register_all_modules

    with DefaultScope.overwrite_default_scope('mmdet'):
        register_all_modules(init_default_scope=False)
        model = MODELS.build(Config.fromfile(HAND_DETECTOR).model)
    for scores, sides in zip(model.bbox_head.rtm_cls, model.bbox_head.rtm_reg, strict=True):
        torch.nn.init.constant_(scores.bias, 2.0)
        torch.nn.init.zeros_(sides.weight)  # boxes of two strides, so that none is the whole image
        torch.nn.init.ones_(sides.bias)
    path = tmp_path_factory.mktemp('detector') / 'detector.pth'
    torch.save(dict(state_dict=model.state_dict(), meta=dict(dataset_meta=dict(classes=('hand',)))), path)
    return str(path)


@pytest.mark.parametrize('detect', [False, True])
def test_inferencer(checkpoint: str, detector: str, image: str, tmp_path: Path, detect: bool):
    from mmpose.apis import MMPoseInferencer

    det = dict(det_model=str(HAND_DETECTOR), det_weights=detector, det_cat_ids=(0,)) if detect else {}
    inferencer = MMPoseInferencer(
        pose2d=str(CONFIG), pose2d_weights=checkpoint, device='cpu', **{'det_model': 'whole_image', **det}
    )
    (result,) = inferencer(image, out_dir=str(tmp_path / 'out'), bbox_thr=0.3)
    hands = result['predictions'][0]
    whole_image = [hand for hand in hands if np.allclose(hand['bbox'], [0, 0, 120, 90])]
    assert len(hands) >= 1
    assert whole_image == ([] if detect else hands), [hand['bbox'] for hand in hands]
    for hand in hands:
        assert np.shape(hand['keypoints']) == (21, 2)
        assert np.isfinite(hand['keypoints']).all()
    assert cv2.imread(str(tmp_path / 'out' / 'visualizations' / 'hand.jpg')).shape == (90, 120, 3)


class Scene(NamedTuple):
    """A picture with one large hand, its box (x1, y1, x2, y2), and a video in which it goes to the right."""

    picture: str
    box: np.ndarray
    video: str


@pytest.fixture(scope='module')
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    folder, maker = tmp_path_factory.mktemp('scene'), SceneMaker(size=320, models=[ProceduralHand()], alone=True)
    sample = next(s for s in (maker.make(0, i) for i in range(100)) if _one_large_hand(s))
    x, y, width, height = sample.annotations[0]['bbox']
    picture = sample.image[..., ::-1]
    cv2.imwrite(str(folder / 'hand.jpg'), picture)
    with VideoFile(folder / 'hand.mp4', fps=25) as video:
        for shift in range(0, 9, 4):
            video.append(np.roll(picture, shift, axis=1))
    return Scene(str(folder / 'hand.jpg'), np.array([x, y, x + width, y + height]), str(folder / 'hand.mp4'))


def _one_large_hand(sample: SceneSample) -> bool:
    return len(sample.annotations) == 1 and 1e4 < sample.annotations[0]['area'] < 4e4


def run_demo(name: str, *arguments: str | Path) -> None:
    """One of MMPose's programs, in this process: starting another takes ten seconds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, 'argv', [name, *map(str, arguments)])
        runpy.run_path(str(DEMO / name), run_name='__main__')


def lie_within(keypoints: list, box: np.ndarray) -> bool:
    """Whether most of 21 keypoints lie in a box, or near it."""
    points, margin = np.array(keypoints), 0.15 * (box[2:] - box[:2])
    return ((points >= box[:2] - margin) & (points <= box[2:] + margin)).all(1).mean() > 0.8


@pytest.mark.parametrize('kind', ['picture', 'video'])
def test_topdown_demo_with_our_detector(scene: Scene, tmp_path: Path, kind: str):
    """As in MMPose's 2d_hand_demo.md, but for the configs and checkpoints."""
    given = getattr(scene, kind)
    more = ['--draw-heatmap'] if kind == 'picture' else []
    run_demo(
        'topdown_demo_with_mmdet.py', OUR_DETECTOR, 'handkp://hand_detector', LITE, 'handkp://lite',
        '--device', 'cpu', '--input', given, '--output-root', tmp_path, '--save-predictions', *more)  # fmt: skip
    predictions = json.loads((tmp_path / 'results_hand.json').read_text())['instance_info']
    if kind == 'picture':
        assert cv2.imread(str(tmp_path / 'hand.jpg')) is not None
        assert any(lie_within(hand['keypoints'], scene.box) for hand in predictions)
        return
    assert [frame['frame_id'] for frame in predictions] == [1, 2, 3]
    for frame in predictions:
        assert any(lie_within(hand['keypoints'], scene.box + [4, 0, 4, 0]) for hand in frame['instances'])
    assert cv2.VideoCapture(str(tmp_path / 'hand.mp4')).get(cv2.CAP_PROP_FRAME_COUNT) == 3


@pytest.mark.parametrize('kind', ['picture', 'video'])
def test_inferencer_demo_with_our_detector(scene: Scene, tmp_path: Path, kind: str):
    run_demo(
        'inferencer_demo.py', getattr(scene, kind), '--pose2d', LITE, '--pose2d-weights', 'handkp://lite',
        '--det-model', OUR_DETECTOR, '--det-weights', 'handkp://hand_detector', '--det-cat-ids', '0',
        '--device', 'cpu', '--vis-out-dir', tmp_path / 'seen', '--pred-out-dir', tmp_path / 'found')  # fmt: skip
    found = json.loads((tmp_path / 'found' / 'hand.json').read_text())
    frames = [frame['instances'] for frame in found] if kind == 'video' else [found]
    assert len(frames) == (3 if kind == 'video' else 1)
    for hands in frames:
        assert any(lie_within(hand['keypoints'], scene.box + [4, 0, 4, 0]) for hand in hands)
        # the detector's box, and not the whole picture that MMPose takes where it knows no detector
        boxes = torch.tensor([hand['bbox'] for hand in hands]).reshape(-1, 4)
        assert box_iou(boxes, torch.from_numpy(scene.box)[None].float()).max() > 0.5
    assert any((tmp_path / 'seen').iterdir())


@pytest.mark.slow
def test_topdown_demo(checkpoint: str, detector: str, image: str, tmp_path: Path):
    command = [sys.executable, DEMO / 'topdown_demo_with_mmdet.py', HAND_DETECTOR, detector, CONFIG, checkpoint]
    command += ['--input', image, '--output-root', tmp_path / 'out', '--device', 'cpu', '--save-predictions']
    result = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, cwd=tmp_path, env=dict(os.environ, OMP_NUM_THREADS='1')
    )
    assert result.returncode == 0, result.stderr
    assert (tmp_path / 'out' / 'hand.jpg').is_file()
    predictions = json.loads((tmp_path / 'out' / 'results_hand.json').read_text())
    assert len(predictions['meta_info']['keypoint_id2name']) == 21
    assert len(predictions['instance_info']) > 0
    assert np.shape(predictions['instance_info'][0]['keypoints']) == (21, 2)
