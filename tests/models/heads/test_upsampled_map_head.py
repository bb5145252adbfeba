"""The head against what it stands for: upsampling, then a convolution."""

import pytest
import torch
import torch.nn.functional as F
from mmengine.structures import InstanceData
from mmpose.structures import PoseDataSample

from handkp_plugins.models.heads import UpsampledMapHead

BCE = dict(type='MapBCELoss')


def head(size: tuple[int, int] = (40, 24), kernel_size: int = 5, codec: str = 'DiskMap', **kwargs) -> UpsampledMapHead:
    torch.manual_seed(0)
    made = UpsampledMapHead(6, 3, kernel_size, decoder=dict(type=codec, input_size=size), **kwargs)
    torch.nn.init.normal_(made.final_layer.weight)
    torch.nn.init.normal_(made.final_layer.bias)
    return made


@pytest.mark.parametrize(('size', 'kernel_size'), [((40, 24), 5), ((10, 6), 3), ((5, 3), 1), ((20, 12), 7)])
def test_equals_a_convolution_of_upsampled_features(size: tuple[int, int], kernel_size: int) -> None:
    made = head(size, kernel_size)
    feats = torch.randn(2, 6, 3, 5, requires_grad=True)
    upsampled = F.interpolate(feats, size=size[::-1], mode='bilinear', align_corners=False)
    expected = made.final_layer(upsampled)
    output = made((feats,))
    torch.testing.assert_close(output, expected, atol=1e-4, rtol=1e-4)
    loss = torch.randn_like(output)
    wanted = torch.autograd.grad((expected * loss).sum(), [feats, made.final_layer.weight], retain_graph=True)
    given = torch.autograd.grad((output * loss).sum(), [feats, made.final_layer.weight])
    torch.testing.assert_close(given, wanted, atol=1e-3, rtol=1e-4)


def samples() -> list[PoseDataSample]:
    labels = InstanceData(keypoint_labels=torch.full((1, 3, 2), 9.0), keypoint_weights=torch.tensor([[1.0, 1.0, 0.0]]))
    return [PoseDataSample(gt_instance_labels=labels) for _ in range(2)]


def test_loss_and_probabilities() -> None:
    made = head(loss=BCE)
    feats = (torch.zeros(2, 6, 3, 5),)
    torch.nn.init.zeros_(made.final_layer.bias)
    losses = made.loss(feats, samples())
    # half of each pixel, log 2; one map of three has no weight
    assert losses['loss_kpt'].item() == pytest.approx(2 / 3 * 0.693147, rel=1e-5)
    _, fields = made.predict(feats, samples(), dict(output_heatmaps=True))
    assert fields[0].heatmaps.shape == (3, 24, 40) and (fields[0].heatmaps == 0.5).all()


def test_score_maps_that_are_asked_for_are_not_negative() -> None:
    _, fields = head(codec='ExpectationHeatmap').predict((torch.randn(1, 6, 3, 5),), [], dict(output_heatmaps=True))
    assert fields[0].heatmaps.min() == 0


def test_even_kernels_are_refused() -> None:
    with pytest.raises(ValueError, match='kernel_size: expected an odd number from 1, got 4'):
        head(kernel_size=4)


def test_features_that_were_rounded_up_are_refused() -> None:
    feats = (torch.zeros(1, 6, 3, 5),)
    assert head((40, 24))(feats).shape == (1, 3, 24, 40)
    with pytest.raises(ValueError, match='stride 8, got 36×24'):
        head((36, 24))(feats)
