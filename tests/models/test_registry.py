"""Every registered network part at a tiny size: finite outputs of the right shape, a gradient for every parameter."""

from collections.abc import Iterable

import numpy as np
import pytest
import torch
from helpers.hand_views import samples_of, seen_hands
from mmengine.logging import MMLogger
from mmengine.registry import DefaultScope
from mmengine.structures import InstanceData
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample
from torch import Tensor, nn

import handkp_plugins  # noqa: F401  registers the parts

PACKAGE = 'handkp_plugins.models.'
NOT_TRAINED = ('data_preprocessors', 'tta')
PARTS = {
    name: cls.__module__.removeprefix(PACKAGE).split('.')[0]
    for name, cls in MODELS.module_dict.items()
    if cls.__module__.startswith(PACKAGE) and cls.__module__.removeprefix(PACKAGE).split('.')[0] not in NOT_TRAINED
}
"""Registered class → its folder."""

K, SIZE = 3, 32
CODEC = dict(type='GaussianHeatmap', input_size=(SIZE, SIZE))
HRNET = dict(
    stage1=dict(num_modules=1, num_branches=1, block='BOTTLENECK', num_blocks=(1,), num_channels=(4,)),
    stage2=dict(num_modules=1, num_branches=2, block='BASIC', num_blocks=(1, 1), num_channels=(4, 6)),
    stage3=dict(num_modules=1, num_branches=3, block='BASIC', num_blocks=(1, 1, 1), num_channels=(4, 6, 8)),
)
TINY: dict[str, dict] = {
    'PMSDSNet': dict(num_stages=2, num_keypoints=K, widths=(4,) * 5, fusion_widths=(4,) * 5),
    'PoseEstimationNet': dict(
        num_keypoints=K, widths=(4, 4, 6, 8), bottleneck=dict(embed_dims=6, num_heads=2, window=(4, 4))
    ),
    'TruncatedHRNet': dict(extra=HRNET),
    'TransformerNeck': dict(in_channels=6, embed_dims=8, num_layers=2, num_heads=2, feedforward_channels=12),
    'MSABottleneck': dict(in_channels=6, embed_dims=8, num_heads=2),
    'DeepSupervisionHead': dict(
        in_channels=6, num_keypoints=K, num_scales=2, supervised_scales=(0, 1), decoder=CODEC,
        feats=[(6, 1), (K, 1), (K, 2), (K, 1), (K, 2)],
    ),
    'OnDeviceHeatmapHead': dict(
        in_channels=6, out_channels=K, deconv_out_channels=(4,), deconv_kernel_sizes=(4,), feats=[(6, 8)],
        decoder=dict(CODEC, heatmap_size=(8, 8)),
    ),
    'StackedMapHead': dict(num_keypoints=K, decoder=dict(CODEC, heatmap_size=(4, 4)), feats=[(K, 8), (K, 8)]),
    'UpsampledMapHead': dict(in_channels=6, out_channels=K, decoder=CODEC, feats=[(6, 8)]),
    'AmpRegressionHead': dict(
        in_channels=6 * 4 * 4, num_joints=K, feats=[(6, 8)],
        decoder=dict(type='RegressionLabel', input_size=(SIZE, SIZE)),
    ),
    'HaMuCoHead': dict(in_channels=(4, 8, 12, 16), input_size=(64, 64), loss=dict(type='HaMuCoLoss')),
    'CEL2Loss': dict(),
    'MapBCELoss': dict(),
    'SoftmaxHeatmapLoss': dict(),
    'GestureNet': dict(num_classes=4, channels=2, hidden=8),
    'HTT': dict(
        backbone=dict(type='ResNet', depth=18, stem_channels=8, base_channels=8, zero_init_residual=False),
        neck=dict(type='GlobalAveragePooling'),
        head=dict(
            type='HTTHead', num_joints=K, num_objects=2, num_actions=4, embed_dims=64, window=2, num_heads=2,
            feedforward_channels=16, loss=dict(type='HTTLoss'),
            decoder=dict(type='PixelDepthLabel', input_size=(SIZE, SIZE)),
        ),
    ),
}  # fmt: skip
"""Arguments of each class; ``feats`` are channels and stride of what a head gets."""


def backbone(net: nn.Module) -> tuple[Iterable[Tensor], Tensor]:
    outputs = [out for out in net(torch.rand(2, 3, SIZE, SIZE)) if out is not None]
    assert all(out.shape[0] == 2 and out.shape[2] == out.shape[3] and SIZE % out.shape[2] == 0 for out in outputs)
    return outputs, sum((out * torch.rand_like(out)).sum() for out in outputs)


def neck(net: nn.Module, in_channels: int, embed_dims: int, **_: object) -> tuple[Iterable[Tensor], Tensor]:
    (out,) = net((torch.rand(2, in_channels, 6, 5),))
    assert out.shape == (2, embed_dims, 6, 5)
    return [out], (out * torch.rand_like(out)).sum()


def layer(net: nn.Module, in_channels: int, **_: object) -> tuple[Iterable[Tensor], Tensor]:
    out = net(torch.rand(2, in_channels, 6, 5))
    assert out.shape == (2, in_channels, 6, 5)
    return [out], (out * torch.rand_like(out)).sum()


