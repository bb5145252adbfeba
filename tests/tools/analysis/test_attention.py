"""Figures of attention, of stages and of tokens: what they show, and the errors of the tool."""

import json
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest
import torch
from helpers.mini_coco import write_mini_coco
from helpers.paths import CONFIGS
from helpers.tool_module import load_tool
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.models import build_pose_estimator

from handkp_plugins.apis.attention import TIPS, find_attention, find_token_attention
from handkp_plugins.apis.inference import init_model

IMAGE = np.random.default_rng(0).integers(0, 255, (60, 100, 3), dtype=np.uint8)
BOX = np.array([20, 10, 60, 50])
STAGES = (
    'pmsdsnet/pmsdsnet_lite_synthetic-128.py',
    dict(
        backbone=dict(widths=(4,) * 4, fusion_widths=(4,) * 4, stem_widths=(4,) * 4),
        head=dict(in_channels=8),
        test_cfg=dict(flip_test=True),
    ),
)
TOKENS = (
    'hand_transformer/hand_transformer_r-small_synthetic-128.py',
    dict(
        backbone=dict(stem_channels=8, base_channels=8),
        neck=dict(in_channels=16, embed_dims=8, feedforward_channels=8),
        head=dict(in_channels=8, deconv_out_channels=(8,)),
        test_cfg=dict(flip_test=True, shift_heatmap=False),
    ),
)


def write_model(folder: Path, base: str, changes: dict) -> tuple[str, str]:
    """A config that inherits another one, very narrow, and random weights."""
    config, checkpoint = folder / 'narrow.py', folder / 'narrow.pth'
    config.write_text(f"_base_ = ['{CONFIGS / base}']\nmodel = {changes}\n")
    init_default_scope('mmpose')
    torch.manual_seed(0)
    model = build_pose_estimator(Config.fromfile(config).model)
    torch.nn.init.normal_(model.head.final_layer.weight)
    torch.save(dict(meta={}, state_dict=model.state_dict()), checkpoint)
    return str(config), str(checkpoint)


@pytest.fixture(scope='module')
def tool() -> ModuleType:
    return load_tool('analysis/attention')


