"""The recipes on layers: hands with coverage go through a config's own pipelines and network."""

from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.logging import MMLogger
from mmengine.registry import init_default_scope
from mmpose.models import build_pose_estimator
from helpers.packed_sample import packed_sample
from helpers.paths import ROOT

CONFIGS = ROOT / 'configs' / 'pmsdsnet'
LEAVES = sorted(CONFIGS.glob('*_layers-*.py'))


def test_lite_trains_on_layers_and_predicts() -> None:
    cfg = Config.fromfile(CONFIGS / 'pmsdsnet_lite_layers-128.py')
    cfg.model.data_preprocessor.backgrounds.update(num=4, size=48)
    init_default_scope('mmpose')
    MMLogger.get_current_instance().setLevel('ERROR')
    model = build_pose_estimator(cfg.model)
    model.init_weights()
    packed = [packed_sample(cfg.train_dataloader.dataset.pipeline, 4, i) for i in range(3)]
    assert {tuple(p['inputs'].shape) for p in packed} == {(4, 128, 128)}
    batch = model.data_preprocessor(pseudo_collate(packed), training=True)
    assert batch['inputs'].shape == (3, 3, 128, 128)
    total, _ = model.parse_losses(model(**batch, mode='loss'))
    assert total.isfinite()

    packed = [packed_sample(cfg.test_dataloader.dataset.pipeline, 4, i) for i in range(2)]
    with torch.no_grad():
        first, again = (model.eval().test_step(pseudo_collate(packed)) for _ in range(2))
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a.pred_instances.keypoints, b.pred_instances.keypoints)


@pytest.mark.parametrize('path', LEAVES, ids=lambda p: p.stem)
def test_what_all_recipes_share(path: Path) -> None:
    cfg = Config.fromfile(path)
    assert cfg.model.data_preprocessor.type == 'HandCompositor'
    assert {cfg[f'{s}_dataloader'].dataset.data_root for s in ('train', 'val', 'test')} == {'data/synthetic/layers/'}
    assert cfg.train_dataloader.sampler.type == 'FixedEpochSampler'
    assert cfg.default_hooks.ema.type == 'EMAHook'
    # the cosine ends where the training does, whatever train_cfg.max_epochs says
    assert [s.type for s in cfg.param_scheduler if 'end' not in s] == ['CosineAnnealingLR']
    # the compositor changes colours, on the device; and logits are decoded as what the loss takes them for
    assert 'PhotometricDistortion' not in {t.type for t in cfg.train_dataloader.dataset.pipeline}
    assert cfg.model.head.decoder.logits is (cfg.model.head.loss.type == 'SoftmaxHeatmapLoss')
    width, size = cfg.model.head.decoder.input_size[0], cfg.model.data_preprocessor.backgrounds.size
    assert size >= width


def test_there_are_recipes() -> None:
    names = ('lite_layers-128', '3stage_layers-256', '3stage-mse_layers-256', 'strong_layers-256')
    assert {p.stem for p in LEAVES} >= {f'pmsdsnet_{name}' for name in names}
