"""Figures of a Transformer's attention: rows and columns at the predicted keypoints, and the errors of the tool."""

from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest
import torch
from helpers.mini_coco import write_mini_coco
from helpers.paths import ROOT
from helpers.tool_module import load_tool
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.models import build_pose_estimator
from torch import nn

from handkp_plugins.apis.attention import find_token_attention
from handkp_plugins.apis.inference import init_model

SMALL = ROOT / 'configs' / 'hand_transformer' / 'hand_transformer_r-small_synthetic-128.py'
TIPS = [4, 8, 12, 16, 20]


@pytest.fixture(scope='module')
def tool() -> ModuleType:
    return load_tool('analysis/attention')


@pytest.fixture(scope='module')
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A config that inherits the small one, very narrow and with a flip test, and random weights."""
    folder = tmp_path_factory.mktemp('narrow')
    config, checkpoint = folder / 'narrow.py', folder / 'narrow.pth'
    config.write_text(f"""
_base_ = ['{SMALL}']
model = dict(
    backbone=dict(stem_channels=8, base_channels=8), neck=dict(in_channels=16, embed_dims=8, feedforward_channels=8),
    head=dict(in_channels=8, deconv_out_channels=(8, )), test_cfg=dict(flip_test=True, shift_heatmap=False))
""")
    init_default_scope('mmpose')
    torch.manual_seed(0)
    model = build_pose_estimator(Config.fromfile(config).model)
    nn.init.normal_(model.head.final_layer.weight)
    torch.save(dict(meta={}, state_dict=model.state_dict()), checkpoint)
    return str(config), str(checkpoint)


@pytest.fixture(scope='module')
def image() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (60, 100, 3), dtype=np.uint8)


def test_rows_and_columns(files: tuple[str, str], image: np.ndarray) -> None:
    model = init_model(*files, device='cpu')
    found = find_token_attention(model, image, np.array([20, 10, 60, 50]), TIPS)
    assert found.dependency.shape == found.affected.shape == (2, 4, 5, 16, 16)  # layers, heads, keypoints, h, w
    np.testing.assert_allclose(found.dependency.sum((-1, -2)), 1, rtol=1e-5)

    data = dict(inputs=[torch.from_numpy(found.crop).permute(2, 0, 1)], data_samples=[])
    with torch.no_grad():
        reduced = model.neck.reduce(model.backbone(model.data_preprocessor(data)['inputs'])[0])
        code = model.neck.position(reduced)
        first, second = model.neck.layers
        tokens = first(reduced.flatten(2).mT, code)
        weights = second.attention.weights(tokens, code)[0]
    for k, keypoint in enumerate(TIPS):
        x, y = np.clip(np.floor((found.keypoints[keypoint] + 0.5) / 8), 0, 15).astype(int)
        token = 16 * y + x
        np.testing.assert_allclose(found.dependency[1, :, k].reshape(4, -1), weights[:, token], atol=1e-5)
        np.testing.assert_allclose(found.affected[1, :, k].reshape(4, -1), weights[:, :, token], atol=1e-5)


def test_nothing_stays_behind(files: tuple[str, str], image: np.ndarray) -> None:
    model = init_model(*files, device='cpu')
    find_token_attention(model, image, np.array([20, 10, 60, 50]), [0])
    with pytest.raises(ValueError, match=r'keypoints: expected ids from 0 to 20, got \[21\]'):
        find_token_attention(model, image, np.array([20, 10, 60, 50]), [21])
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.neck.modules())


def test_figures(tool: ModuleType, files: tuple[str, str], tmp_path: Path) -> None:
    ann = write_mini_coco(tmp_path, num_images=2)
    images = [tmp_path / 'images' / f'000{i}.jpg' for i in range(2)]

    def cells(**options: object) -> tuple[int, int]:
        """Rows and columns of pictures."""
        paths = tool.main(*files, images, tmp_path / 'out', ann=ann, device='cpu', **options)
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
def test_errors(tool: ModuleType, files: tuple[str, str], tmp_path: Path, options: dict, message: str) -> None:
    cv2.imwrite(str(tmp_path / 'hand.png'), np.zeros((9, 9, 3), np.uint8))
    with pytest.raises(ValueError, match=message):
        tool.main(*files, [tmp_path / 'hand.png'], tmp_path / 'out', whole_image=True, device='cpu', **options)
