"""Views of hands: their file, the sampler that keeps them together, and transforms that move cameras."""

import json
from pathlib import Path
from typing import Any
from unittest.mock import patch

import cv2
import numpy as np
import pytest

from handkp_plugins.datasets.hand import HandViewDataset
from handkp_plugins.datasets.samplers import ViewGroupSampler
from handkp_plugins.datasets.transforms import ChannelGain, MirrorLeftHand, RandomViewCrop, RotateView

FRAMES, VIEWS, SIZE = 5, 3, 64
K = [[100.0, 0, 31.5], [0, 100.0, 31.5], [0, 0, 1]]


def rotation(frame: int, view: int) -> np.ndarray:
    return cv2.Rodrigues(np.random.default_rng([frame, view]).normal(0, 1, 3))[0]


def records() -> dict[str, list]:
    images, annotations = [], []
    for i in range(FRAMES * VIEWS):
        frame, view = divmod(i, VIEWS)
        world = np.random.default_rng(frame).uniform(-0.05, 0.05, (21, 3))
        points = world @ rotation(frame, view).T + [0, 0, 0.5]
        pixels = points @ np.array(K).T
        pixels = pixels[:, :2] / pixels[:, 2:]
        camera = dict(K=K, R=rotation(frame, view).tolist(), t=[0, 0, 0.5])
        images.append(
            dict(id=i, file_name=f'{i}.png', width=SIZE, height=SIZE, frame_id=10 * frame, view_id=view, camera=camera)
        )
        labels = np.concatenate([pixels, np.full((21, 1), 0.5)], 1)
        annotations.append(
            dict(
                id=i, image_id=i, category_id=1, iscrowd=0, area=900, bbox=[20, 22, 30, 26], handedness='right',
                keypoints_3d=points.tolist(), pseudo_keypoints=labels.tolist(),
            )
        )  # fmt: skip
    return dict(images=images, annotations=annotations, categories=[dict(id=1, name='hand')])


def make(folder: Path, data: dict | None = None, **options: Any) -> HandViewDataset:
    (folder / 'views.json').write_text(json.dumps(data or records()))
    return HandViewDataset(ann_file='views.json', data_root=str(folder), data_prefix=dict(img=''), **options)


def test_samples_have_labels_cameras_and_truth(tmp_path: Path) -> None:
    sample = make(tmp_path)[7]
    assert (sample['frame_id'], sample['view_id']) == (20, 1) and sample['img_path'].endswith('7.png')
    assert (sample['keypoints_visible'] == 0.5).all() and sample['keypoints'].shape == (1, 21, 2)
    projected = sample['keypoints_3d'][0] @ sample['camera'].T
    assert np.allclose(projected[:, :2] / projected[:, 2:], sample['keypoints'][0], atol=1e-3)
    assert np.allclose(sample['view_rotation'], rotation(2, 1), atol=1e-6)


def test_vertices_come_from_their_file(tmp_path: Path) -> None:
    meshes = np.random.default_rng(0).normal(size=(FRAMES * VIEWS, 8, 3)).astype(np.float32)
    np.save(tmp_path / 'meshes.npy', meshes)
    assert np.array_equal(make(tmp_path, vertices_file='meshes.npy')[4]['vertices'], meshes[4])
    np.save(tmp_path / 'meshes.npy', meshes[1:])
    with pytest.raises(
        ValueError, match=r'meshes.npy: expected vertices \(15, V, 3\) of .*views.json, got \(14, 8, 3\)'
    ):
        make(tmp_path, vertices_file='meshes.npy')