def head(net: nn.Module, feats: list[tuple[int, int]], decoder: dict, **_: object) -> tuple[Iterable[Tensor], Tensor]:
    maps = tuple(torch.randn(2, c, SIZE // s, SIZE // s, requires_grad=True) for c, s in feats)
    labels = InstanceData(keypoint_labels=torch.rand(1, K, 2) * 20 + 5, keypoint_weights=torch.ones(1, K))
    out = net(maps)
    if 'RegressionLabel' in decoder['type']:
        labels.keypoint_labels /= SIZE
        assert out.shape == (2, K, 2)
    else:
        assert out.shape == (2, K, *decoder.get('heatmap_size', decoder['input_size'])[::-1])
    losses = net.loss(maps, [PoseDataSample(gt_instance_labels=labels) for _ in range(2)])
    total = sum(value for name, value in losses.items() if name.startswith('loss'))
    total.backward(retain_graph=True)
    assert all(m.grad.isfinite().all() and m.grad.any() for m in maps)
    return [out, *losses.values()], total


def view_head(net: nn.Module, in_channels: tuple, **_: object) -> tuple[Iterable[Tensor], Tensor]:
    views = 2
    maps = tuple(torch.randn(2 * views, c, 16 // 2**i, 16 // 2**i) for i, c in enumerate(in_channels))
    hands, rotations = seen_hands(2, views)
    single, cross = net(maps, views)
    losses = net.loss(maps, samples_of(hands, views, rotations, 64))
    return [*single, *cross, *losses.values()], sum(value for name, value in losses.items() if name.startswith('loss'))


def loss(net: nn.Module) -> tuple[Iterable[Tensor], Tensor]:
    output = torch.randn(2, K, 8, 8, requires_grad=True)
    value = net(output, (torch.rand(2, K, 8, 8) > 0.9).float(), torch.ones(2, K))
    assert value.shape == ()
    value.backward(retain_graph=True)
    assert output.grad.isfinite().all() and output.grad.flatten(2).any(-1).all()
    return [value], value


def classifier(net: nn.Module, num_classes: int, **_: object) -> tuple[Iterable[Tensor], Tensor]:
    points = torch.randn(8, 21, 2)
    scores = net(points)
    assert scores.shape == (8, num_classes)
    return [scores], net(points, labels=torch.arange(8) % num_classes, mode='loss')['loss']


def clip_estimator(net: nn.Module, head: dict, **_: object) -> tuple[Iterable[Tensor], Tensor]:
    clips, samples = torch.rand(2, 3, 3, SIZE, SIZE), []
    for i in range(2):
        labels = InstanceData(keypoint_labels=torch.rand(3, K, 3), keypoint_weights=torch.ones(3, K))
        camera = np.array([[40, 0, 16], [0, 40, 16], [0, 0, 1]])
        samples.append(PoseDataSample(gt_instance_labels=labels, metainfo=dict(camera=camera, action=i, object=i)))
    outputs = net._forward(clips)
    assert [out.shape for out in outputs] == [(2, 3, K, 3), (2, 3, head['num_objects']), (2, head['num_actions'])]
    losses = net.loss(clips, samples)
    return [*outputs, *losses.values()], sum(value for name, value in losses.items() if name.startswith('loss'))


STEPS = dict(
    backbones=backbone, necks=neck, layers=layer, heads=head, losses=loss, classifiers=classifier,
    pose_estimators=clip_estimator,
)  # fmt: skip
STEPS_OF = dict(HaMuCoHead=view_head)
"""Steps of classes that take other inputs than those of their folder."""


def types_in(value: object) -> set[str]:
    """The classes that a config builds."""
    inner = value.values() if isinstance(value, dict) else ()
    own = {value['type']} if isinstance(value, dict) and 'type' in value else set()
    return own.union(*map(types_in, inner))


def test_every_registered_part_is_tested() -> None:
    assert set(PARTS.values()) == set(STEPS)
    missing = set(PARTS) - set(TINY) - types_in(TINY)
    assert not missing, f'registered, but not in TINY: {sorted(missing)}; add the arguments that make them tiny'


@pytest.mark.parametrize('name', TINY)
def test_training_step(name: str) -> None:
    torch.manual_seed(0)
    MMLogger.get_current_instance().setLevel('ERROR')
    arguments = dict(TINY[name])
    with DefaultScope.overwrite_default_scope('mmpose'):
        net = MODELS.build(dict(type=name) | {k: v for k, v in arguments.items() if k != 'feats'})
    if hasattr(net, 'init_weights'):
        net.init_weights()
    takes = {} if PARTS[name] in ('backbones', 'losses') else arguments
    outputs, total = STEPS_OF.get(name, STEPS[PARTS[name]])(net, **takes)
    assert total.isfinite() and all(out.isfinite().all() for out in outputs)
    if total.requires_grad and any(True for _ in net.parameters()):
        total.backward()
    without = [
        n for n, p in net.named_parameters() if p.grad is None or not p.grad.isfinite().all() or not p.grad.any()
    ]
    assert without == []
