import zipfile
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from mmengine.dataset import pseudo_collate
from mmpose.registry import DATASETS, TRANSFORMS
from torch.utils.data import DataLoader

from handkp_plugins.datasets.transforms import LoadHandImage, PackHandInputs


@pytest.fixture
def good(tmp_path):
    path = tmp_path / 'good.jpg'
    cv2.imwrite(str(path), np.random.default_rng(0).integers(0, 255, (48, 64, 3), dtype=np.uint8))
    return path


def _break(path, kind: str) -> None:
    data = path.read_bytes()
    if kind == 'missing':
        path.unlink()
    else:
        path.write_bytes({'truncated': data[: len(data) * 2 // 3], 'empty': b'', 'text': b'not an image' * 9}[kind])


BROKEN = {
    'missing': 'No such file',
    'empty': 'the file is empty',
    'truncated': 'truncated JPEG: its end marker is missing',
    'text': 'not a readable image',
}


@pytest.mark.parametrize('kind, reason', BROKEN.items())
def test_unreadable_image_is_passed_over_and_reported_with_the_next_good_one(kind, reason, good, tmp_path):
    bad = tmp_path / 'bad.jpg'
    bad.write_bytes(good.read_bytes())
    _break(bad, kind)
    load = LoadHandImage()
    assert load(dict(img_path=str(bad))) is None
    results = load(dict(img_path=str(good)))
    assert results['img'].shape == (48, 64, 3) and results['img_shape'] == (48, 64)
    assert list(results['unreadable_images']) == [str(bad)]
    assert reason in results['unreadable_images'][str(bad)]
    assert 'unreadable_images' not in load(dict(img_path=str(good)))


@pytest.mark.parametrize('kind, reason', BROKEN.items())
def test_strict_names_the_file(kind, reason, good):
    _break(good, kind)
    with pytest.raises(OSError, match=f'good.jpg: unreadable image .*{reason}'):
        LoadHandImage(strict=True)(dict(img_path=str(good)))


def test_test_mode_is_strict_because_nobody_would_draw_another_sample(tmp_path):
    with pytest.raises(OSError, match='gone.jpg: unreadable image'):
        LoadHandImage()(dict(img_path=str(tmp_path / 'gone.jpg'), dataset=SimpleNamespace(test_mode=True)))


def test_wrong_folder_is_an_error_and_not_an_endless_loop(tmp_path):
    load = LoadHandImage(max_failures_in_a_row=3)
    for i in range(2):
        assert load(dict(img_path=f'{tmp_path}/{i}.jpg')) is None
    with pytest.raises(OSError, match=r'2.jpg: unreadable image .* the 2 images tried just before .* data_prefix'):
        load(dict(img_path=f'{tmp_path}/2.jpg'))


def test_array_is_taken_as_it_is():
    image = np.zeros((4, 6, 3), dtype=np.uint8)
    results = LoadHandImage(strict=True)(dict(img=image))
    assert results['img'] is image and results['img_shape'] == (4, 6)


@pytest.mark.parametrize(
    'kwargs, message',
    [
        (dict(ignore_empty=True), 'ignore_empty: expected none, .*, got one'),
        (dict(max_failures_in_a_row=0), 'max_failures_in_a_row: expected an integer from 1, got 0'),
    ],
)
def test_bad_arguments(kwargs, message):
    with pytest.raises(ValueError, match=message):
        LoadHandImage(**kwargs)


def test_real_photographs_are_readable(real_data):
    paths = [p for p in real_data.glob('real_samples/*/*') if p.suffix in ('.jpg', '.png')]
    assert len(paths) >= 20
    for path in paths:
        LoadHandImage(strict=True)(dict(img_path=str(path)))


def test_packing_keeps_mmposes_keys_and_adds_ours():
    pack = TRANSFORMS.build(dict(type='PackHandInputs'))
    sample = pack(
        dict(
            img=np.zeros((4, 6, 3), np.uint8),
            img_path='a.jpg',
            handedness='left',
            unreadable_images={'b.jpg': 'gone'},
            other=2,
        )
    )['data_samples']
    assert sample.metainfo == dict(img_path='a.jpg', handedness='left', unreadable_images={'b.jpg': 'gone'})
    assert {'input_size', 'input_center', 'flip'} <= set(PackHandInputs().meta_keys)


@pytest.mark.parametrize('num_workers', [0, 2])
def test_reports_come_through_the_loader(num_workers, mini_coco):
    _break(mini_coco.parent / 'images' / '0001.jpg', 'truncated')
    _break(mini_coco.parent / 'images' / '0002.jpg', 'missing')
    dataset = DATASETS.build(
        dict(
            type='OneHand10KDataset',
            ann_file=str(mini_coco),
            data_prefix=dict(img=f'{mini_coco.parent}/'),
            pipeline=[LoadHandImage(), PackHandInputs()],
        )
    )
    loader = DataLoader(dataset, batch_size=2, num_workers=num_workers, collate_fn=pseudo_collate)
    samples = [sample for batch in loader for sample in batch['data_samples']]
    assert len(samples) == 4
    reported = {path for sample in samples for path in sample.metainfo.get('unreadable_images', {})}
    assert {p.rsplit('/', 1)[1] for p in reported} == {'0001.jpg', '0002.jpg'}


def write_layers(path, count: int = 2, size: int = 64) -> None:
    """A shard of orange discs left of the middle, black beyond their alpha's edge."""
    alpha = cv2.circle(np.zeros((size, size), np.uint8), (size // 4, size // 2), size // 6, 255, -1)
    color = np.full((size, size, 3), (0, 120, 240), np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, 'w') as shard:
        for i in range(count):
            shard.writestr(f'{i:06d}.jpg', cv2.imencode('.jpg', color)[1].tobytes())
            shard.writestr(f'{i:06d}.png', cv2.imencode('.png', alpha)[1].tobytes())


def test_four_channels_pass_through_flip_warp_and_packing(tmp_path):
    """A disc with its keypoint, flipped and warped, still covers that keypoint; outside the picture alpha is 0."""
    write_layers(tmp_path / 'shards' / '00000.zip')
    pipeline = [
        TRANSFORMS.build(step)
        for step in (
            dict(type='LoadHandImage'),
            dict(type='GetBBoxCenterScale', padding=2.5),
            dict(type='RandomFlip', prob=1.0, direction='horizontal'),
            dict(type='TopdownAffine', input_size=(96, 96)),
        )
    ]
    keypoints = np.tile(np.float32([16, 32]), (1, 21, 1))
    results = dict(
        img_path=f'{tmp_path}/shards/00000.zip/000001.jpg',
        bbox=np.float32([[4, 20, 28, 44]]),
        bbox_score=np.ones(1, np.float32),
        keypoints=keypoints,
        keypoints_visible=np.ones((1, 21), np.float32),
        flip_indices=list(range(21)),
    )
    for transform in pipeline:
        results = transform(results)
    x, y = results['transformed_keypoints'][0, 0].round().astype(int).tolist()
    inputs = PackHandInputs()(results)['inputs']
    assert inputs.shape == (4, 96, 96) and inputs.dtype == torch.uint8
    assert inputs[3, y, x] == 255 and np.abs(inputs[:3, y, x].int() - torch.tensor([0, 120, 240])).max() <= 3
    assert inputs[3, y, x - 40] == 0 and (inputs[3] == 255).sum() > 600
    assert inputs[0:3, :, -1].max() == 0 and inputs[3, :, -1].max() == 0  # beyond the picture's border


def test_a_damaged_shard_is_an_unreadable_image(good, tmp_path):
    path = tmp_path / '00000.zip'
    write_layers(path)
    load = LoadHandImage()
    assert load(dict(img_path=f'{path}/000000.jpg'))['img'].shape == (64, 64, 4)
    cut = tmp_path / 'cut.zip'
    cut.write_bytes(path.read_bytes()[:-40])
    gone = f'{tmp_path}/gone.zip/000000.jpg'
    for address in (f'{cut}/000000.jpg', f'{path}/000007.jpg', gone):
        assert load(dict(img_path=address)) is None
    reported = load(dict(img_path=str(good)))['unreadable_images']
    reasons = ['expected a complete zip file', "no member '000007.jpg'", 'No such file']
    assert [reason in text for reason, text in zip(reasons, reported.values(), strict=True)] == [True] * 3
    with pytest.raises(OSError, match='gone.zip/000000.jpg: unreadable image'):
        LoadHandImage(strict=True)(dict(img_path=gone))
