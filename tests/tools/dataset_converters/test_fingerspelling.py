"""Fingerspelling end to end, tiny: frames, fine-tuning, tables, signs; and the converter on a miniature."""

import csv
import json

import cv2
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
    with pytest.raises(ValueError, match=r'person \d is in train.json and in test.json: a set that is split by people'):
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
        (dict(), 'CONFIG and CHECKPOINT, or --labels: exactly one'),
        (dict(config='a.py', labels=True), 'exactly one'),
        (dict(config='a.py'), 'exactly one'),
        (dict(labels=True, batch_size=0), '--batch-size: an integer from 1'),
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
    with pytest.raises(ValueError, match=r'val\.json: annotation at index 2, id \d+: needs .*; missing: gesture'):
        tables.main(tmp_path, labels=True)


def test_hands_with_an_unlabelled_keypoint_are_listed(frames, tmp_path, capsys):
    content = annotations(frames, 'val')
    content['annotations'][2]['keypoints'][-3:] = [0, 0, 0]
    (tmp_path / 'annotations').mkdir()
    (tmp_path / 'annotations' / 'val.json').write_text(json.dumps(content))
    assert tables.main(tmp_path, out=tmp_path / 'out', labels=True) == dict(val=8)
    left_out = f'{content["images"][2]["file_name"]}: annotation {content["annotations"][2]["id"]}: a keypoint without'
    assert 'left out 1:' in (told := capsys.readouterr().out) and left_out in told


# --- the converter

rwth = load_tool('dataset_converters/rwth_fingerspelling')


def write_clip(path, frames):
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'MPG1'), 25, (32, 24))
    for i in range(frames):
        writer.write(np.full((24, 32, 3), 10 + 20 * i, np.uint8))
    writer.release()


@pytest.fixture
def clips(tmp_path):
    """Signs A, B and J (which moves) by four people, recorded twice by two cameras, 11 frames each."""
    for person in range(1, 5):
        for sign in (1, 2, 10):
            for recording in (1, 2):
                for camera in (1, 2):
                    name = f'{person}_{sign}_{recording}_cam{camera}.mpg'
                    write_clip(tmp_path / 'clips' / str(sign) / name, 11)
    return tmp_path


def test_frames_of_one_camera_without_movements(clips):
    (clips / 'clips' / 'readme.txt').write_text('of ours')
    (clips / 'clips' / '1' / '1_1_1_cam1.mpg').write_bytes(b'no video')
    account = rwth.main(clips, num=100, val=4, label=3)
    assert '24 clips of camera 1, 16 of signs that are taken' in account
    assert 'do not match the pattern: readme.txt' in account
    assert '1_1_1_cam1.mpg: left out: ' in account
    parts = {name: annotations(clips, name) for name in ('train', 'val', 'label')}
    images = [image for name in ('train', 'val') for image in parts[name]['images']]
    kinds = [image['file_name'].split('_')[-1] for image in images]
    assert kinds.count('middle.jpg') == 15 and kinds.count('first.jpg') + kinds.count('last.jpg') in (7, 8)
    people = [{image['person'] for image in parts[name]['images']} for name in ('train', 'val')]
    assert people[0] | people[1] == {1, 2, 3, 4} and not people[0] & people[1] and len(people[1]) == 1
    assert len(parts['label']['images']) == 3
    assert {i['file_name'] for i in parts['label']['images']} <= {i['file_name'] for i in parts['train']['images']}
    assert {a['gesture'] for name in ('train', 'val') for a in parts[name]['annotations']} == {'A', 'B'}
    for image in images:
        grey = read_image(clips / image['file_name']).mean()
        place = dict(first=0, middle=5, last=10)[image['file_name'].split('_')[-1][:-4]]
        assert image['frame_id'] == place and grey == pytest.approx(10 + 20 * place, abs=6)


def test_its_number_of_frames_and_other_names(clips):
    assert 'frames: ' in rwth.main(clips, num=5, val=1, all_signs=True)
    assert sum(len(annotations(clips, name)['images']) for name in ('train', 'val')) == 5
    with pytest.raises(FileNotFoundError, match=r'expected clips of camera 3 named as .*; of 48 files none is'):
        rwth.main(clips, camera=3)
    with pytest.raises(ValueError, match='pattern: expected groups sign, person, recording, camera, missing: camera'):
        rwth.main(clips, pattern=r'(?P<sign>\d+)/(?P<person>\d+)_(?P<recording>\d+)_.*')
    with pytest.raises(ValueError, match='10_1_cam1.mpg: expected a sign from 1 to 2, got 10'):
        rwth.main(clips, signs=('A', 'B'))
    with pytest.raises(ValueError, match='val: expected fewer than the 24 frames of all 4 people, got 500'):
        rwth.main(clips, val=500)
    with pytest.raises(ValueError, match='num: an integer from 1'):
        rwth.main(clips, num=0)


def test_labelled_frames_train_and_the_others_are_left_out(clips):
    rwth.main(clips, num=100, val=4, label=3)
    path = clips / 'annotations' / 'label.json'
    content = json.loads(path.read_text())
    content['annotations'][1].update(keypoints=[5, 6, 2] * 21, num_keypoints=21)
    path.write_text(json.dumps(content))
    dataset = DATASETS.build(dict(type='HandVideoDataset', data_root=str(clips), ann_file='annotations/label.json'))
    assert len(dataset) == 1 and dataset[0]['keypoints'][0, 3].tolist() == [5, 6]
