import hashlib
import json
from pathlib import Path
from types import ModuleType

import pytest
import torch
from helpers.mini_coco import write_mini_coco
from helpers.shipped import ship_tiny
from helpers.tool_module import load_tool
from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData

from handkp_plugins.engine.checkpoint import shipped as weights


@pytest.fixture(scope='module')
def export() -> ModuleType:
    return load_tool('export_weights')


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict:
    """Arguments of an export of the tiny network, checked on two pictures."""
    config, checkpoint, _ = ship_tiny(tmp_path, monkeypatch)
    write_mini_coco(tmp_path / 'mini', num_images=2)
    options = {
        'type': 'OneHand10KDataset',
        'data_root': str(tmp_path / 'mini'),
        'ann_file': 'ann.json',
        'test_mode': True,
    }
    options = {f'test_dataloader.dataset.{key}': value for key, value in options.items()}
    return dict(config=config, checkpoint=checkpoint, name='small', cfg_options=options)


def test_export(export: ModuleType, tiny: dict, tmp_path: Path, capsys: pytest.CaptureFixture):
    row = dict(title='Sample', measures='accuracy', labels='made up', n_hands=2, n_keypoints=42)
    row |= {'pck_0.1': 0.5, 'pck_0.2': 0.75, 'median_px': 3.25, 'mean_px': 4.0}
    (tmp_path / 'real.json').write_text(json.dumps(dict(sources=[row])))
    (tmp_path / 'test.json').write_text(json.dumps({'EPE': 1.25}))
    file = export.main(
        card=dict(data='dots', seed='0', limits='only dots'),
        scores=[tmp_path / 'real.json', tmp_path / 'test.json'],
        **tiny,
    )
    assert file == weights.weights_file('small')
    read, metadata = weights.load_weights_file(file)
    stored = torch.load(tiny['checkpoint'], weights_only=True)['state_dict']
    assert read.keys() == {key for key in stored if not key.endswith('num_batches_tracked')}
    for key, value in read.items():
        torch.testing.assert_close(value, stored[key].half().float(), rtol=0, atol=0)
    assert metadata['config'] == 'tiny/tiny.py'
    card = file.with_suffix('.md').read_text()
    assert hashlib.sha256(file.read_bytes()).hexdigest() in card
    row = '| Sample | accuracy | 2 | 42 | 0.500 | 0.750 | 3.2 | 4.0 |'
    for text in ('only dots', row, '- Sample: labels made up.'):
        assert text in card
    for text in ('| EPE | 1.2500 |', '## Who and what is not covered', 'of 42 keypoints', 'as after the last step'):
        assert text in card
    assert '## Recipe\n\nNot stated.' in card
    assert 'the card does not state: recipe, command\n' in capsys.readouterr().out
    assert {f.name for f in file.parent.iterdir()} == {'lite.safetensors', 'small.safetensors', 'small.md'}


@pytest.mark.parametrize(
    'mark, told',
    [({'ema_state_dict': {}}, 'moving average over the training'), ({'mean_of': ['a', 'b']}, 'mean of 2 networks')],
)
def test_averaged_weights_are_told(export: ModuleType, tiny: dict, mark: dict, told: str):
    stored = torch.load(tiny['checkpoint'], weights_only=True)
    torch.save(dict(stored, **mark), tiny['checkpoint'])
    file = export.main(**tiny)
    assert weights.read_metadata(file)['averaged'] == 'True'
    assert told in file.with_suffix('.md').read_text()


