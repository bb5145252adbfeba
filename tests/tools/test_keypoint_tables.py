"""Fingerspelling end to end, tiny: frames, fine-tuning, tables of keypoints, signs."""

import csv
import json

import numpy as np
import pytest
from helpers.tool_module import load_tool
from mmpose.registry import DATASETS

from handkp_plugins.apis.inference import init_model, predict
from handkp_plugins.fileio.images import read_image

LETTERS = ('letter_a', 'letter_l', 'letter_w')
POSE, SIGNS = 'configs/msahp/msahp_small-128_fingerspelling.py', 'configs/msahp/gesturenet_fingerspelling.py'
PARTS = ('train', 'val', 'test')
tables = load_tool('keypoint_tables')


@pytest.fixture(scope='module')
def frames(tmp_path_factory):
    """Five people, three letters, three frames a clip."""
    out = tmp_path_factory.mktemp('spelling') / 'set'
    options = dict(video=True, signs=LETTERS, num=5, size=64, workers=1)
    assert load_tool('make_synthetic').main(out, **options).splits == dict(train=27, val=9, test=9)
    return out


def rows(folder, part):
    with open(folder / f'{part}.csv', newline='') as file:
        return [(row[0], np.array(row[1:], float).reshape(21, 2)) for row in csv.reader(file)]


def annotations(root, part):
    return json.loads((root / 'annotations' / f'{part}.json').read_text())


def test_the_four_commands(frames, tmp_path):
    work = tmp_path / 'pose'
    loaders = [f'{part}_dataloader.{key}' for part in PARTS
               for key in (f'dataset.data_root={frames}/', 'num_workers=0', 'persistent_workers=False')]  # fmt: skip
    small = ['load_from=None', 'model.backbone.widths=[4,4,4,8]', 'model.backbone.bottleneck.embed_dims=8']
    short = ['train_dataloader.dataset.spread=6', 'train_dataloader.batch_size=4', 'train_cfg.max_epochs=1',
             'train_dataloader.sampler.samples_per_epoch=8', 'param_scheduler.0.end=1', 'param_scheduler.1.begin=1',
             'train_cfg.val_interval=1']  # fmt: skip
    load_tool('train').main([POSE, '--work-dir', str(work), '--cfg-options', *loaders, *small, *short])
    config, checkpoint = work / 'msahp_small-128_fingerspelling.py', work / 'epoch_1.pth'

    counts = tables.main(frames, config, checkpoint, tmp_path / 'found', batch_size=4)
    assert counts == dict(train=27, val=9, test=9) == tables.main(frames, out=tmp_path / 'true', labels=True)
    first, truth = rows(tmp_path / 'found', 'test')[4], rows(tmp_path / 'true', 'test')
    labelled = annotations(frames, 'test')
    box, image = labelled['annotations'][4]['bbox'], labelled['images'][4]['file_name']
    corners = np.array([[*box[:2], *np.add(box[:2], box[2:])]])
    (alone,) = predict(init_model(config, checkpoint, 'cpu'), read_image(frames / image), corners)
    assert first[0] == 'letter_l' and np.allclose(first[1], alone['keypoints'], atol=0.02)
    for (sign, points), annotation in zip(truth, labelled['annotations'], strict=True):
        assert sign == annotation['gesture']
        assert np.allclose(points, np.reshape(annotation['keypoints'], (21, 3))[:, :2], atol=0.006)

    # the tiny network has learned nothing: signs are learned from the true keypoints, and tested on another person
    roots = [f'{part}_dataloader.dataset.data_root={tmp_path}/true/' for part in PARTS]
    sizes = ['model.num_classes=3', 'train_cfg.max_iters=80', 'train_cfg.val_interval=80', 'param_scheduler.0.end=8',
             'param_scheduler.1.begin=8', 'default_hooks.checkpoint.interval=80']  # fmt: skip
    work = tmp_path / 'signs'
    load_tool('train').main([SIGNS, '--work-dir', str(work), '--cfg-options', *roots, *sizes])
    scores = load_tool('test').main(
        [SIGNS, str(work / 'iter_80.pth'), '--work-dir', str(work), '--cfg-options', *roots, *sizes,
         f'test_evaluator.0.picture_file={tmp_path}/confusion.png'])  # fmt: skip
    assert scores['accuracy'] > 0.7 and scores['WER'] == pytest.approx(1 - scores['accuracy'])
    assert (tmp_path / 'confusion.png').is_file()


def test_nobody_is_on_both_sides(frames, tmp_path):
    people = {part: {image['person'] for image in annotations(frames, part)['images']} for part in PARTS}
    assert sorted(sum(map(sorted, people.values()), [])) == list(range(5)) and len(people['train']) == 3
    (tmp_path / 'annotations').mkdir()
    for part, source in (('train', 'train'), ('test', 'train')):
        (tmp_path / 'annotations' / f'{part}.json').write_text(json.dumps(annotations(frames, source)))
    with pytest.raises(ValueError, match=r'person \d is in train.json and in test.json: expected a set that'):
        tables.main(tmp_path, labels=True, out=tmp_path / 'tables')
    assert not (tmp_path / 'tables').exists()


def test_the_frames_to_label_are_spread(frames):
    def load(**options):
        return DATASETS.build(
            dict(type='HandVideoDataset', data_root=str(frames), ann_file='annotations/train.json', **options)
        )

    whole, some = load(), load(spread=6)
    assert len(whole) == 27 and len(some) == 6
    clips = [sample['video_id'] for sample in some]
    assert clips == sorted(set(clips)) and {clip // 3 for clip in clips} == {s['video_id'] // 3 for s in whole}
    with pytest.raises(ValueError, match=r'train\.json: spread: expected an integer from 1 to 27, got 28'):
        load(spread=28)


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (dict(), 'CONFIG and CHECKPOINT, or --labels: expected exactly one'),
        (dict(config='a.py', labels=True), 'exactly one'),
        (dict(config='a.py'), 'exactly one'),
        (dict(labels=True, batch_size=0), '--batch-size: expected an integer from 1'),
    ],
)
def test_bad_arguments_of_tables(tmp_path, arguments, message):
    with pytest.raises(ValueError, match=message):
        tables.main(tmp_path, **arguments)


def test_files_that_are_missing_or_bad_are_named(frames, tmp_path, capsys):
    with pytest.raises(FileNotFoundError, match='annotations: expected one of train, val, test as .json'):
        tables.main(tmp_path, labels=True)
    (tmp_path / 'annotations').mkdir()
    content = annotations(frames, 'val')
    del content['annotations'][2]['gesture']
    (tmp_path / 'annotations' / 'val.json').write_text(json.dumps(content))
    with pytest.raises(ValueError, match=r'val\.json: annotation at index 2, id \d+: expected .*, got none of gesture'):
        tables.main(tmp_path, labels=True)


def test_hands_with_an_unlabelled_keypoint_are_listed(frames, tmp_path, capsys):
    content = annotations(frames, 'val')
    content['annotations'][2]['keypoints'][-3:] = [0, 0, 0]
    (tmp_path / 'annotations').mkdir()
    (tmp_path / 'annotations' / 'val.json').write_text(json.dumps(content))
    assert tables.main(tmp_path, out=tmp_path / 'out', labels=True) == dict(val=8)
    left_out = f'{content["images"][2]["file_name"]}: annotation {content["annotations"][2]["id"]}: a keypoint without'
    assert 'left out 1:' in (told := capsys.readouterr().out) and left_out in told
