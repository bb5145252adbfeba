"""Sets on disk: the same whatever the workers, whole after an interruption, readable by MMPose."""

import errno
import json
import os
import tracemalloc
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest
from mmpose.datasets.datasets.base import BaseCocoStyleDataset
from mmpose.registry import DATASETS
from xtcocotools.coco import COCO

from handkp_plugins.datasets.transforms import LoadHandImage, PackHandInputs
from handkp_plugins.fileio.coco import coco_file
from handkp_plugins.structures.skeleton import HAND_METAINFO
from handkp_plugins.synthetic.datasets import generate as module
from handkp_plugins.synthetic.datasets.generate import Recipe, generate
from handkp_plugins.synthetic.scenes.sample import Sample

RECIPE = Recipe(num=22, size=64, seed=5)


@pytest.fixture(scope='module')
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp('sets') / 'one_worker'
    seen = []
    # a forked worker that waits for OpenCV's threads, which a fork does not inherit, would wait for ever
    cv2.setNumThreads(4)
    cv2.warpAffine(np.zeros((600, 600, 3), np.uint8), np.eye(2, 3), (600, 600))
    result = generate(out, RECIPE, workers=1, progress=seen.append)
    assert (result.made, result.kept) == (22, 0) and sum(seen) == 22 and cv2.getNumThreads() == 4
    return out


class Blank:
    """A maker of empty pictures, up to one that fails."""

    def __init__(self, fails_at: int) -> None:
        self.fails_at = fails_at

    def make(self, seed: int, index: int) -> Sample:
        if index == self.fails_at:
            raise ZeroDivisionError('no hand')
        return Sample(np.zeros((64, 64, 3), np.uint8), np.zeros((64, 64)), {}, {})


def contents(out: Path) -> dict[str, bytes]:
    files = [p for folder in ('annotations', 'images', 'records', 'shards') for p in out.glob(f'{folder}/*')]
    return {str(p.relative_to(out)): p.read_bytes() for p in files}


def test_two_workers_give_the_same_as_one(whole, tmp_path):
    generate(tmp_path / 'two', RECIPE, workers=2)
    assert contents(tmp_path / 'two') == contents(whole)


def test_another_seed_gives_other_labels(whole, tmp_path):
    generate(tmp_path / 'other', Recipe(num=10, size=64, seed=6), workers=1)
    first, other = (json.loads((out / 'records' / '00000.json').read_text()) for out in (whole, tmp_path / 'other'))
    assert first[0]['annotation']['keypoints'] != other[0]['annotation']['keypoints']


def test_it_goes_on_after_an_interruption(whole, tmp_path, monkeypatch):
    out = tmp_path / 'broken'
    calls = iter(range(100))

    def interrupt(done: int) -> None:
        if next(calls) == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        generate(out, RECIPE, workers=1, progress=interrupt)
    assert not list(out.glob('annotations/*.json'))
    for image in list(out.glob('images/*.jpg'))[:2]:
        image.unlink()
    for record in list(out.glob('records/*.json'))[:1]:
        record.unlink()
    result = generate(out, RECIPE, workers=2)
    assert result.made + result.kept == 22 and result.made > 0
    assert contents(out) == contents(whole)


def test_a_whole_set_is_left_alone_and_a_lost_image_is_made_again(whole):
    before = contents(whole)
    stamps = {p: p.stat().st_mtime_ns for p in whole.glob('*/*')}
    assert generate(whole, RECIPE, workers=1).made == 0
    assert stamps == {p: p.stat().st_mtime_ns for p in whole.glob('*/*')}
    (whole / 'images' / '000021.jpg').unlink()
    assert generate(whole, RECIPE, workers=1).made == 2  # the shard of 20, 21
    assert contents(whole) == before


def test_annotations_are_gone_while_images_are_missing(whole, monkeypatch):
    def stop(*args: object) -> None:
        raise KeyboardInterrupt

    before = contents(whole)
    (whole / 'images' / '000003.jpg').unlink()
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(module, '_render', stop)
        generate(whole, RECIPE, workers=1)
    assert not list(whole.glob('annotations/*.json'))
    generate(whole, RECIPE, workers=1)
    assert contents(whole) == before


def test_other_arguments_for_the_same_folder_are_refused(whole):
    with pytest.raises(ValueError, match='made with seed=5, got seed=6'):
        generate(whole, Recipe(num=22, size=64, seed=6), workers=1)
    with pytest.raises(ValueError, match='made with num=22, got num=30'):
        generate(whole, Recipe(num=30, size=64, seed=5), workers=1)