def spoil(**changes: Any) -> dict[str, list]:
    data = records()
    for place, value in changes.items():
        section, key = place.split('__')
        target = data[section][4]
        if key == 'confidence':
            target['pseudo_keypoints'][3][2] = value
        elif key in ('K', 'R', 't'):
            target['camera'][key] = value
        else:
            target[key] = value
    return data


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (dict(annotations__confidence=1.2), 'pseudo_keypoints: expected confidences from 0 to 1, got 1.2'),
        (dict(annotations__handedness='both'), "annotation 4: handedness: expected 'left' or 'right', got 'both'"),
        (dict(annotations__image_id=3), 'image 3: expected one annotation, got 2'),
        (dict(annotations__bbox=[3, 3, 0, 5]), r'annotation 4: bbox: expected a width and height above 0'),
        (dict(annotations__keypoints_3d=[[0, 0]]), r'annotation 4: keypoints_3d: expected 21 × \(x, y, z\), finite'),
        (dict(images__view_id=0), 'image 4: frame_id, view_id: expected one image of each, got those of image 3'),
        (dict(images__frame_id='a'), "image 4: frame_id, view_id: expected whole numbers, got 'a', 1"),
        (dict(images__R=(2 * np.eye(3)).tolist()), 'image 4: camera.R: .*, got R Rᵀ that differs'),
        (dict(images__R=np.diag([1, 1, -1]).tolist()), 'image 4: camera.R: .*, got a reflection'),
        (dict(images__K=[[800, 0, 400], [0, 800, 300], [0, 0, 1]]), 'image 4: camera.K: .* an image of another size'),
        (dict(images__t=[1, 2]), r'image 4: camera.t: expected numbers of shape \(3,\), got \[1, 2\]'),
    ],
)  # fmt: skip
def test_bad_records_are_named(tmp_path: Path, changes: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make(tmp_path, spoil(**changes))


def groups(sampler: ViewGroupSampler, dataset: HandViewDataset) -> list[list[tuple[int, int]]]:
    infos = [dataset.get_data_info(i) for i in sampler]
    places = [(info['frame_id'], info['view_id']) for info in infos]
    n = sampler.num_views
    return [places[k : k + n] for k in range(0, len(places), n)]


def test_training_draws_other_views_in_each_epoch(tmp_path: Path) -> None:
    dataset = make(tmp_path)
    sampler = ViewGroupSampler(dataset, 2, seed=0)
    epochs = []
    for epoch in (0, 1, 0):
        sampler.set_epoch(epoch)
        found = groups(sampler, dataset)
        assert len(found) == FRAMES and len(sampler) == 2 * FRAMES
        assert all(a[0] == b[0] and a[1] != b[1] for a, b in found)
        epochs.append(found)
    assert epochs[0] == epochs[2] != epochs[1]
    assert {view for group in epochs[0] + epochs[1] for _, view in group} == {0, 1, 2}


@pytest.mark.parametrize('views', [1, 2, 3])
def test_tests_see_every_view(tmp_path: Path, views: int) -> None:
    dataset = make(tmp_path)
    sampler = ViewGroupSampler(dataset, views, shuffle=False)
    found = groups(sampler, dataset)
    assert {place for group in found for place in group} == {(10 * f, v) for f in range(FRAMES) for v in range(VIEWS)}
    assert all(len({frame for frame, _ in group}) == 1 for group in found)
    assert len(found) == FRAMES * -(-VIEWS // views) and len(list(sampler)) == len(sampler)


@pytest.mark.parametrize('round_up', [True, False])
def test_processes_share_whole_groups(tmp_path: Path, round_up: bool) -> None:
    dataset, shares = make(tmp_path), []
    for rank in range(2):
        with patch('handkp_plugins.datasets.samplers.get_dist_info', return_value=(rank, 2)):
            sampler = ViewGroupSampler(dataset, 3, seed=1, round_up=round_up)
        shares.append(groups(sampler, dataset))
        assert len(sampler) == 3 * len(shares[-1])
    assert [len(share) for share in shares] == ([3, 3] if round_up else [3, 2])
    assert len({group[0][0] for share in shares for group in share}) == FRAMES


def test_a_missing_view_is_named(tmp_path: Path) -> None:
    data = records()
    del data['images'][4], data['annotations'][4]
    dataset = make(tmp_path, data)
    with pytest.raises(
        ValueError, match=r'views.json: frame 10: expected 3 views or more \(num_views\), got 2: \[0, 2\]'
    ):
        ViewGroupSampler(dataset, 3)
    with pytest.raises(ValueError, match='num_views: expected an integer from 1, got 0'):
        ViewGroupSampler(dataset, 0)


def ready(sample: dict) -> dict:
    """A sample with an image whose gradient tells positions, and a crop of the whole."""
    y, x = np.mgrid[:SIZE, :SIZE].astype(np.uint8)
    return dict(sample, img=np.stack([x, y, np.zeros_like(x)], -1))


def crop(sample: dict, angle: float) -> dict:
    sample.update(
        bbox_rotation=np.array([angle], np.float32), input_center=np.array([31.5, 31.5], np.float32),
        input_scale=np.array([SIZE, SIZE], np.float32), input_size=(SIZE, SIZE),
    )  # fmt: skip
    return sample


def test_the_camera_turns_with_the_crop(tmp_path: Path) -> None:
    """Points in the turned frame project onto the turned keypoints, by MMPose's own warp."""
    from mmpose.structures.bbox import get_warp_matrix

    sample = crop(make(tmp_path)[4], 70.0)
    warp = get_warp_matrix(sample['input_center'], sample['input_scale'], 70.0, (SIZE, SIZE))
    expected = sample['keypoints'][0] @ warp[:, :2].T + warp[:, 2]
    world = (sample['keypoints_3d'][0] - sample['view_translation']) @ sample['view_rotation']
    found = RotateView()(sample)
    points = found['keypoints_3d'][0]
    assert np.allclose(world @ found['view_rotation'].T + found['view_translation'], points, atol=1e-6)
    center = warp[:, :2] @ [31.5, 31.5] + warp[:, 2]  # where the optical axis is in the crop
    assert np.allclose(100 * points[:, :2] / points[:, 2:] + center, expected, atol=1e-3)


def test_left_hands_become_right_ones(tmp_path: Path) -> None:
    data = records()
    data['annotations'][4]['handedness'] = 'left'
    sample = ready(make(tmp_path, data)[4])
    before = {name: sample[name].copy() for name in ('img', 'keypoints', 'bbox', 'keypoints_3d', 'view_rotation')}
    world = (sample['keypoints_3d'][0] - sample['view_translation']) @ sample['view_rotation']
    found = MirrorLeftHand()(sample)
    points = found['keypoints_3d'][0]
    pixels = points @ found['camera'].T
    assert np.allclose(pixels[:, :2] / pixels[:, 2:], found['keypoints'][0], atol=1e-3)
    assert np.array_equal(found['img'][:, ::-1], before['img'])
    x = before['bbox'][0, [0, 2]]
    assert np.allclose(found['bbox'][0, [0, 2]], SIZE - x[::-1])
    assert np.linalg.det(found['view_rotation']) == pytest.approx(1, abs=1e-5)
    mirrored = world * [-1, 1, 1]  # one mirrored world for all views
    assert np.allclose(mirrored @ found['view_rotation'].T + found['view_translation'], points, atol=1e-6)
    right = ready(make(tmp_path)[4])
    assert MirrorLeftHand()(dict(right))['img'] is right['img']


def test_crops_are_drawn_uniformly() -> None:
    np.random.seed(0)
    crop = RandomViewCrop(scale=(0.5, 2.0), shift=0.1, rotation=180)
    drawn = [crop(dict(bbox_center=np.array([[50.0, 60]]), bbox_scale=np.array([[100.0, 100]]))) for _ in range(2000)]
    angle = np.array([d['bbox_rotation'][0] for d in drawn])
    scale = np.array([d['bbox_scale'][0, 0] for d in drawn])
    shift = np.array([d['bbox_center'][0] for d in drawn]) - [50, 60]
    assert np.mean(np.abs(angle) > 120) == pytest.approx(1 / 3, abs=0.04)
    assert np.mean(scale > 150) == pytest.approx(1 / 3, abs=0.04) and scale.min() >= 50 and scale.max() <= 200
    assert np.abs(shift).max() <= 10 and np.abs(shift).max() > 9.5
    with pytest.raises(ValueError, match=r'scale: expected two rising factors above 0, got \(2, 1\)'):
        RandomViewCrop(scale=(2, 1))
    with pytest.raises(ValueError, match='rotation: expected a number from 0, got -1'):
        RandomViewCrop(rotation=-1)


def test_each_channel_has_its_gain() -> None:
    np.random.seed(0)
    image = np.full((4, 5, 3), 100, np.uint8)
    found = ChannelGain(0.2)(dict(img=image))['img']
    assert found.shape == image.shape and (found == found[0, 0]).all()
    assert len(set(found[0, 0].tolist())) > 1 and found.min() >= 80 and found.max() <= 120
    assert ChannelGain(0.2)(dict(img=np.full((1, 1, 3), 250, np.uint8)))['img'].max() <= 255
    with pytest.raises(ValueError, match='delta: expected a number from 0 and below 1, got 1'):
        ChannelGain(1)
