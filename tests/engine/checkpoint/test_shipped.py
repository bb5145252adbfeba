import hashlib
import json
import re
import struct
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from helpers.mini_coco import write_mini_coco
from helpers.paths import ROOT
from helpers.shipped import ship_tiny
from mmengine.config import Config

from handkp_plugins.apis.detection import init_detector
from handkp_plugins.apis.inference import init_model, init_shipped_model, predict
from handkp_plugins.cli import train_test as cli
from handkp_plugins.engine.checkpoint import shipped as weights
from handkp_plugins.engine.checkpoint.reading import read_checkpoint
from handkp_plugins.engine.config import load_config
from handkp_plugins.errors import BrokenCheckpointError, CheckpointError


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path, Path]:
    return ship_tiny(tmp_path, monkeypatch)


def shortened_header(file: Path, change: dict[str, str] | None) -> None:
    """Rewrite the metadata of a safetensors file: eight bytes of length, JSON, weights."""
    data = file.read_bytes()
    (length,) = struct.unpack('<Q', data[:8])
    header = json.loads(data[8 : 8 + length])
    if change is None:
        del header['__metadata__']
    else:
        header['__metadata__'] |= change
    text = json.dumps(header).encode()
    file.write_bytes(struct.pack('<Q', len(text)) + text + data[8 + length :])


def test_values_are_rounded_to_half_precision_and_come_back_single(tmp_path: Path, shipped: tuple):
    given = dict(a=torch.tensor([1.0, 1 + 2**-11, 1 + 2**-10, -65504.0]), n=torch.tensor([7]))
    given['large'] = torch.tensor([70000.0, 1 + 2**-11])  # beyond half precision
    weights.save_weights_file(tmp_path / 'x.safetensors', given, 'tiny/tiny.py', load_config(shipped[0]), True)
    read, metadata = weights.load_weights_file(tmp_path / 'x.safetensors')
    assert read['a'].dtype is torch.float32 and read['n'].dtype is torch.int64
    assert read['a'].tolist() == [1.0, 1.0, 1 + 2**-10, -65504.0]
    assert read['large'].tolist() == [70000.0, 1 + 2**-11]
    assert (metadata['config'], metadata['averaged'], metadata['handkp_weights']) == ('tiny/tiny.py', 'True', '1')


@pytest.mark.parametrize('value', [float('inf'), float('nan')])
def test_what_is_not_finite_is_refused(tmp_path: Path, shipped: tuple, value: float):
    given = dict(fine=torch.ones(1), bad=torch.tensor([1.0, value]))
    with pytest.raises(ValueError, match='finite values, got others in bad'):
        weights.save_weights_file(tmp_path / 'x.safetensors', given, 'tiny/tiny.py', load_config(shipped[0]))
    assert not (tmp_path / 'x.safetensors').exists()


