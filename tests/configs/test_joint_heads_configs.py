"""Options of the joint heads' configs that their README names."""

import pytest
import torch
from helpers.paths import ROOT
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS

from handkp_plugins.engine.config import load_config

CONFIGS = ROOT / 'configs' / 'joint_heads'


@pytest.mark.parametrize(('options', 'stride'), [({}, 16), (dict(strides=(1, 2, 1), dilations=(1, 1, 2)), 8)])
def test_stride_of_the_encoder(options: dict, stride: int) -> None:
    options = {f'model.backbone.{key}': value for key, value in options.items()}
    cfg = load_config(CONFIGS / 'joint_heads_pixel-r18_rhd.py', options)
    init_default_scope('mmpose')
    backbone, head = MODELS.build(dict(cfg.model.backbone, init_cfg=None)), MODELS.build(cfg.model.head)
    feats = backbone(torch.zeros(2, 3, 128, 128))
    assert [tuple(f.shape) for f in feats] == [(2, 256, 128 // stride, 128 // stride)]
    assert head(feats).shape == (2, 21, 128, 128)


def test_the_papers_numbers() -> None:
    configs = {head: load_config(CONFIGS / f'joint_heads_{head}_rhd.py') for head in ('fc', 'pixel', 'scoremap')}
    assert all(cfg.model.backbone.depth == 152 for cfg in configs.values())
    assert configs['fc'].model.head.in_channels == 32768
    assert configs['pixel'].model.head.decoder.radius == 16
    assert configs['scoremap'].model.head.decoder.variance == 100
    for cfg in configs.values():
        assert cfg.optim_wrapper.optimizer == dict(type='RMSprop', lr=1e-4)
        loader = cfg.train_dataloader
        assert loader.batch_size == 32
        assert loader.sampler.samples_per_epoch // 32 * cfg.train_cfg.max_epochs == 120000
        assert {'type': 'PixelMSE'} in cfg.test_evaluator


def test_numbers_of_the_pipelines_steps() -> None:
    """The README turns and centres by them."""
    for name, first in (('rhd', 2), ('synthetic', 1)):
        steps = load_config(CONFIGS / f'joint_heads_fc_{name}.py').train_dataloader.dataset.pipeline
        assert [step.type for step in steps[first : first + 2]] == ['MarginCrop', 'RandomBBoxTransform']
