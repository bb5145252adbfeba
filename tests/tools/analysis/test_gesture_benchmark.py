"""GestureNet learns signs from a table, by the benchmark and by the training and test tools."""

import pytest
from helpers.gesture_table import gesture_rows, write_table
from helpers.tool_module import load_tool

from handkp_plugins.errors import CheckpointError


def test_signs_that_differ_are_told_apart_and_those_at_random_are_not(tmp_path, capsys):
    rows = gesture_rows(40)
    table = write_table(tmp_path / 'signs.csv', rows)
    shuffled = write_table(tmp_path / 'shuffled.csv', [(rows[i * 37 % 120][0], p) for i, (_, p) in enumerate(rows)])
    options = {'train_cfg.max_iters': 150, 'param_scheduler.0.end': 15, 'param_scheduler.1.begin': 15}
    tool = load_tool('analysis/gesture_benchmark')
    found, random = tool.main([table, shuffled], cfg_options=options, json_file=tmp_path / 'out.json')
    assert (found['train'], found['test'], found['classes']) == (84, 24, 3)
    for name in ('GestureNet', *tool.BASELINES):
        assert found[name] > 0.9 and random[name] < 0.7, name
    out = capsys.readouterr().out
    assert f'| signs | 84, 24 | 3 | {found["GestureNet"]:.3f} |' in out and '| mean | | | ' in out
    assert (tmp_path / 'out.json').is_file()


def test_a_wrong_number_of_classes_is_told_by_the_training_tool(tmp_path):
    table = write_table(tmp_path / 'signs.csv', gesture_rows(10))
    loaders = [
        f'{part}_dataloader.dataset.{key}' for part in ('train', 'val') for key in ('data_root=', f'ann_file={table}')
    ]
    argv = ['configs/msahp/gesturenet_keypoints.py', '--work-dir', str(tmp_path / 'work'), '--cfg-options', *loaders]
    with pytest.raises(ValueError, match='num_classes: expected 3, the classes of the data, got 4'):
        load_tool('train').main(argv)
    other = write_table(tmp_path / 'other.csv', gesture_rows(10, signs=('open', 'fist', 'ok')))
    argv += ['model.num_classes=3', f'val_dataloader.dataset.ann_file={other}']
    with pytest.raises(ValueError, match='val_dataloader: expected .*, fist, open, point, .*fist, ok, open'):
        load_tool('train').main(argv)


def test_train_and_test_tools(tmp_path):
    table = write_table(tmp_path / 'signs.csv', gesture_rows(20))
    loaders = [f'{part}_dataloader.dataset.{key}' for part in ('train', 'val', 'test')
               for key in ('data_root=', f'ann_file={table}')]  # fmt: skip
    config, work = 'configs/msahp/gesturenet_keypoints.py', tmp_path / 'work'
    sizes = ['model.num_classes=3', 'train_cfg.max_iters=40', 'train_cfg.val_interval=40']
    sizes += ['param_scheduler.0.end=5', 'param_scheduler.1.begin=5', 'default_hooks.checkpoint.interval=40']
    load_tool('train').main([config, '--work-dir', str(work), '--cfg-options', *loaders, *sizes])
    picture = tmp_path / 'confusion.png'
    scores = load_tool('test').main(
        [config, str(work / 'iter_40.pth'), '--work-dir', str(work), '--cfg-options', *loaders, *sizes,
         f'test_evaluator.0.picture_file={picture}'])  # fmt: skip
    assert scores['accuracy'] > 0.9 and scores['WER'] == pytest.approx(1 - scores['accuracy'])
    assert picture.is_file()

    other = write_table(tmp_path / 'other.csv', gesture_rows(20, signs=('open', 'fist', 'ok')))
    with pytest.raises(CheckpointError, match='classes of the checkpoint, fist, open, point, got fist, ok, open'):
        load_tool('test').main(
            [config, str(work / 'iter_40.pth'), '--work-dir', str(work), '--cfg-options', 'model.num_classes=3',
             'test_dataloader.dataset.data_root=', f'test_dataloader.dataset.ann_file={other}'])  # fmt: skip
    with pytest.raises(ValueError, match='--badcase: expected a network that finds keypoints, got GestureNet'):
        load_tool('test').main([config, str(work / 'iter_40.pth'), '--badcase'])