def test_a_folder_with_other_files_is_refused(tmp_path):
    (tmp_path / 'thesis.tex').write_text('precious')
    with pytest.raises(ValueError, match='out: expected a new or empty folder .*, got other files'):
        generate(tmp_path, RECIPE, workers=1)
    assert os.listdir(tmp_path) == ['thesis.tex']


def test_a_damaged_record_is_named(whole):
    record = whole / 'records' / '00001.json'
    good = record.read_text()
    record.write_text(good[:30])
    (whole / 'annotations' / 'test.json').unlink()
    with pytest.raises(ValueError, match='00001.json is damaged'):
        generate(whole, RECIPE, workers=1)
    record.write_text(good)
    generate(whole, RECIPE, workers=1)


@pytest.mark.parametrize(
    'arguments, message',
    [
        ({'num': 9}, 'num: expected 10 or more .* got 9'),
        ({'size': 8}, 'size: expected 64 to 1024 .* got 8'),
        ({'seed': -1}, 'seed: expected 0 or more, got -1'),
    ],
)
def test_arguments_out_of_range(arguments, message):
    with pytest.raises(ValueError, match=message):
        Recipe(**arguments)


def test_workers_out_of_range(tmp_path):
    with pytest.raises(ValueError, match='workers: expected 1 or more, got 0'):
        generate(tmp_path / 'x', RECIPE, workers=0)


def test_missing_backgrounds_write_nothing(tmp_path):
    with pytest.raises(FileNotFoundError, match='backgrounds: .*nowhere'):
        generate(tmp_path / 'x', Recipe(num=10, size=64, backgrounds=str(tmp_path / 'nowhere')), workers=1)
    assert not (tmp_path / 'x').exists()


def test_a_full_disk_names_the_file_and_leaves_no_half_image(tmp_path, monkeypatch):
    def full(path: Path, data: bytes) -> None:
        raise OSError(errno.ENOSPC, f'{path}: cannot be written (No space left on device)')

    recipe = Recipe(num=10, size=64)
    module._prepare_folder(tmp_path, recipe)
    monkeypatch.setitem(module._WORKER, 'maker', Blank(fails_at=10))
    monkeypatch.setattr(module, 'write_bytes', full)
    with pytest.raises(OSError, match=r'images/000000.jpg: cannot be written \(No space'):
        module._make_batch(tmp_path, recipe, range(10))
    assert not list(tmp_path.glob('images/*')) and not list(tmp_path.glob('records/*'))


def test_a_failing_image_is_named(tmp_path, monkeypatch):
    recipe = Recipe(num=10, size=64)
    module._prepare_folder(tmp_path, recipe)
    monkeypatch.setitem(module._WORKER, 'maker', Blank(fails_at=3))
    with pytest.raises(RuntimeError, match=r'image 3 \(seed 0\) failed: ZeroDivisionError: no hand'):
        module._make_batch(tmp_path, recipe, range(10))
    assert len(list(tmp_path.glob('images/*'))) == 3 and not list(tmp_path.glob('records/*'))


def test_what_fails_in_a_process_is_said_here(tmp_path):
    """No model to choose from, for one."""
    with pytest.raises(RuntimeError, match=r'image 0 \(seed 0\) failed: ValueError'):
        list(module._render(tmp_path, Recipe(num=10, size=64), dict(models=[], size=64), [range(10)], 1))


def test_splits_are_8_1_1_and_share_nothing():
    splits = Recipe(num=2000).splits
    assert {name: len(ids) for name, ids in splits.items()} == {'train': 1600, 'val': 200, 'test': 200}
    assert sorted(sum(splits.values(), [])) == list(range(2000))
    assert Recipe(num=2000, seed=1).splits != splits
    # a dataset that exists already is split in the same way
    assert Recipe(num=15, seed=7).splits == dict(train=[0, 2, 3, 4, 5, 6, 8, 10, 12, 13, 14], val=[9, 11], test=[1, 7])


def test_coco_and_mmpose_read_the_annotations(whole):
    path = whole / 'annotations' / 'train.json'
    coco = COCO(str(path))
    assert len(coco.getImgIds()) == 18 and coco.getCatIds() == [1]

    class Hands(BaseCocoStyleDataset):
        METAINFO = HAND_METAINFO

    dataset = Hands(ann_file=str(path), data_prefix={'img': f'{whole}/'}, pipeline=[])
    assert len(dataset) == 18
    item, annotation = dataset[0], json.loads(path.read_text())['annotations'][0]
    keypoints = np.array(annotation['keypoints']).reshape(21, 3)
    assert np.allclose(item['keypoints'][0], keypoints[:, :2])
    assert np.array_equal(item['keypoints_visible'][0] > 0, keypoints[:, 2] > 0)
    assert cv2.imread(item['img_path']).shape == (64, 64, 3)


