"""Every leaf config, found in the folders: it is short, its parts build, its network trains a step and predicts."""

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.leaf_configs import LEAVES, build, load_leaf, shrink
from helpers.packed_sample import packed_sample
from helpers.paths import CONFIGS
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import DATASETS, METRICS, TRANSFORMS, DefaultScope
from torch import nn

from handkp_plugins.apis.detection import build_detector
from handkp_plugins.apis.rotation import rotated_pipeline
from handkp_plugins.models.tta import RotationTTA

PMSDSNET = CONFIGS / 'pmsdsnet'
SPLITS = ('train', 'val', 'test')
each_leaf = pytest.mark.parametrize('path', LEAVES, ids=lambda path: path.stem)
_done: dict[tuple[str, ...], Path] = {}


def already_done(check: str, network: str, path: Path) -> bool:
    """Whether a check ran for another leaf with the same network, so that this one would show nothing new."""
    return _done.setdefault((check, network), path) != path


def network_of(cfg: Config) -> str:
    """What makes the network; weights of losses change neither shapes nor gradients."""
    head = {key: value for key, value in cfg.model.head.items() if key not in ('alpha', 'loss')}
    return str((cfg.model.backbone, cfg.model.get('neck'), head))


@each_leaf
def test_leaf_is_short_and_its_parts_build(path: Path) -> None:
    lines = [line for line in path.read_text().splitlines() if line.strip() and not line.strip().startswith('#')]
    assert len(lines) <= 60
    cfg = load_leaf(path)
    assert cfg.runner_type.removeprefix('mmpose.') == 'HandRunner'
    with DefaultScope.overwrite_default_scope(cfg.default_scope):
        for split in SPLITS:
            loader = cfg[f'{split}_dataloader']
            name = loader.dataset.type
            assert DATASETS.get(name if '.' in name else f'{cfg.default_scope}.{name}') is not None
            assert all(TRANSFORMS.build(step) for step in loader.dataset.get('pipeline', ()))
            assert loader.dataset.get('test_mode', False) is (split != 'train')
        for split in ('val', 'test'):
            assert cfg[f'{split}_dataloader'].sampler.round_up is False
            if cfg.default_scope == 'mmpose':  # CocoMetric reads its annotation file when it is built
                cfg.metrics = {type(METRICS.build(m)).__name__ for m in cfg[f'{split}_evaluator']}
    if cfg.default_scope == 'mmdet':
        assert build_detector(copy.deepcopy(cfg), 'cpu')
    elif cfg.model.type in ('GestureNet', 'HTT') or path.parent.name == 'hamuco':  # see their own files
        assert build(cfg)
    else:
        assert cfg.metrics >= {'PCKAccuracy', 'AUC', 'EPE', 'PixelPCK', 'MPJPEAtThreshold'}
        check_codec(cfg)
        if not already_done('output size', network_of(cfg), path):
            check_output_size(cfg)


def check_codec(cfg: Config) -> None:
    """Pipelines and head agree on input size and codec."""
    codec = cfg.model.head.decoder
    pipelines = [cfg[f'{split}_dataloader'].dataset.pipeline for split in SPLITS]
    assert all(pipeline[-1].type == 'PackHandInputs' for pipeline in pipelines)
    assert [t.input_size for p in pipelines for t in p if t.type.endswith('TopdownAffine')] == [codec.input_size] * 3
    assert [t.encoder for t in pipelines[0] if t.type == 'GenerateTarget'] == [codec]


def check_output_size(cfg: Config) -> None:
    """At the config's own input size, by shapes alone."""
    with torch.device('meta'), torch.no_grad():
        model = build(cfg).eval()
        width, height = model.head.decoder.input_size
        output = model._forward(torch.empty(1, 3, height, width))
    if cfg.model.head.type == 'AmpRegressionHead':
        assert output.shape == (1, 21, 2)
    else:
        assert model.head._check_maps(output).shape == (1, 21, *model.head.decoder.heatmap_size[::-1])


