"""Every leaf config: it parses, is short, its network trains one step and predicts, and it has its stated size."""

from functools import cache
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.logging import MMLogger
from mmengine.registry import init_default_scope
from mmpose.models import build_pose_estimator
from mmpose.registry import DATASETS, METRICS
from helpers.packed_sample import packed_sample
from torch import nn

from handkp_plugins.apis.rotation import rotated_pipeline
from handkp_plugins.models.tta import RotationTTA
from helpers.paths import ROOT

CONFIGS = ROOT / 'configs'
LEAVES = sorted(
    p
    for p in CONFIGS.glob('*/*.py')
    if p.parent.name not in ('_base_', 'hand_detection') and not p.stem.startswith('gesturenet')
)
"""Of keypoint networks; GestureNet's are trained in tests/tools/test_gesture_benchmark.py, detectors in
tests/test_detection_configs.py."""
NETWORKS = [CONFIGS / 'pmsdsnet' / f'{name}.py' for name in (
    'pmsdsnet_3stage_onehand10k', 'pmsdsnet_6stage_onehand10k', 'pmsdsnet_3stage-up_onehand10k',
    'pmsdsnet_3stage-down_onehand10k', 'pmsdsnet_3stage-no-supervision_onehand10k', 'pmsdsnet_lite_synthetic-128',
    'resnet18_synthetic-128')]  # fmt: skip
NETWORKS += sorted((CONFIGS / 'msahp').glob('*_synthetic.py')) + sorted((CONFIGS / 'joint_heads').glob('*-r18_*.py'))


def name(path: Path) -> str:
    return path.stem


@cache
def load(path: Path) -> Config:
    """A leaf, only to be looked at."""
    return Config.fromfile(path)


def build(cfg: Config) -> nn.Module:
    init_default_scope('mmpose')
    MMLogger.get_current_instance().setLevel('ERROR')
    return build_pose_estimator(cfg.model)


def test_there_are_configs() -> None:
    assert len(LEAVES) >= 16 and set(NETWORKS) <= set(LEAVES)


@pytest.mark.parametrize('path', LEAVES, ids=name)
def test_leaf_is_short_and_complete(path: Path) -> None:
    lines = [line for line in path.read_text().splitlines() if line.strip() and not line.strip().startswith('#')]
    assert len(lines) <= 60
    cfg = load(path)
    for split in ('train', 'val', 'test'):
        loader = cfg[f'{split}_dataloader']
        assert DATASETS.get(loader.dataset.type) is not None
        assert loader.dataset.pipeline[-1].type == 'PackHandInputs'
        assert loader.dataset.get('test_mode', False) is (split != 'train')
    for split in ('val', 'test'):
        assert cfg[f'{split}_dataloader'].sampler.round_up is False
        metrics = [METRICS.build(m) for m in cfg[f'{split}_evaluator']]
        assert {type(m).__name__ for m in metrics} >= {'PCKAccuracy', 'AUC', 'EPE', 'PixelPCK', 'MPJPEAtThreshold'}
    assert cfg.runner_type == 'HandRunner'


def test_maps_have_the_size_that_the_codec_takes_them_to_have() -> None:
    """By shapes alone, at each leaf's own input size; what only the data set tells apart is looked at once."""
    networks = {str(cfg.model): (cfg.model, path) for path in LEAVES for cfg in [load(path)]}
    for network, path in networks.values():
        with torch.device('meta'), torch.no_grad():
            model = build(Config(dict(model=network))).eval()
            width, height = model.head.decoder.input_size
            maps = model._forward(torch.empty(1, network.get('channels', 3), height, width))
        if network.head.type == 'AmpRegressionHead':
            assert maps.shape == (1, 21, 2), path
        else:
            assert model.head._check_maps(maps).shape == (1, 21, *model.head.decoder.heatmap_size[::-1]), path