@pytest.fixture(scope='module')
def stages(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    return write_model(tmp_path_factory.mktemp('stages'), *STAGES)


@pytest.fixture(scope='module')
def tokens(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    return write_model(tmp_path_factory.mktemp('tokens'), *TOKENS)


def test_attention_of_stages(stages: tuple[str, str]) -> None:
    model = init_model(*stages, device='cpu')
    found = find_attention(model, IMAGE, BOX)
    assert found.crop.shape == (128, 128, 3) and found.keypoints.shape == (21, 2)
    assert [[None if a is None else a.shape for a in stage] for stage in found.maps] == [
        [(32, 32), (16, 16), (8, 8), (4, 4)],
        [(32, 32), (16, 16), None, None],
    ]
    assert all(0 < a.min() <= a.max() < 1 for stage in found.maps for a in stage if a is not None)
    # The box, 40 pixels wide, and a tenth more around it fill the crop's 128.
    corner = 64 - 20 * 128 / 44
    np.testing.assert_allclose(found.to_crop(np.array([[40, 30], [20, 10]])), [[64, 64], [corner, corner]])
    data = dict(inputs=[torch.from_numpy(found.crop).permute(2, 0, 1)], data_samples=[])
    crop = model.data_preprocessor(data)['inputs']
    z = model.backbone(crop)[1]
    np.testing.assert_allclose(found.maps[0][0], z.sum(1).sigmoid()[0].detach().numpy(), atol=1e-6)


def test_figures_of_stages(tool: ModuleType, stages: tuple[str, str], tmp_path: Path) -> None:
    ann = write_mini_coco(tmp_path, num_images=2)
    images = [tmp_path / 'images' / f'000{i}.jpg' for i in range(2)]
    paths = tool.main(*stages, images, tmp_path / 'out', ann=ann, device='cpu')
    assert paths == [tmp_path / 'out' / f'000{i}.png' for i in range(2)]
    shown = cv2.imread(str(paths[0]))
    assert 5 * 256 <= shown.shape[1] < 6 * 256  # image, two stages, prediction, truth
    assert shown.shape[0] < 2 * 256


def test_all_scales_and_a_box(tool: ModuleType, stages: tuple[str, str], tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / 'hand.png'), np.full((50, 50, 3), 90, np.uint8))
    (path,) = tool.main(
        *stages, [tmp_path / 'hand.png'], tmp_path / 'out', bbox=(5, 5, 40, 40), all_scales=True, device='cpu'
    )
    shown = cv2.imread(str(path))
    assert 4 * 256 <= shown.shape[1] < 5 * 256 and 4 * 256 <= shown.shape[0] < 5 * 256


def test_errors(tool: ModuleType, stages: tuple[str, str], tmp_path: Path) -> None:
    out = tmp_path / 'out'
    with pytest.raises(ValueError, match='the box of the hand: expected one of --bbox'):
        tool.main(*stages, ['a.jpg'], out)
    with pytest.raises(ValueError, match='different file names'):
        tool.main(*stages, ['x/a.jpg', 'y/a.png'], out, whole_image=True)
    ann = write_mini_coco(tmp_path, num_images=1)
    other = tmp_path / 'other.jpg'
    cv2.imwrite(str(other), np.zeros((9, 9, 3), np.uint8))
    with pytest.raises(ValueError, match=r"other.jpg: .*ann.json has no image of this name; .*'images/0000.jpg'"):
        tool.main(*stages, [other], out, ann=ann, device='cpu')
    with pytest.raises(ValueError, match=r'--bbox: expected X Y W H .*got \[5, 5, 40\]'):
        tool.main(*stages, [other], out, bbox=(5, 5, 40), device='cpu')
    ann.write_text(json.dumps(dict(images=[], annotations=[], categories=[])))
    with pytest.raises(ValueError, match='ann.json'):
        tool.main(*stages, [other], out, ann=ann, device='cpu')


def test_networks_without_attention(tmp_path: Path) -> None:
    base, changes = STAGES
    changes = changes | dict(backbone=changes['backbone'] | dict(deep_supervision=False))
    model = init_model(*write_model(tmp_path, base, changes), device='cpu')
    with pytest.raises(ValueError, match='expected a network with deep supervision, .* got one without'):
        find_attention(model, IMAGE, BOX)
    model.backbone = torch.nn.Identity()
    with pytest.raises(ValueError, match='PMSDSNet or the neck TransformerNeck, got the backbone Identity'):
        find_attention(model, IMAGE, BOX)


def test_rows_and_columns_of_tokens(tokens: tuple[str, str]) -> None:
    model = init_model(*tokens, device='cpu')
    found = find_token_attention(model, IMAGE, BOX, TIPS)
    assert found.dependency.shape == found.affected.shape == (2, 4, 5, 16, 16)  # layers, heads, keypoints, h, w
    np.testing.assert_allclose(found.dependency.sum((-1, -2)), 1, rtol=1e-5)

    data = dict(inputs=[torch.from_numpy(found.crop).permute(2, 0, 1)], data_samples=[])
    with torch.no_grad():
        reduced = model.neck.reduce(model.backbone(model.data_preprocessor(data)['inputs'])[0])
        code = model.neck.position(reduced)
        first, second = model.neck.layers
        weights = second.attention.weights(first(reduced.flatten(2).mT, code), code)[0]
    for k, keypoint in enumerate(TIPS):
        x, y = np.clip(np.floor((found.keypoints[keypoint] + 0.5) / 8), 0, 15).astype(int)
        token = 16 * y + x
        np.testing.assert_allclose(found.dependency[1, :, k].reshape(4, -1), weights[:, token], atol=1e-5)
        np.testing.assert_allclose(found.affected[1, :, k].reshape(4, -1), weights[:, :, token], atol=1e-5)


def test_nothing_stays_behind(tokens: tuple[str, str]) -> None:
    model = init_model(*tokens, device='cpu')
    find_token_attention(model, IMAGE, BOX, [0])
    with pytest.raises(ValueError, match=r'keypoints: expected ids from 0 to 20, got \[21\]'):
        find_token_attention(model, IMAGE, BOX, [21])
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.neck.modules())


def test_figures_of_tokens(tool: ModuleType, tokens: tuple[str, str], tmp_path: Path) -> None:
    ann = write_mini_coco(tmp_path, num_images=2)
    images = [tmp_path / 'images' / f'000{i}.jpg' for i in range(2)]

    def cells(**options: object) -> tuple[int, int]:
        """Rows and columns of pictures."""
        paths = tool.main(*tokens, images, tmp_path / 'out', ann=ann, device='cpu', **options)
        assert paths == [tmp_path / 'out' / f'000{i}.png' for i in range(2)]
        h, w = cv2.imread(str(paths[0])).shape[:2]
        return h // 280, w // 260

    assert cells() == (1 + 5 * 2, 3)  # the fingertips, two layers
    assert cells(keypoints=[0, 8], heads=[1, 3, 4], layers=[2]) == (1 + 2 * 3 * 2, 3)  # image, prediction, truth
    assert cells(keypoints=[0], layers=[2, 1, 2]) == (3, 4)


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(layers=[3]), r'layers: expected 1 to 2, got \[3\]'),
        (dict(heads=[0]), r'heads: expected 1 to 4, got \[0\]'),
        (dict(keypoints=[-1]), r'keypoints: expected ids from 0 to 20, got \[-1\]'),
        (dict(all_scales=True), r"options: expected with this network \('keypoints', 'layers', 'heads'\), got"),
    ],
)
def test_options_out_of_range(
    tool: ModuleType, tokens: tuple[str, str], tmp_path: Path, options: dict, message: str
) -> None:
    cv2.imwrite(str(tmp_path / 'hand.png'), np.zeros((9, 9, 3), np.uint8))
    with pytest.raises(ValueError, match=message):
        tool.main(*tokens, [tmp_path / 'hand.png'], tmp_path / 'out', whole_image=True, device='cpu', **options)
