"""The configs of the hand keypoint transformer: published size, whole frames, pretrained weights."""

from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.leaf_configs import build
from helpers.packed_sample import packed_sample
from helpers.paths import ROOT
from helpers.tool_module import load_tool
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.runner.checkpoint import CheckpointLoader
from mmpose.models.backbones import ResNet

from handkp_plugins.engine.checkpoint import addresses
from handkp_plugins.engine.checkpoint.pretrained import use_safe_loaders
from handkp_plugins.engine.config import load_config
from handkp_plugins.errors import CheckpointError

CONFIGS = ROOT / 'configs' / 'hand_transformer'
NETWORKS = ('r', 'h', 'h-stride4')
SETS = ('onehand10k', 'synthetic', 'video')


def load(stem: str, **options: object) -> Config:
    return load_config(CONFIGS / f'hand_transformer_{stem}.py', options)


def test_published_number_of_trainable_parameters() -> None:
    """5.79 M with K = 17 and the fixed code not counted; 21 final maps add 4·(256 + 1) to it."""
    model = build(load('r_onehand10k'))
    trainable = sum(p.numel() for p in model.parameters() if p.requires_grad)
    assert trainable == pytest.approx(5.79e6, rel=0.01)
    assert trainable - 4 * 257 == 5_788_497  # ResNet-50 to layer2, 1×1, encoder, deconvolution with norm, final 1×1


def test_published_number_of_multiply_adds() -> None:
    result = load_tool('analysis/get_flops').count(load('r_onehand10k'))
    assert result['shape'] == (192, 256)
    assert result['macs'] == pytest.approx(6.3e9, rel=0.05)


def test_recipe_of_the_paper() -> None:
    for cfg in (load(f'{n}_{s}') for n in NETWORKS for s in SETS):
        codec, neck = cfg.model.head.decoder, cfg.model.neck
        assert codec.input_size == (192, 256) and codec.heatmap_size == (48, 64) and codec.refinement == 'none'
        assert (neck.num_layers, neck.num_heads, neck.feedforward_channels, neck.position) == (4, 8, 1024, 'sine')
        assert cfg.optim_wrapper.optimizer == dict(type='Adam', lr=1e-4)
        (cosine,) = cfg.param_scheduler
        assert cosine.type == 'CosineAnnealingLR' and cosine.eta_min == 1e-5 and 'end' not in cosine
        assert cfg.train_cfg.max_epochs == 230 and cfg.train_dataloader.batch_size == 20
        assert dict(type='HeatmapPCK', alpha=0.03) in cfg.test_evaluator == cfg.val_evaluator


@pytest.mark.parametrize('network', NETWORKS)
def test_input_sizes_that_do_not_fit(network: str) -> None:
    """In training and in test; HRNet's is refused at once, ResNet's where its map would not lie over the image."""
    cfg = load(f'{network}_video')
    small = dict(input_size=(98, 64), heatmap_size=(24, 16))
    cfg.model.head.decoder.update(small)
    for step in (*cfg.train_dataloader.dataset.pipeline, *cfg.test_dataloader.dataset.pipeline):
        if step.type == 'TopdownAffine':
            step.input_size = small['input_size']
        elif step.type == 'GenerateTarget':
            step.encoder.update(small)
    model = build(cfg)
    for mode, loader in (('loss', cfg.train_dataloader), ('predict', cfg.test_dataloader)):
        batch = pseudo_collate([packed_sample(loader.dataset.pipeline)])
        with pytest.raises(ValueError, match=r'expected multiples of .* got 98×64 .*; nearest: width 96 or 10'):
            model(**model.data_preprocessor(batch, training=mode == 'loss'), mode=mode)


def test_predictions_of_a_frame_lie_in_the_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    """A map with its peak in the corner of a landscape frame: the keypoint is that corner."""
    model = build(load('r_video'))
    model.eval()
    pipeline = load('r_video').test_dataloader.dataset.pipeline
    for (height, width), peak in (((90, 120), (47, 49)), ((120, 60), (39, 63))):  # x, y in the map
        sample = packed_sample(pipeline, size=(height, width))
        maps = torch.zeros(1, 21, 64, 48)
        maps[:, :, peak[1], peak[0]] = 1
        monkeypatch.setattr(model.head, 'forward', lambda feats, maps=maps: maps)
        with torch.no_grad():
            (result,) = model.test_step(pseudo_collate([sample]))
        stride = 4 * max(width / 192, height / 256)  # a pixel of the map, in those of the frame
        found = result.pred_instances.keypoints[0, 0]
        assert (np.abs(found - (width, height)) <= stride).all(), found


@pytest.mark.parametrize('network', NETWORKS)
def test_first_weights_that_cannot_be_had(network: str, monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = 'http://127.0.0.1:1/weights.pth'
    monkeypatch.setitem(addresses._TABLES, 'torchvision', lambda: dict(resnet50=nowhere))
    monkeypatch.setattr(CheckpointLoader, '_schemes', dict(CheckpointLoader._schemes))
    use_safe_loaders()  # as every run of tools/train.py
    options = {} if network == 'r' else {'model.backbone.init_cfg.checkpoint': nowhere}
    model = build(load(f'{network}_onehand10k', **options))
    advice = r'--cfg-options model.backbone.init_cfg.checkpoint=PATH, .*model.backbone.init_cfg=None'
    with pytest.raises(CheckpointError, match=advice):
        model.init_weights()


def test_first_weights_from_a_file(tmp_path: Path) -> None:
    """Of the whole ResNet-50, as torchvision has it; and none at all."""
    torch.manual_seed(0)
    whole = ResNet(50)
    torch.save(dict(whole.state_dict(), **{'fc.weight': torch.rand(2, 2)}), tmp_path / 'resnet50.pth')
    model = build(load('r_onehand10k', **{'model.backbone.init_cfg.checkpoint': str(tmp_path / 'resnet50.pth')}))
    model.init_weights()
    kept = model.backbone.state_dict()
    torch.testing.assert_close(kept, {name: whole.state_dict()[name] for name in kept})
    build(load('r_onehand10k', **{'model.backbone.init_cfg': None})).init_weights()
