"""PoseEstimationNet against the paper's Table 1, its bottleneck, loss and head."""

import functools

import pytest
import torch
from mmengine.structures import InstanceData
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample
from torch import nn

from handkp_plugins.models.backbones import PoseEstimationNet
from handkp_plugins.models.layers import MSABottleneck, RelativePositionBias
from handkp_plugins.models.losses import CEL2Loss

BLOCK, POOL = 'Conv+relu+bn', 'maxpool'
TABLE_1 = [  # row, name, kernel, width and height, channels; a concatenation and a sum have no kernel
    (1, BLOCK, '3*3', 256, 64), (2, POOL, '2*2', 128, 64), (3, BLOCK, '3*3', 128, 96), (4, BLOCK, '3*3', 128, 96),
    (5, POOL, '2*2', 64, 96), (6, BLOCK, '3*3', 64, 128), (7, BLOCK, '3*3', 64, 128), (8, POOL, '2*2', 32, 128),
    (9, BLOCK, '3*3', 32, 256), (10, BLOCK, '3*3', 32, 256), (11, 'conv', '1*1', 32, 21),
    (12, 'Concat(10,11)', '-', 32, 277), (13, BLOCK, '3*3', 32, 128), (14, BLOCK, '3*3', 32, 128),
    (15, BLOCK, '5*5', 32, 128), (16, BLOCK, '5*5', 32, 128), (17, 'ElementAdd(16,15)', '-', 32, 128),
    (18, 'Conv+relu', '3*3', 32, 128), (19, 'conv', '1*3', 32, 21), (20, 'conv', '3*1', 32, 21),
    (21, 'conv', '1*1', 32, 21),
]  # fmt: skip
NAMES = {nn.Conv2d: 'Conv', nn.ReLU: 'relu', nn.BatchNorm2d: 'bn'}


def test_layers_are_those_of_table_1(capsys):
    net = PoseEstimationNet(num_stacks=1).eval()
    sequences = [m for m in net.modules() if isinstance(m, nn.Sequential) and {type(part) for part in m} <= set(NAMES)]
    blocks = {id(m[0]): '+'.join(NAMES[type(part)] for part in m) for m in sequences}
    results, found = {}, []

    def note(name, module, given, output):
        """A row for what enters where rows 12 and 17 must lead, then one for the layer."""
        entering = given[0]
        if name.endswith('conv13.0'):
            assert torch.equal(entering, torch.cat(results['conv11'], 1))
            found.append(('Concat(10,11)', '-', entering.shape[-1], entering.shape[1]))
        if name.endswith('conv18.0'):
            assert torch.equal(entering, results['conv16'][1] + results['conv15'][1])
            found.append(('ElementAdd(16,15)', '-', entering.shape[-1], entering.shape[1]))
        kernel = module.kernel_size if isinstance(module.kernel_size, tuple) else (module.kernel_size,) * 2
        kind = blocks.get(id(module), 'conv') if isinstance(module, nn.Conv2d) else POOL
        found.append((kind, '{}*{}'.format(*kernel), output.shape[-1], output.shape[1]))
        assert output.shape[-1] == output.shape[-2]

    for name, module in net.named_modules():
        if isinstance(module, (nn.Conv2d, nn.MaxPool2d)) and '.bottleneck' not in name:
            module.register_forward_hook(functools.partial(note, name))
        if (last := name.split('.')[-1]) in ('conv11', 'conv15', 'conv16'):
            module.register_forward_hook(lambda _, given, output, last=last: results.update({last: (given[0], output)}))
    with torch.no_grad():
        net(torch.zeros(1, 3, 256, 256))
    with capsys.disabled():
        for row, (kind, kernel, size, channels) in zip(TABLE_1, found, strict=True):
            print(f'\n{row[0]:2d}  {kind:17}  {kernel}  {size}*{size}*{channels}', end='')
    assert found == [row[1:] for row in TABLE_1]


def test_widths():
    net = PoseEstimationNet(1, num_keypoints=5, widths=(4, 6, 8, 12), bottleneck=dict(embed_dims=8, num_heads=2))
    sizes = [m.out_channels for n, m in net.named_modules() if isinstance(m, nn.Conv2d) and '.bottleneck' not in n]
    assert sizes == [4, 6, 6, 8, 8, 12, 12, 5, 8, 8, 8, 8, 8, 5, 5, 5]
    assert [m.shape for m in net(torch.randn(1, 3, 32, 32))] == [(1, 5, 4, 4)]


@pytest.mark.parametrize(('stacks', 'attention'), [(1, True), (2, True), (2, False), (3, True)])
def test_every_parameter_learns(stacks, attention):
    net = PoseEstimationNet(stacks, num_keypoints=5, attention=attention, bottleneck=dict(embed_dims=32, num_heads=2))
    net.init_weights()
    maps = net(torch.randn(2, 3, 32, 48))
    assert [m.shape for m in maps] == [(2, 5, 4, 6)] * stacks and all(m.isfinite().all() for m in maps)
    sum(m.square().mean() for m in maps).backward()
    without = [n for n, p in net.named_parameters() if p.grad is None]
    assert not without
    names = {n for n, _ in net.named_parameters() if '.bottleneck.' in n}
    assert bool(names) == attention