@pytest.mark.parametrize(
    'path', [p for p in LEAVES if p.parent.name not in ('hand_detection', 'htt', 'hamuco')], ids=lambda path: path.stem
)  # these train in test_detection_configs.py, test_htt_configs.py and test_hamuco_configs.py
def test_network_trains_and_predicts(path: Path) -> None:
    cfg = copy.deepcopy(load_leaf(path))
    if cfg.model.type == 'GestureNet':
        model = build(cfg)
        batch = dict(inputs=torch.randn(4, 21, 2), labels=torch.arange(4))
        check_training_step(model, model.data_preprocessor(batch, training=True), {'loss', 'accuracy'})
        return
    train, test = (cfg[f'{split}_dataloader'].dataset.pipeline for split in ('train', 'test'))
    parts = cfg.model.data_preprocessor, cfg.model.head.loss, train, test
    if already_done('training', network_of(cfg) + str(parts), path):
        return
    shrink(cfg)
    channels = 4 if cfg.model.data_preprocessor.type == 'HandCompositor' else 3
    model = build(cfg)
    model.init_weights()
    packed = [packed_sample(train, channels, i) for i in range(2)]
    batch = model.data_preprocessor(pseudo_collate(packed), training=True)
    backbone, head = cfg.model.backbone, cfg.model.head.type
    stacks = range(1, backbone.get('num_stacks', backbone.get('num_stages'))) if head == 'StackedMapHead' else ()
    supervised = head == 'DeepSupervisionHead' and backbone.get('deep_supervision', True)
    others = {'loss_ds'} if supervised else {f'loss_stack{i}' for i in stacks}
    check_training_step(model, batch, {'loss_kpt', 'acc_pose'} | others)

    model.eval()
    views, use_udp = rotated_pipeline(test)
    with torch.no_grad():
        results = model.test_step(pseudo_collate([packed_sample(test, channels)] * 2))
        results += RotationTTA(model, use_udp).test_step(pseudo_collate([packed_sample(views, channels)]))
    for result in results:
        assert result.pred_instances.keypoints.shape == (1, 21, 2)
        assert np.isfinite(result.pred_instances.keypoints).all()
        assert ((result.pred_instances.keypoint_scores >= 0) & (result.pred_instances.keypoint_scores <= 1)).all()
    np.testing.assert_allclose(*(result.pred_instances.keypoints for result in results[:2]), atol=1e-3)


def check_training_step(model: nn.Module, batch: dict, names: set[str]) -> None:
    """Losses of these names, finite, and a gradient for every parameter."""
    losses = model(**batch, mode='loss')
    assert set(losses) == names
    total, _ = model.parse_losses(losses)
    total.backward()
    assert total.isfinite()
    assert [n for n, p in model.named_parameters() if p.grad is None or not p.grad.isfinite().all()] == []


@pytest.mark.parametrize(('stages', 'published'), [(3, 2.8e6), (6, 5.0e6)])
def test_published_number_of_parameters(stages: int, published: float) -> None:
    paths = [path for path in PMSDSNET.glob(f'pmsdsnet_{stages}stage_*.py') if 'layers' not in path.stem]
    (backbone,) = {str(load_leaf(path).model.backbone) for path in paths}
    assert len(paths) >= 4 and f"'num_stages': {stages}" in backbone
    with torch.device('meta'):
        assert sum(p.numel() for p in build(load_leaf(paths[0])).parameters()) == pytest.approx(published, rel=0.02)


def test_knobs_of_the_ablations() -> None:
    def model_of(stem: str) -> Config:
        return load_leaf(PMSDSNET / f'{stem}.py').model

    assert model_of('pmsdsnet_3stage_panoptic').head.alpha == 0.5
    assert [model_of(f'pmsdsnet_3stage-alpha{a}_onehand10k').head.alpha for a in ('0.5', '1', '2')] == [0.5, 1, 2]
    assert [model_of(f'pmsdsnet_3stage-{f}_onehand10k').backbone.fusion for f in ('up', 'down')] == ['up', 'down']
    assert model_of('pmsdsnet_3stage-no-supervision_onehand10k').backbone.deep_supervision is False


@pytest.mark.parametrize('path', sorted(PMSDSNET.glob('*_layers-*.py')), ids=lambda path: path.stem)
def test_recipes_with_composited_backgrounds(path: Path) -> None:
    cfg = load_leaf(path)
    assert cfg.model.data_preprocessor.type == 'HandCompositor'
    assert {cfg[f'{s}_dataloader'].dataset.data_root for s in SPLITS} == {'data/synthetic/layers/'}
    assert cfg.train_dataloader.sampler.type == 'FixedEpochSampler'
    assert cfg.default_hooks.ema.type == 'EMAHook'
    # the cosine ends with the training, for any train_cfg.max_epochs
    assert [s.type for s in cfg.param_scheduler if 'end' not in s] == ['CosineAnnealingLR']
    # the compositor changes colours on the device; logits are decoded as the loss expects
    assert 'PhotometricDistortion' not in {t.type for t in cfg.train_dataloader.dataset.pipeline}
    assert cfg.model.head.decoder.logits is (cfg.model.head.loss.type == 'SoftmaxHeatmapLoss')
    assert cfg.model.data_preprocessor.backgrounds.size >= cfg.model.head.decoder.input_size[0]