def test_weights_that_half_precision_changes_are_not_written(
    export: ModuleType, tiny: dict, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(export, 'MAX_DIFFERENCE', 0.0)
    with pytest.raises(ValueError, match='half precision moves keypoints: expected less than 0.0 px for 99% of them'):
        export.main(**tiny)
    assert {f.name for f in weights.FOLDER.iterdir()} == {'lite.safetensors'}


def test_the_difference_is_seen(export: ModuleType, tiny: dict):
    """Weights that differ by more than rounding give keypoints that differ."""
    model = export.init_model(export.load_config(tiny['config'], tiny['cfg_options']), tiny['checkpoint'], 'cpu')
    same = export.compare(model, model.state_dict(), 2)
    assert same.shape == (2, 21) and same.max() == 0
    other = {'head.final_layer.weight': -model.head.final_layer.weight}
    with pytest.raises(ValueError, match='half precision moves keypoints'):
        export.compare(model, other, 2)


@pytest.mark.parametrize(
    'change, message',
    [
        (dict(name='My weights'), "name: expected small letters, digits, - and _, got 'My weights'"),
        (dict(card=dict(mood='good')), 'card: expected fields data, recipe, command, .* got mood'),
        (dict(config='elsewhere'), 'config: expected a file below .*configs, got .*elsewhere.py'),
        (dict(scores='[1]'), r'scores: expected documents of tools/analysis/real_check.py, .* got \[1\]'),
        (dict(scores='{"sources": [{}]}'), r"scores: expected documents .* \(KeyError: 'title'\)"),
    ],
)
def test_what_cannot_be_is_told_before_the_work(
    export: ModuleType, tiny: dict, tmp_path: Path, change: dict, message: str
):
    if 'config' in change:
        change = dict(config=tmp_path / 'elsewhere.py')
        change['config'].write_text(tiny['config'].read_text())
    if 'scores' in change:
        (tmp_path / 's.json').write_text(change['scores'])
        change = dict(scores=[tmp_path / 's.json'])
    with pytest.raises(ValueError, match=message):
        export.main(**dict(tiny, **change))


def test_command_line(export: ModuleType, capsys: pytest.CaptureFixture):
    parsed = export.parse_args(['c.py', 'w.pth', 'lite', '--card', 'seed=0', 'data=a=b', '--scores', 's.json'])
    assert parsed['card'] == {'seed': '0', 'data': 'a=b'}
    assert (parsed['config'], parsed['checkpoint'], parsed['name']) == ('c.py', 'w.pth', 'lite')
    for wrong in ('seed', 'mood=good'):
        with pytest.raises(SystemExit):
            export.parse_args(['c.py', 'w.pth', 'lite', '--card', wrong])
        assert 'expected FIELD=TEXT with data, recipe, command' in capsys.readouterr().err
    with pytest.raises(SystemExit) as done:
        export.parse_args(['--help'])
    assert done.value.code == 0
    assert 'Example:' in capsys.readouterr().out


def detected(boxes: list[list[float]], scores: list[float]) -> DetDataSample:
    found = InstanceData(bboxes=torch.tensor(boxes).reshape(-1, 4), scores=torch.tensor(scores))
    return DetDataSample(pred_instances=found, metainfo=dict(scale_factor=(0.5, 0.5)))


def test_boxes_are_compared_in_pixels_of_the_input(export: ModuleType, monkeypatch: pytest.MonkeyPatch):
    """The picture is twice the input; the order of boxes may change, and those that score little do not count."""
    single = detected([[0, 0, 40, 40], [50, 50, 90, 90], [9, 9, 30, 30]], [0.9, 0.8, 0.1])
    rounded = detected([[50, 50, 90, 90.5], [0, 0.25, 40, 40]], [0.8, 0.8])
    pairs = [(single, rounded), (detected([], []), rounded)]
    monkeypatch.setattr(export, '_both', lambda *arguments: iter(pairs))
    assert sorted(export.compare_boxes(None, {}, 2).tolist())[-2:] == [0.125, 0.25]
    pairs[1] = (single, detected([], []))
    with pytest.raises(ValueError, match='half precision moves boxes: expected less than 0.5 px .* got 1000.000 px'):
        export.compare_boxes(None, {}, 2)
    pairs[:] = [(detected([[0, 0, 1, 1]], [0.2]), rounded)]
    with pytest.raises(ValueError, match='expected boxes that score more than 0.3, got none in 1 images'):
        export.compare_boxes(None, {}, 1)