LAYERS = Recipe(num=22, size=64, seed=5, layers=True, shard=8)


@pytest.fixture(scope='module')
def layers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp('sets') / 'layers'
    assert generate(out, LAYERS, workers=1).made == 22
    return out


def test_shards_hold_each_image_once_and_uncompressed(layers):
    names = []
    for path in sorted(layers.glob('shards/*')):
        with zipfile.ZipFile(path) as shard:
            assert shard.testzip() is None and {m.compress_type for m in shard.infolist()} == {zipfile.ZIP_STORED}
            names += [(path.name, m.filename) for m in shard.infolist()]
    expected = [(f'{i // 8:05d}.zip', f'{i:06d}{suffix}') for i in range(22) for suffix in ('.jpg', '.png')]
    assert names == expected
    images = json.loads((layers / 'annotations' / 'val.json').read_text())['images']
    assert {image['file_name'] for image in images} <= {f'shards/{shard}/{name}' for shard, name in expected}


def test_interrupted_layers_go_on_whole_shards_only_and_end_the_same(layers, tmp_path):
    out = tmp_path / 'again'
    calls = iter(range(100))

    def interrupt(done: int) -> None:
        if next(calls) == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        generate(out, LAYERS, workers=1, progress=interrupt)
    assert not list(out.glob('annotations/*.json')) and not list(out.glob('shards/*.tmp'))
    sizes = {p.name: p.stat().st_size for p in layers.glob('shards/*')}
    assert all(p.stat().st_size == sizes[p.name] for p in out.glob('shards/*'))
    (out / 'shards' / '00000.zip').unlink(missing_ok=True)
    (out / 'shards' / '00000.zip.1234.tmp').write_bytes(b'as a killed process leaves it')
    assert generate(out, LAYERS, workers=2).made >= 8
    assert not list(out.glob('shards/*.tmp'))
    assert contents(out) == contents(layers)


def test_a_shard_broken_off_leaves_no_file(layers, tmp_path, monkeypatch):
    module._prepare_folder(tmp_path, LAYERS)
    monkeypatch.setitem(module._WORKER, 'maker', Blank(fails_at=9))
    with pytest.raises(RuntimeError, match=r'image 9 \(seed 5\) failed: ZeroDivisionError: no hand'):
        module._make_batch(tmp_path, LAYERS, range(8, 16))
    assert not list((tmp_path / 'shards').iterdir())


def test_layers_are_read_by_the_data_set(layers):
    dataset = DATASETS.build(
        dict(
            type='SyntheticHandDataset',
            ann_file='annotations/train.json',
            data_root=str(layers),
            data_prefix=dict(img=''),
            pipeline=[LoadHandImage(), PackHandInputs()],
        )
    )
    for i in range(0, 18, 3):
        sample = dataset[i]
        image, hand = sample['inputs'], sample['data_samples'].gt_instances
        assert image.shape == (4, 64, 64) and 0 < (image[3] == 255).float().mean() < 1
        for x, y in hand.keypoints[0][hand.keypoints_visible[0] > 0].round().astype(int):
            assert image[3, max(y - 2, 0) : y + 3, max(x - 2, 0) : x + 3].max() == 255


def test_layers_have_no_backgrounds():
    with pytest.raises(ValueError, match='backgrounds: expected none with layers, .* got photos'):
        Recipe(layers=True, backgrounds='photos')
    with pytest.raises(ValueError, match='shard: expected 1 to 10000 .* got 0'):
        Recipe(shard=0)


def test_memory_for_annotations_does_not_grow_with_their_number(tmp_path):
    """What is kept while a file is written does not depend on how many records have passed."""
    peaks = []
    for number in (1000, 4000):
        tracemalloc.start()
        with coco_file(tmp_path / 'a.json', {}) as add:
            for i in range(number):
                add({'id': i, 'file_name': 'a.jpg'}, [{'id': i, 'image_id': i, 'keypoints': list(range(63))}])
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.3 * peaks[0]
    assert len(json.loads((tmp_path / 'a.json').read_text())['annotations']) == 4000
