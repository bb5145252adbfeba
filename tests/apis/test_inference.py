from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.tiny_model import write_tiny_model
from mmengine.config import Config

from handkp_plugins.apis.inference import init_model, predict, predict_each, resolve_device
from handkp_plugins.errors import CheckpointError


@pytest.fixture(scope='module')
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return write_tiny_model(tmp_path_factory.mktemp('tiny'))


@pytest.fixture(scope='module')
def tiny(tiny_model: tuple[Path, Path]) -> torch.nn.Module:
    return init_model(*tiny_model, device='cpu')


def noise(height: int = 48, width: int = 80) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (height, width, 3), dtype=np.uint8)


def test_results_lie_in_their_boxes_and_the_image_stays(tiny: torch.nn.Module):
    image, boxes = noise(), np.array([[0, 0, 40, 48], [30, 10, 80, 40], [5, 5, 10, 10]], np.float32)
    before = image.copy()
    results = predict(tiny, image, boxes)
    np.testing.assert_array_equal(image, before)
    assert len(results) == 3
    for box, result in zip(boxes, results, strict=True):
        np.testing.assert_array_equal(result['bbox'], box)
        assert result['keypoints'].shape == (21, 2)
        assert result['scores'].shape == (21,)
        center, side = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]).max()
        assert (np.abs(result['keypoints'] - center) <= 0.75 * side).all()
        assert 'heatmap' not in result


def test_batches_do_not_matter(tiny: torch.nn.Module):
    image = noise()
    boxes = [[x, 0, x + 30, 40] for x in range(0, 50, 10)]
    for one, many in zip(
        predict(tiny, image, boxes, batch_size=1), predict(tiny, image, boxes, batch_size=3), strict=True
    ):
        np.testing.assert_allclose(one['keypoints'], many['keypoints'], atol=1e-3)
        np.testing.assert_allclose(one['scores'], many['scores'], atol=1e-5)


def test_one_hand_in_each_of_several_images(tiny: torch.nn.Module):
    images = [noise(), noise(60, 50), noise(48, 80)[:, ::-1].copy()]
    boxes = np.array([[0, 0, 40, 48], [5, 5, 50, 40], [30, 0, 60, 40]], np.float32)
    keypoints, scores = predict_each(tiny, images, boxes)
    assert keypoints.shape == (3, 21, 2) and scores.shape == (3, 21)
    for i, (image, box) in enumerate(zip(images, boxes, strict=True)):
        (alone,) = predict(tiny, image, box[None])
        np.testing.assert_allclose(keypoints[i], alone['keypoints'], atol=1e-3)
        np.testing.assert_allclose(scores[i], alone['scores'], atol=1e-5)
    with pytest.raises(ValueError, match='expected one for each image, got 2 for 3 images'):
        predict_each(tiny, images, boxes[:2])
    with pytest.raises(ValueError, match='expected boxes that touch the image of 50x60 px'):
        predict_each(tiny, images, boxes + [[0, 0, 0, 0], [60, 0, 60, 0], [0, 0, 0, 0]])


def test_no_boxes_no_results(tiny: torch.nn.Module):
    assert predict(tiny, noise(), []) == []
    assert predict(tiny, noise(), np.zeros((0, 4))) == []


def test_heatmaps_cover_the_image(tiny_model: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch):
    model = init_model(*tiny_model, device='cpu', output_heatmaps=True)
    maps = torch.zeros(1, 21, 16, 16)
    maps[:, :, 6, 10] = 1
    monkeypatch.setattr(model.head, 'forward', lambda features: maps)
    result = predict(model, noise(), [[0, 0, 30, 48]])[0]
    # the network sees a square of 48 * 1.25 = 60 px around (15, 24), in 16 cells: x = -15 + 10 * 60 / 16
    np.testing.assert_allclose(result['keypoints'], [[22.5, 16.5]] * 21, atol=1e-3)
    assert result['heatmap'].shape == (48, 80)
    y, x = np.unravel_index(result['heatmap'].argmax(), (48, 80))
    assert abs(x - 22.5) < 1
    assert abs(y - 16.5) < 1
    assert (result['heatmap'][:, 50:] == 0).all()


