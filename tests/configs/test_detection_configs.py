"""Configs of detectors: each is complete, and its network trains and finds boxes with the project's tools."""

import json
import shutil
from pathlib import Path

import mmpose
import numpy as np
import pytest
import torch
from helpers.detection_set import CONFIGS, detector_config, options_for, write_scenes
from mmengine.config import Config
from mmengine.registry import DefaultScope

from handkp_plugins.apis.detection import build_detector, init_detector
from handkp_plugins.cli import train_test as cli
from handkp_plugins.datasets.checks.dataset_files import check_dataset_files
from handkp_plugins.engine.config import load_config

LEAVES = sorted(CONFIGS.glob('*.py'))
MMPOSES = Path(mmpose.__file__).parent / '.mim' / 'demo' / 'mmdetection_cfg' / 'rtmdet_nano_320-8xb32_hand.py'


@pytest.fixture(scope='module')
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_scenes(tmp_path_factory.mktemp('sets') / 'scenes')


@pytest.fixture(autouse=True)
def in_scope_of_mmpose():
    with DefaultScope.overwrite_default_scope('mmpose'):
        yield


def innermost(dataset: dict) -> list[dict]:
    """The datasets that read files: one, or those that are repeated or joined."""
    inner = dataset.get('datasets') or [dataset[key] for key in ('dataset',) if key in dataset]
    return [leaf for item in inner for leaf in innermost(item)] if inner else [dataset]


@pytest.mark.parametrize('path', LEAVES, ids=lambda p: p.stem)
def test_leaf_is_complete(path: Path):
    cfg = load_config(path)
    assert (cfg.default_scope, cfg.runner_type) == ('mmdet', 'mmpose.HandRunner')
    assert cfg.model.bbox_head.num_classes == 1
    for split in ('train', 'val', 'test'):
        for dataset in innermost(cfg[f'{split}_dataloader'].dataset):
            assert dataset.metainfo.classes == ('hand',) and dataset.pipeline[-1].type == 'PackDetInputs'
    for dataset in innermost(cfg.train_dataloader.dataset):
        # images without a hand are negative examples; a broken file is skipped and counted
        assert dataset.filter_cfg.filter_empty_gt is False
        assert dataset.pipeline[0].type == 'mmpose.LoadHandImage'
        assert 'unreadable_images' in dataset.pipeline[-1].meta_keys
    for split in ('val', 'test'):
        dataset = cfg[f'{split}_dataloader'].dataset
        evaluator = cfg[f'{split}_evaluator']
        average_precision = evaluator[0] if isinstance(evaluator, list) else evaluator
        assert average_precision.ann_file == dataset.data_root + dataset.ann_file


def test_the_nano_network_is_that_of_mmposes_hand_detector():
    ours = build_detector(load_config(CONFIGS / 'rtmdet_nano_320_scenes.py'), 'cpu')
    theirs = build_detector(Config.fromfile(MMPOSES), 'cpu')
    shapes = [{k: tuple(v.shape) for k, v in m.state_dict().items()} for m in (ours, theirs)]
    assert shapes[0] == shapes[1]
    image = torch.rand(1, 3, 64, 64)
    theirs.load_state_dict(ours.state_dict())
    for a, b in zip(ours(image), theirs(image), strict=True):
        torch.testing.assert_close(a, b)
    for name in ('data_preprocessor', 'test_cfg'):
        pair = [Config.fromfile(p).model[name] for p in (CONFIGS / 'rtmdet_nano_320_scenes.py', MMPOSES)]
        ours_only = dict(nms=None, batch_augments=None)  # the threshold of suppression is chosen for hands
        assert {**pair[0]} | ours_only == {**pair[1]} | ours_only


@pytest.mark.parametrize('name', sorted(p.stem for p in CONFIGS.glob('*_scenes.py')))
def test_training_reaches_every_parameter(name: str, scenes: Path, tmp_path: Path):
    cfg = detector_config(name, scenes)
    cfg.work_dir = str(tmp_path)
    runner = cli.build_runner(cfg)
    loader = runner.build_dataloader(cfg.train_dataloader)
    with DefaultScope.overwrite_default_scope('mmdet'):
        batch = runner.model.data_preprocessor(next(iter(loader)), training=True)
        losses, _ = runner.model.parse_losses(runner.model(**batch, mode='loss'))
    losses.backward()
    assert losses.isfinite()
    assert [n for n, p in runner.model.named_parameters() if p.grad is None] == []


def test_training_test_and_use_by_the_projects_tools(scenes: Path, tmp_path: Path):
    """Mixed precision, a truncated image, validation, a checkpoint, images of the test and the demo's detector."""
    folder = tmp_path / 'set'
    shutil.copytree(scenes, folder)
    train = json.loads((folder / 'annotations' / 'train.json').read_text())
    broken = folder / train['images'][0]['file_name']
    broken.write_bytes(broken.read_bytes()[:-200])
    config = str(CONFIGS / 'rtmdet_nano_320_scenes.py')
    options = options_for(folder) | {'default_hooks.unreadable_images.max_share': 0.5}
    options['model.test_cfg.score_thr'] = 0.0  # after four steps no box is sure
    options = ['--cfg-options', *(f'{key}={value}' for key, value in options.items())]

    arguments = [config, '--amp', '--work-dir', str(tmp_path / 'work'), *options]
    runner = cli.build_runner(cli.train_config(cli.train_parser().parse_args(arguments)))
    runner.train()
    assert type(runner.optim_wrapper).__name__ == 'HandAmpOptimWrapper'
    assert runner.message_hub.get_info('best_score') >= 0
    (hook,) = [hook for hook in runner.hooks if type(hook).__name__ == 'UnreadableImageHook']
    assert list(hook.unreadable) == [str(broken)]

    checkpoint, show = tmp_path / 'work' / 'epoch_2.pth', tmp_path / 'pictures'
    arguments = [config, str(checkpoint), '--work-dir', str(tmp_path / 'test'), '--show-dir', str(show), *options]
    # the test split is an image without a hand
    arguments += [
        'test_dataloader.dataset.ann_file=annotations/val.json',
        f'test_evaluator.ann_file={folder}/annotations/val.json',
    ]
    metrics = cli.build_runner(cli.test_config(cli.test_parser().parse_args(arguments))).test()
    assert 0 <= metrics['coco/bbox_mAP_50'] <= 1
    assert len(list(show.rglob('*.jpg'))) == 1

    unsure = load_config(config, {'model.test_cfg.score_thr': 0.0})
    detect = init_detector(unsure, checkpoint, 'cpu', score_thr=0.0)
    found = detect(np.zeros((90, 120, 3), np.uint8))
    assert found.boxes.shape == (len(found.scores), 4)
    assert (found.boxes >= 0).all() and (found.boxes <= [120, 90, 120, 90]).all()


def test_boxes_of_other_names_are_refused_by_file(scenes: Path):
    cfg = load_config(CONFIGS / 'rtmdet_nano_320_scenes.py', options_for(scenes))
    cfg.train_dataloader.dataset.metainfo = dict(classes=('palm',))
    with (
        DefaultScope.overwrite_default_scope('mmdet'),
        pytest.raises(ValueError, match='train.json: expected categories of which one is named palm, got hand'),
    ):
        check_dataset_files(cfg.train_dataloader.dataset)


def test_a_misspelt_option_of_a_detector_is_refused():
    with pytest.raises(ValueError, match='deepen_factr: no config knows this key; the nearest is .*deepen_factor'):
        load_config(CONFIGS / 'rtmdet_nano_320_scenes.py', {'model.backbone.deepen_factr': 0.5})
