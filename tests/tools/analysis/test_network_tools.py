"""The tools that count and compare: parameters and multiply-adds, widths, targets."""

import pytest
from helpers.paths import ROOT
from helpers.tool_module import load_tool
from mmengine.config import Config


def test_flops_by_hand() -> None:
    """One stage, two scales, one channel each."""
    codec = dict(type='GaussianHeatmap', input_size=(8, 4))
    model = dict(
        type='TopdownPoseEstimator',
        backbone=dict(
            type='PMSDSNet',
            num_stages=1,
            num_keypoints=1,
            strides=(1, 2),
            widths=(1, 1),
            fusion_widths=(1, 1),
            deep_supervision=False,
        ),
        head=dict(type='DeepSupervisionHead', in_channels=2, num_keypoints=1, num_scales=2,
                  supervised_scales=(), decoder=codec),
    )  # fmt: skip
    result = load_tool('analysis/get_flops').count(Config(dict(model=model, default_scope='mmpose')))
    fine, coarse = 8 * 4, 4 * 2
    convolutions = (
        fine * (27 + 3 * 9 + 3 * 9 + 2)  # stem, entry, convₓ, final
        + coarse * (48 + 3 * 9 + 1 + (2 * 9 + 9 + 9) + 1)  # stem, entry, conv_down, convₓ, conv_up
    )
    batch_norms = 2 * (fine * 7 + coarse * 9)  # a product and a sum for each value
    upsampling = 4 * fine  # four products for each value of the bilinear result
    assert result['shape'] == (8, 4)
    assert result['macs'] == convolutions + batch_norms + upsampling
    weights = 27 + 27 + 27 + 2 + 48 + 27 + 1 + 36 + 1
    assert result['params'] == weights + 2 * (7 + 9) + 1  # batch norms, bias of the final convolution


def test_flops_of_a_config(capsys: pytest.CaptureFixture) -> None:
    config = ROOT / 'configs' / 'pmsdsnet' / 'pmsdsnet_lite_synthetic-128.py'
    result = load_tool('analysis/get_flops').main(str(config), cfg_options={'model.backbone.num_stages': 1})
    shown = capsys.readouterr().out
    assert result['shape'] == (128, 128) and f'{result["params"] / 1e6:.3f} M' in shown
    assert f'{result["macs"] / 1e9:.3f} GMACs' in shown
    larger = load_tool('analysis/get_flops').count(config, (256, 128))
    assert larger['macs'] > 2 * result['macs']


def test_widths_of_the_config_match_the_search() -> None:
    """The counting of the search agrees with the networks of the configs, and the two totals with the paper."""
    search = load_tool('analysis/search_widths')
    backbone = Config.fromfile(ROOT / 'configs/pmsdsnet/pmsdsnet_3stage_onehand10k.py').model.backbone
    size = search.measure(backbone.widths, backbone.fusion_widths, backbone.stem_widths)
    assert size.matches(0.02)
    for stages, params in ((3, size.params_3), (6, size.params_6)):
        config = ROOT / f'configs/pmsdsnet/pmsdsnet_{stages}stage_onehand10k.py'
        counted = load_tool('analysis/get_flops').count(config)
        assert counted['params'] == params
        macs = size.macs_3 if stages == 3 else size.macs_6
        assert macs < counted['macs'] < 1.02 * macs  # the search leaves batch norms out
    assert not size._replace(params_6=4_800_000).matches(0.02)


def test_benchmark_of_targets(capsys: pytest.CaptureFixture) -> None:
    ((msra, ours),) = load_tool('analysis/benchmark_targets').main(
        sizes=(64,), strides=(2,), batch_size=2, batches=2, rounds=1, device='cpu'
    )
    labels = 21 * 3 * 4  # x, y and weight, float32
    assert ours.transfer == labels
    assert msra.transfer == 21 * 32 * 32 * 4 + 21 * 4  # maps and weights
    assert '| 64² | 2 |' in capsys.readouterr().out


def test_flops_of_attention_by_hand() -> None:
    """Two layers on 3×2 tokens: projections, feed-forward network, norms, and once the two products of attention."""
    model = dict(
        type='TopdownPoseEstimator',
        backbone=dict(type='ResNet', depth=18, num_stages=2, strides=(1, 2), dilations=(1, 1),
                      out_indices=(1,)),
        neck=dict(type='TransformerNeck', in_channels=128, embed_dims=8, num_layers=2, num_heads=2,
                  feedforward_channels=16),
        head=dict(type='OnDeviceHeatmapHead', in_channels=8, out_channels=1, deconv_out_channels=None,
                  decoder=dict(type='GaussianHeatmap', input_size=(24, 16), heatmap_size=(3, 2))),
    )  # fmt: skip
    tool, neck = load_tool('analysis/get_flops'), model.pop('neck')
    whole = tool.count(Config(dict(model=dict(model, neck=neck), default_scope='mmpose')))['macs']
    neck['num_layers'] = 1
    less = tool.count(Config(dict(model=dict(model, neck=neck), default_scope='mmpose')))['macs']
    tokens = 3 * 2
    linear = tokens * (4 * 8 * 8 + 2 * 8 * 16)
    assert whole - less == linear + 2 * tokens * tokens * 8 + 2 * 5 * tokens * 8  # 5 for each value of a norm