@pytest.mark.parametrize(
    'boxes, message',
    [
        ([0, 0, 5, 5], r'bboxes: expected shape \(N, 4\), got \(4,\)'),
        ([[0, 0, 5, 5], [9, 9, 9, 12]], r'x1 < x2 and y1 < y2, got \[9.0, 9.0, 9.0, 12.0\] for box 1'),
        ([[0, 0, float('nan'), 5]], 'for box 0'),
        ([[80, 0, 90, 5]], r'expected boxes that touch the image of 80x48 px, got \[80.0, 0.0, 90.0, 5.0\] for box 0'),
    ],
)
def test_bad_boxes(tiny: torch.nn.Module, boxes: list, message: str):
    with pytest.raises(ValueError, match=message):
        predict(tiny, noise(), boxes)
    with pytest.raises(ValueError, match='image: expected a uint8 array'):
        predict(tiny, noise().astype(np.float32), [[0, 0, 5, 5]])


def test_the_config_given_is_not_modified(tiny_model: tuple[Path, Path]):
    config = Config.fromfile(tiny_model[0])
    before = config.pretty_text
    init_model(config, tiny_model[1], 'cpu', output_heatmaps=True)
    assert config.pretty_text == before


def test_configs_of_a_detector_and_without_data(tiny_model: tuple[Path, Path]):
    config = Config.fromfile(tiny_model[0])
    config.pop('train_dataloader')
    with pytest.raises(ValueError, match='expected train_dataloader with a dataset that names its keypoints'):
        init_model(config, tiny_model[1], 'cpu')
    config.model = dict(type='RTMDet', bbox_head=dict(type='RTMDetSepBNHead'))
    with pytest.raises(ValueError, match='expected a network of keypoints, got a detector, RTMDet'):
        init_model(config, tiny_model[1], 'cpu')


def test_config_text_inside_a_checkpoint_is_not_executed(tiny_model: tuple[Path, Path], tmp_path: Path):
    checkpoint = torch.load(tiny_model[1], weights_only=True)
    checkpoint['meta']['cfg'] = f'open({str(tmp_path / "ran")!r}, "w")\n'
    torch.save(checkpoint, tmp_path / 'loaded.pth')
    init_model(tiny_model[0], tmp_path / 'loaded.pth', 'cpu')
    assert not (tmp_path / 'ran').exists()


def test_bad_checkpoints(tiny_model: tuple[Path, Path], tmp_path: Path):
    config, good = tiny_model
    with pytest.raises(FileNotFoundError, match='none.pth'):
        init_model(config, tmp_path / 'none.pth', 'cpu')
    truncated = tmp_path / 'truncated.pth'
    truncated.write_bytes(good.read_bytes()[:3000])
    with pytest.raises(CheckpointError, match='truncated.pth: not a whole checkpoint'):
        init_model(config, truncated, 'cpu')
    other = tmp_path / 'other.pth'
    torch.save(dict(meta={}, state_dict=torch.nn.Linear(2, 2).state_dict()), other)
    with pytest.raises(CheckpointError, match='other.pth: the weights are of another network'):
        init_model(config, other, 'cpu')


def test_resolve_device():
    assert resolve_device('cpu') == 'cpu'
    assert resolve_device() == ('cuda:0' if torch.cuda.is_available() else 'cpu')
    with pytest.raises(ValueError, match="device: expected 'auto', 'cpu' or 'cuda:N', got 'gpu'"):
        resolve_device('gpu')
    if not torch.cuda.is_available():
        with pytest.raises(ValueError, match="where no GPU is found, got 'cuda:0'"):
            resolve_device('cuda:0')
