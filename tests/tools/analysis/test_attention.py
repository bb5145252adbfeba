"""Figures of attention: what they show, and the errors of the tool."""

import json
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

from handkp_plugins.apis.attention import find_attention
from handkp_plugins.apis.inference import init_model

LITE = ROOT / 'configs' / 'pmsdsnet' / 'pmsdsnet_lite_synthetic-128.py'


@pytest.fixture(scope='module')
def tool() -> ModuleType:
    return load_tool('analysis/attention')


def write_model(folder: Path, backbone: str = '') -> tuple[str, str]:
    """A config that inherits the lite one, very narrow, with random weights."""
    config, checkpoint = folder / 'narrow.py', folder / 'narrow.pth'
    config.write_text(f"""
_base_ = ['{LITE}']
model = dict(
    backbone=dict(widths=(4, 4, 4, 4), fusion_widths=(4, 4, 4, 4), stem_widths=(4, 4, 4, 4), {backbone}),
    head=dict(in_channels=8), test_cfg=dict(flip_test=True))
""")
    init_default_scope('mmpose')
    torch.manual_seed(0)
    model = build_pose_estimator(Config.fromfile(config).model)
    torch.save(dict(meta={}, state_dict=model.state_dict()), checkpoint)
    return str(config), str(checkpoint)


@pytest.fixture(scope='module')
def model_files(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    return write_model(tmp_path_factory.mktemp('narrow'))


def test_find_attention(model_files: tuple[str, str]) -> None:
    model = init_model(*model_files, device='cpu')
    image = np.random.default_rng(0).integers(0, 255, (60, 100, 3), dtype=np.uint8)
    found = find_attention(model, image, np.array([20, 10, 60, 50]))
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


def test_figures_with_truth(tool: ModuleType, model_files: tuple[str, str], tmp_path: Path) -> None:
    ann = write_mini_coco(tmp_path, num_images=2)
    images = [tmp_path / 'images' / f'000{i}.jpg' for i in range(2)]
    paths = tool.main(*model_files, images, tmp_path / 'out', ann=ann, device='cpu')
    assert paths == [tmp_path / 'out' / f'000{i}.png' for i in range(2)]
    shown = cv2.imread(str(paths[0]))
    assert 5 * 256 <= shown.shape[1] < 6 * 256  # image, two stages, prediction, truth
    assert shown.shape[0] < 2 * 256


def test_all_scales_and_a_box(tool: ModuleType, model_files: tuple[str, str], tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / 'hand.png'), np.full((50, 50, 3), 90, np.uint8))
    (path,) = tool.main(
        *model_files, [tmp_path / 'hand.png'], tmp_path / 'out', bbox=(5, 5, 40, 40), all_scales=True, device='cpu'
    )
    shown = cv2.imread(str(path))
    assert 4 * 256 <= shown.shape[1] < 5 * 256 and 4 * 256 <= shown.shape[0] < 5 * 256


def test_errors(tool: ModuleType, model_files: tuple[str, str], tmp_path: Path) -> None:
    out = tmp_path / 'out'
    with pytest.raises(ValueError, match='the box of the hand: expected one of --bbox'):
        tool.main(*model_files, ['a.jpg'], out)
    with pytest.raises(ValueError, match='different file names'):
        tool.main(*model_files, ['x/a.jpg', 'y/a.png'], out, whole_image=True)
    ann = write_mini_coco(tmp_path, num_images=1)
    other = tmp_path / 'other.jpg'
    cv2.imwrite(str(other), np.zeros((9, 9, 3), np.uint8))
    with pytest.raises(ValueError, match=r"other.jpg: .*ann.json has no image of this name; .*'images/0000.jpg'"):
        tool.main(*model_files, [other], out, ann=ann, device='cpu')
    with pytest.raises(ValueError, match=r'--bbox: expected X Y W H .*got \[5, 5, 40\]'):
        tool.main(*model_files, [other], out, bbox=(5, 5, 40), device='cpu')
    ann.write_text(json.dumps(dict(images=[], annotations=[], categories=[])))
    with pytest.raises(ValueError, match='ann.json'):
        tool.main(*model_files, [other], out, ann=ann, device='cpu')


def test_networks_without_attention(tmp_path: Path) -> None:
    image = np.zeros((20, 20, 3), np.uint8)
    model = init_model(*write_model(tmp_path, 'deep_supervision=False'), device='cpu')
    with pytest.raises(ValueError, match='expected a network with deep supervision, .* got one without'):
        find_attention(model, image, np.array([0, 0, 20, 20]))
    model.backbone = torch.nn.Identity()
    with pytest.raises(ValueError, match='PMSDSNet or the neck TransformerNeck, got the backbone Identity'):
        find_attention(model, image, np.array([0, 0, 20, 20]))