def test_names(shipped: tuple, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    assert weights.available() == {'lite': shipped[2]}
    assert weights.weights_file('lite') == weights.weights_file('handkp://lite') == shipped[2]
    with pytest.raises(ValueError, match="expected lite, got 'huge'"):
        read_checkpoint('handkp://huge')
    with pytest.raises(ValueError, match="expected lite, got '../lite'"):
        read_checkpoint('handkp://../lite')
    monkeypatch.setattr(weights, 'FOLDER', tmp_path / 'none')
    assert weights.available() == {}
    with pytest.raises(ValueError, match='this version ships no weights'):
        weights.weights_file('lite')


def test_every_way_to_name_a_checkpoint_gives_the_same_weights(shipped: tuple):
    from mmpose.apis import MMPoseInferencer
    from mmpose.apis import init_model as mmpose_init_model
    from mmpose.models.builder import build_pose_estimator

    config, checkpoint, _ = shipped
    expected = torch.load(checkpoint, weights_only=True)['state_dict']
    cfg = Config.fromfile(config)
    cfg.model.init_cfg = dict(type='Pretrained', checkpoint='handkp://lite')
    pretrained = build_pose_estimator(cfg.model)
    pretrained.init_weights()
    with_visualizer = config.with_name('visual.py')
    with_visualizer.write_text(
        config.read_text() + "data_mode, dataset_type = 'topdown', 'SyntheticHandDataset'\n"
        "visualizer = dict(type='PoseLocalVisualizer')\n"
    )
    inferencer = MMPoseInferencer(
        pose2d=str(with_visualizer), pose2d_weights='handkp://lite', device='cpu', det_model='whole_image'
    )
    models = [
        init_model(config, 'handkp://lite', 'cpu'),
        init_shipped_model('lite', 'cpu'),
        mmpose_init_model(str(config), 'handkp://lite', device='cpu'),
        pretrained,
        inferencer.inferencer.model,
    ]
    for model in models:
        for key, value in model.state_dict().items():
            if value.is_floating_point():
                torch.testing.assert_close(value, expected[key].half().float(), rtol=0, atol=0)


def test_a_training_starts_from_them_and_a_test_runs_on_them(shipped: tuple, tmp_path: Path):
    write_mini_coco(tmp_path, num_images=2)
    cfg = load_config(shipped[0])
    test = cfg.test_dataloader
    test.update(batch_size=2, num_workers=0, sampler=dict(type='DefaultSampler', shuffle=False))
    test.dataset.update(type='OneHand10KDataset', data_root=str(tmp_path), ann_file='ann.json', test_mode=True)
    cfg.update(
        load_from='handkp://lite',
        work_dir=str(tmp_path / 'work'),
        test_cfg=dict(),
        test_evaluator=dict(type='EPE'),
        train_dataloader=None,
        log_level='ERROR',
        experiment_name='weights',
    )
    runner = cli.build_runner(cfg)
    assert np.isfinite(runner.test()['EPE'])
    expected = torch.load(shipped[1], weights_only=True)['state_dict']['head.final_layer.weight']
    torch.testing.assert_close(runner.model.head.final_layer.weight.data, expected.half().float(), rtol=0, atol=0)


def test_mmengine_tells_the_known_names(shipped: tuple):
    from mmpose.apis import init_model as mmpose_init_model

    with pytest.raises(CheckpointError, match="^weights: expected lite, got 'heavy'$"):
        mmpose_init_model(str(shipped[0]), 'handkp://heavy', device='cpu')


@pytest.mark.parametrize('keep', [0, 5, 300, -1])
def test_a_file_cut_short(shipped: tuple, keep: int):
    file = shipped[2]
    file.write_bytes(file.read_bytes()[:keep])
    with pytest.raises(BrokenCheckpointError, match=f'{file}: not a whole safetensors file; it was cut short'):
        read_checkpoint('handkp://lite')


def test_one_flipped_bit(shipped: tuple):
    data = bytearray(shipped[2].read_bytes())
    data[-100] ^= 1
    shipped[2].write_bytes(data)
    with pytest.raises(BrokenCheckpointError, match='damaged: its weights do not have'):
        read_checkpoint('handkp://lite')


@pytest.mark.parametrize(
    'change, message',
    [
        (None, 'a weights file of this project'),
        ({'handkp_weights': 'x'}, 'a weights file of this project'),
        ({'handkp_weights': '2'}, 'format: expected 1, got 2: install a newer'),
    ],
)
def test_other_headers(shipped: tuple, change: dict | None, message: str):
    shortened_header(shipped[2], change)
    with pytest.raises(BrokenCheckpointError, match=message):
        read_checkpoint('handkp://lite')


@pytest.mark.parametrize('name', ['tiny/gone.py', '../secret.py', 'ABSOLUTE/secret.py'])
def test_a_config_outside_the_package(shipped: tuple, name: str):
    name = name.replace('ABSOLUTE', str(weights.CONFIGS.parent.resolve()))
    (weights.CONFIGS.parent / 'secret.py').touch()
    shortened_header(shipped[2], {'config': name})
    with pytest.raises(FileNotFoundError, match=f'config: expected a file below .*, got {re.escape(name)}'):
        weights.config_file(shipped[2])


def test_shapes_of_another_network(shipped: tuple):
    cfg = load_config(shipped[0])
    cfg.model.backbone.widen_factor = 0.5
    with pytest.raises(CheckpointError, match='handkp://lite: the weights are of another network .* of another size'):
        init_model(cfg, 'handkp://lite', 'cpu')


def test_a_difference_that_shapes_do_not_show(shipped: tuple, monkeypatch: pytest.MonkeyPatch):
    cfg = load_config(shipped[0])
    checkpoint = read_checkpoint('handkp://lite')
    assert weights.differing_parts(checkpoint['meta']['handkp_weights'], cfg) == []
    cfg.model.test_cfg = dict(flip_test=True)
    cfg.model.head.loss.type = 'KeypointOHKMMSELoss'
    assert weights.differing_parts(checkpoint['meta']['handkp_weights'], cfg) == []
    cfg.model.data_preprocessor.mean = [0.0, 0.0, 0.0]
    cfg.model.head.decoder.sigma = 3
    assert weights.differing_parts(checkpoint['meta']['handkp_weights'], cfg) == ['head', 'normalisation']
    told: list[str] = []
    monkeypatch.setattr('handkp_plugins.engine.checkpoint.weights.print_log', lambda text, *_: told.append(text))
    init_model(cfg, 'handkp://lite', 'cpu')
    (text,) = told
    assert text.startswith('handkp://lite: trained with tiny/tiny.py of handkp_plugins')
    assert text.endswith('differs in: head, normalisation')


def test_what_this_version_ships_is_small_whole_and_has_its_card():
    files = weights.available()
    cards = {file.stem: file for file in weights.FOLDER.glob('*.md')}
    assert cards.keys() == files.keys()
    assert sum(f.stat().st_size for f in (*files.values(), *cards.values())) < 25e6
    image = np.zeros((64, 64, 3), np.uint8)
    cv2.circle(image, (32, 32), 20, (120, 150, 200), -1)
    for name, file in files.items():
        assert hashlib.sha256(file.read_bytes()).hexdigest() in cards[name].read_text()
        metadata = weights.read_metadata(file)
        assert weights.differing_parts(metadata, load_config(weights.config_file(file))) == []
        if 'classes' in metadata:
            found = init_detector(weights.config_file(file), f'{weights.SCHEME}{name}', 'cpu', score_thr=0)(image)
            assert len(found.boxes) and np.isfinite(found.boxes).all()
            continue
        (result,) = predict(init_shipped_model(name, 'cpu'), image, np.array([[0, 0, 64, 64]], np.float32))
        assert np.isfinite(result['keypoints']).all()


def test_the_wheel_takes_them_along():
    text = (ROOT / 'pyproject.toml').read_text()
    for kind in ('safetensors', 'md'):
        assert f'"{weights.FOLDER.name}/*.{kind}"' in text
    assert weights.CONFIGS.is_dir() and (weights.CONFIGS / 'pmsdsnet').is_dir()
