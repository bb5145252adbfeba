"""Heads: eq. 8 term by term, accuracy, flip test, heatmaps, errors."""

import pytest
import torch
import torch.nn.functional as F
from mmengine.structures import InstanceData
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample

import handkp_plugins  # noqa: F401  registers the heads

K, SIZE = 4, (32, 16)  # W, H
CODEC = dict(type='GaussianHeatmap', input_size=SIZE)


def build(**arguments) -> torch.nn.Module:
    base = dict(type='DeepSupervisionHead', in_channels=6, num_keypoints=K, num_scales=3, decoder=CODEC)
    return MODELS.build(base | arguments)


def samples(keypoints: torch.Tensor, weights: torch.Tensor) -> list[PoseDataSample]:
    out = []
    for points, weight in zip(keypoints, weights, strict=True):
        sample = PoseDataSample(metainfo=dict(flip_indices=[1, 0, 2, 3]))
        sample.gt_instance_labels = InstanceData(keypoint_labels=points[None], keypoint_weights=weight[None])
        out.append(sample)
    return out


@pytest.fixture
def batch() -> tuple[tuple[torch.Tensor, ...], torch.Tensor, torch.Tensor]:
    """Outputs of a backbone with two stages and three scales, keypoints and weights of two samples."""
    g = torch.manual_seed(0)
    w, h = SIZE
    maps = [torch.randn(2, K, h // s, w // s, generator=g) for _ in range(2) for s in (1, 2, 4)]
    keypoints = torch.rand(2, K, 2, generator=g) * torch.tensor([w - 1.0, h - 1.0])
    weights = torch.tensor([[1, 1, 0, 1.0], [1, 0.5, 1, 1]])
    return (torch.randn(2, 6, h, w, generator=g), *maps), keypoints, weights


def test_loss_is_equation_8(batch) -> None:
    feats, keypoints, weights = batch
    head = build(alpha=0.5, beta=(1.0, 2.0), gamma=(1.0, 3.0), supervised_scales=(0, 2))
    losses = head.loss(feats, samples(keypoints, weights))
    target = head.decoder.make_heatmaps(keypoints, weights)

    def mse(maps: torch.Tensor) -> torch.Tensor:
        y = F.interpolate(target, size=maps.shape[2:], mode='bilinear', align_corners=False)
        return ((maps - y).square() * weights[..., None, None]).mean()

    torch.testing.assert_close(losses['loss_kpt'], mse(head.final_layer(feats[0])))
    z = feats[1:]
    expected = 1 * (mse(z[0]) + 3 * mse(z[2])) + 2 * (mse(z[3]) + 3 * mse(z[5]))
    torch.testing.assert_close(losses['loss_ds'], 0.5 * expected)


def test_without_supervision_there_is_no_auxiliary_loss(batch) -> None:
    feats, keypoints, weights = batch
    assert set(build().loss(feats[:1], samples(keypoints, weights))) == {'loss_kpt', 'acc_pose'}
    losses = build().loss(feats[:1], samples(keypoints, weights), dict(compute_acc=False))
    assert set(losses) == {'loss_kpt'}


def test_any_loss_and_half_precision(batch) -> None:
    feats, keypoints, weights = batch
    head = build(loss=dict(type='SoftmaxHeatmapLoss'))
    with torch.autocast('cpu', torch.bfloat16):
        losses = head.loss([f.bfloat16() for f in feats], samples(keypoints, weights))
    assert all(v.dtype == torch.float32 and v.isfinite() for v in losses.values())


def test_accuracy_by_hand() -> None:
    """Labelled keypoints: 1 of 2 right for the first, 1 of 1 for the second, none of 1 for the third."""
    head = build()
    truth = torch.full((2, K, 2), 8.0)
    weights = torch.tensor([[1, 1, 0, 0.0], [1, 0, 1, 0]])
    shown = truth.clone()
    shown[1, 0, 0] += 2  # 2 / 32 is beyond 5 %
    shown[1, 2, 1] += 1  # 1 / 16 is too
    truth[0, 2] = float('nan')  # not labelled
    maps = head.decoder.make_heatmaps(shown)
    assert head._accuracy(maps, truth, weights).item() == pytest.approx((0.5 + 1 + 0) / 3)


def test_flip_test_and_heatmaps(batch) -> None:
    feats, keypoints, weights = batch
    head = build()
    test_cfg = dict(flip_test=True, flip_mode='heatmap', shift_heatmap=False, output_heatmaps=True)
    flipped = tuple(f.flip(-1) for f in feats)
    predictions, fields = head.predict([feats, flipped], samples(keypoints, weights), test_cfg)
    maps = head.forward(feats)
    expected = (maps + maps[:, [1, 0, 2, 3]]) / 2  # mirrored twice, and the first two keypoints are a pair
    torch.testing.assert_close(torch.stack([f.heatmaps for f in fields]), expected.detach())
    assert predictions[0].keypoints.shape == (1, K, 2) and predictions[0].keypoint_scores.shape == (1, K)


def test_heatmaps_of_logits_are_relative_likelihoods(batch) -> None:
    feats, keypoints, weights = batch
    head = build(decoder=dict(CODEC, logits=True), loss=dict(type='SoftmaxHeatmapLoss'))
    _, fields = head.predict(feats, samples(keypoints, weights), dict(output_heatmaps=True))
    maps, logits = torch.stack([f.heatmaps for f in fields]), head.forward(feats).detach()
    torch.testing.assert_close(maps.amax((2, 3)), torch.ones(2, K))
    torch.testing.assert_close(maps / maps.sum((2, 3), keepdim=True), logits.flatten(2).softmax(-1).view_as(logits))


def test_on_device_head_has_mmpose_layers(batch) -> None:
    head = MODELS.build(
        dict(
            type='OnDeviceHeatmapHead',
            in_channels=8,
            out_channels=K,
            deconv_out_channels=(6,),
            deconv_kernel_sizes=(4,),
            decoder=dict(CODEC, heatmap_size=(16, 8)),
        )
    )
    _, keypoints, weights = batch
    data = samples(keypoints, weights)
    losses = head.loss((torch.rand(2, 8, 4, 8),), data)
    assert losses['loss_kpt'].isfinite() and 0 <= losses['acc_pose'] <= 1
    for sizes, maps, message in (
        (
            ((32, 16), (16, 8)),
            (5, 8),
            r'heatmap_size: expected 16×10, .* got heatmap_size \(16, 8\) and input_size \(32, 16\)',
        ),
        (
            ((30, 16), (16, 8)),
            (4, 8),
            r'multiples of the largest stride 4, got 30×16 .*; nearest: width 28 or 32, height 16',
        ),
        (((32, 16), (12, 8)), (4, 6), 'heatmap_size: expected 12×8, .* input_size'),  # 32 / 12 is no stride
    ):
        head.decoder.input_size, head.decoder.heatmap_size = sizes
        with pytest.raises(ValueError, match=message):
            head.loss((torch.rand(2, 8, *maps),), data)
        with pytest.raises(ValueError, match=message):
            head.predict((torch.rand(2, 8, *maps),), data)


def test_errors(batch) -> None:
    feats, keypoints, weights = batch
    data = samples(keypoints, weights)
    with pytest.raises(ValueError, match='decoder: expected a codec that makes maps on the device .* got None'):
        build(decoder=None)
    with pytest.raises(ValueError, match='alpha: expected a number from 0, got -1'):
        build(alpha=-1)
    with pytest.raises(ValueError, match=r'supervised_scales: .* from 0 to 2, got \(0, 3\)'):
        build(supervised_scales=(0, 3))
    with pytest.raises(ValueError, match=r'gamma: expected one number or 3 of them, got \(1.0, 2.0\)'):
        build(gamma=(1.0, 2.0))
    with pytest.raises(ValueError, match=r'beta: expected one number or 2 of them, got \(1.0,\)'):
        build(beta=(1.0,)).loss(feats, data)
    with pytest.raises(ValueError, match='num_scales: expected a divisor of the 6 maps, got 4'):
        build(num_scales=4).loss(feats, data)
    with pytest.raises(
        ValueError,
        match=r'supervised_scales: expected the scales of the backbone, .*: scale 2 has no map in stages \[2\]',
    ):
        build().loss((*feats[:-1], None), data)
    with pytest.raises(ValueError, match='in_channels: expected 6, those of the backbone, got 5'):
        build(in_channels=5).loss(feats, data)