@pytest.mark.parametrize('size', [(100, 64), (64, 60)])
def test_sizes_that_do_not_fit_are_refused(size):
    with pytest.raises(ValueError, match='input size: expected multiples of the largest stride 8'):
        PoseEstimationNet(1)(torch.zeros(1, 3, *size))


def test_bottleneck_attends_everywhere_and_keeps_the_shape():
    torch.manual_seed(0)
    block = MODELS.build(dict(type='MSABottleneck', in_channels=12, embed_dims=16, num_heads=4)).eval()
    x = torch.randn(1, 12, 5, 7)
    changed = x.clone()
    changed[..., 4, 6] += 1
    difference = (block(changed) - block(x)).abs().sum(1)[0]
    assert block(x).shape == x.shape and (difference > 1e-7).all()


def test_relative_bias_depends_on_the_distance_alone():
    bias = RelativePositionBias(2, (4, 3))
    nn.init.normal_(bias.rows)
    nn.init.normal_(bias.columns)
    of = bias(3, 4).view(2, 3, 4, 3, 4)
    for (y, x), (v, u) in [((0, 0), (1, 2)), ((1, 1), (2, 3))]:  # one row down, two columns to the right
        expected = bias.rows[:, 1 + 2] + bias.columns[:, 2 + 3]
        assert torch.allclose(of[:, y, x, v, u], expected)
    assert bias(6, 8).shape == (2, 48, 48)
    stretched = bias(6, 8).view(2, 6, 8, 6, 8)  # ends of the table stay ends
    assert torch.allclose(stretched[:, 0, 0, 5, 7], of[:, 0, 0, 2, 3], atol=1e-6)


def test_loss_by_hand():
    output = torch.tensor([[[[0.0, 1.0]], [[2.0, 0.0]]]], requires_grad=True)  # one sample, two keypoints, maps 1×2
    target = torch.tensor([[[[0.0, 1.0]], [[0.0, 0.0]]]])
    entropy = (1 + torch.exp(torch.tensor(-1.0))).log() / 2  # of the visible one; the mean is over both
    square = (0 + 0 + 4 + 0) / 4  # the other's map is to be zero
    weights = torch.tensor([[1.0, 0.0]])
    loss = CEL2Loss(alpha=0.7)(output, target, weights)
    assert loss.item() == pytest.approx(0.7 * entropy.item() + 0.3 * square)
    assert CEL2Loss(alpha=0.0)(output, target, weights).item() == pytest.approx(square)
    loss.backward()
    assert output.grad[0, 1].abs().sum() > 0


def test_head_supervises_every_stack_and_predicts_with_the_last():
    codec = dict(type='GaussianHeatmap', input_size=(64, 64), heatmap_size=(8, 8), variance=256.0, logits=True)
    head = MODELS.build(
        dict(type='StackedMapHead', num_keypoints=3, loss=dict(type='CEL2Loss'), decoder=codec, _scope_='mmpose')
    )
    assert not list(head.parameters())
    first, last = torch.randn(2, 2, 3, 8, 8).unbind()
    assert torch.equal(head([first, last]), last)
    samples = []
    for i in range(2):
        labels = InstanceData(keypoint_labels=torch.rand(1, 3, 2) * 63, keypoint_weights=torch.ones(1, 3))
        samples.append(PoseDataSample(gt_instance_labels=labels, metainfo=dict(id=i)))
    losses = head.loss([first, last], samples)
    assert set(losses) == {'loss_kpt', 'loss_stack1', 'acc_pose'}
    alone = [head.loss([maps], samples)['loss_kpt'] for maps in (first, last)]
    assert torch.equal(losses['loss_stack1'], alone[0]) and torch.equal(losses['loss_kpt'], alone[1])
    assert not torch.equal(*alone)
    with pytest.raises(ValueError, match='num_keypoints: expected 4, those of the backbone, got 3'):
        head([torch.zeros(1, 4, 8, 8)])


@pytest.mark.parametrize(
    ('make', 'message'),
    [
        (lambda: PoseEstimationNet(0), 'num_stacks: expected an integer from 1'),
        (lambda: PoseEstimationNet(widths=(8, 8, 8)), r'widths: expected four integers from 1, got \(8, 8, 8\)'),
        (lambda: MSABottleneck(8, 30, 4), 'num_heads: expected a divisor of embed_dims 30'),
        (lambda: MSABottleneck(8, 32, 4, position='sine'), "position: expected 'relative' or 'none'"),
        (lambda: RelativePositionBias(2, (0, 3)), r'window: expected \[W, H\]'),
        (lambda: CEL2Loss(alpha=1.5), 'alpha: expected a number from 0 to 1'),
    ],
)
def test_bad_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()