@pytest.mark.parametrize('path', LEAVES, ids=name)
def test_one_codec_everywhere(path: Path) -> None:
    """Pipelines and head agree: a config that changes the codec in one place only is wrong."""
    cfg = load(path)
    codec = cfg.model.head.decoder
    pipelines = [cfg[f'{split}_dataloader'].dataset.pipeline for split in ('train', 'val', 'test')]
    assert [t.input_size for p in pipelines for t in p if t.type.endswith('TopdownAffine')] == [codec.input_size] * 3
    assert [t.encoder for t in pipelines[0] if t.type == 'GenerateTarget'] == [codec]


@pytest.mark.parametrize('path', NETWORKS, ids=name)
def test_network_trains_and_predicts(path: Path) -> None:
    """At 64×64 instead of the config's size."""
    cfg = Config.fromfile(path)
    codec = cfg.model.head.decoder
    shrink = codec.input_size[0] // 64
    small = dict(input_size=(64, 64))
    if 'heatmap_size' in codec:
        small['heatmap_size'] = tuple(n // shrink for n in codec.heatmap_size)
    codec.update(small)
    pipelines = [cfg.train_dataloader.dataset.pipeline, cfg.test_dataloader.dataset.pipeline]
    for step in (step for pipeline in pipelines for step in pipeline):
        if step.type.endswith('TopdownAffine'):
            step.input_size = (64, 64)
        elif step.type == 'GenerateTarget':
            step.encoder.update(small)
    if cfg.model.head.type == 'AmpRegressionHead':
        cfg.model.head.in_channels //= shrink**2
    cfg.model.backbone.init_cfg = None  # needs a download
    model = build(cfg)
    model.init_weights()

    batch = model.data_preprocessor(pseudo_collate([packed_sample(pipelines[0]) for _ in range(2)]), training=True)
    losses = model(**batch, mode='loss')
    supervised = cfg.model.backbone.get('deep_supervision', cfg.model.head.type == 'DeepSupervisionHead')
    stacks = cfg.model.backbone.get('num_stacks') or cfg.model.backbone.get('num_stages')
    stacked = cfg.model.head.type == 'StackedMapHead'
    others = {'loss_ds'} if supervised else {f'loss_stack{i}' for i in range(1, stacks)} if stacked else set()
    assert set(losses) == {'loss_kpt', 'acc_pose'} | others
    total, _ = model.parse_losses(losses)
    total.backward()
    assert total.isfinite()
    assert [n for n, p in model.named_parameters() if p.grad is None] == []

    with torch.no_grad():
        (result,) = model.eval().test_step(pseudo_collate([packed_sample(pipelines[1])]))
    assert result.pred_instances.keypoints.shape == (1, 21, 2)
    assert ((result.pred_instances.keypoint_scores >= 0) & (result.pred_instances.keypoint_scores <= 1)).all()
    views, use_udp = rotated_pipeline(pipelines[1])
    with torch.no_grad():
        averaged = RotationTTA(model, use_udp).test_step(pseudo_collate([packed_sample(views), packed_sample(views)]))
    assert [a.pred_instances.keypoints.shape for a in averaged] == [(1, 21, 2)] * 2


@pytest.mark.parametrize(('stages', 'published'), [(3, 2.8e6), (6, 5.0e6)])
@pytest.mark.parametrize('dataset', ['onehand10k', 'panoptic', 'hgr1', 'synthetic'])
def test_published_number_of_parameters(stages: int, published: float, dataset: str) -> None:
    model = build(Config.fromfile(CONFIGS / 'pmsdsnet' / f'pmsdsnet_{stages}stage_{dataset}.py'))
    assert sum(p.numel() for p in model.parameters()) == pytest.approx(published, rel=0.02)


def test_knobs_of_the_ablations() -> None:
    def model_of(stem: str) -> Config:
        return Config.fromfile(CONFIGS / 'pmsdsnet' / f'{stem}.py').model

    assert model_of('pmsdsnet_3stage_panoptic').head.alpha == 0.5
    assert [model_of(f'pmsdsnet_3stage-alpha{a}_onehand10k').head.alpha for a in ('0.5', '1', '2')] == [0.5, 1, 2]
    assert [model_of(f'pmsdsnet_3stage-{f}_onehand10k').backbone.fusion for f in ('up', 'down')] == ['up', 'down']
    assert model_of('pmsdsnet_3stage-no-supervision_onehand10k').backbone.deep_supervision is False
