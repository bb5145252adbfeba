import json
from pathlib import Path

import pytest
from helpers.mini_coco import write_mini_coco
from helpers.video_file import index_of, write_video
from mmengine.dataset import pseudo_collate
from mmpose.registry import DATASETS
from torch.utils.data import DataLoader

from handkp_plugins.datasets.hand.hand_video import frame_keys
from handkp_plugins.datasets.transforms import LoadHandImage, PackHandInputs


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Annotations of 8 frames of a video, 5 to 12 of clip 'a'."""
    path = write_mini_coco(tmp_path, 8)
    write_video(tmp_path / 'videos' / 'a.avi', 13)
    data = json.loads(path.read_text())
    for i, image in enumerate(data['images']):
        image.update(file_name=f'videos/a.avi#{i + 5:06d}', video_id='a', frame_id=i + 5)
    path.write_text(json.dumps(data))
    return path


def build(path: Path):
    return DATASETS.build(
        dict(
            type='HandVideoDataset',
            ann_file=path.name,
            data_root=str(path.parent),
            data_prefix=dict(img=''),
            pipeline=[LoadHandImage(strict=True), PackHandInputs()],
        )
    )


@pytest.mark.parametrize('num_workers', [0, 2])
def test_frames_and_their_numbers_come_through_the_loader(clip: Path, num_workers: int):
    dataset = build(clip)
    dataset[0]  # the video is open in this process before its workers are forked
    loader = DataLoader(dataset, batch_size=3, num_workers=num_workers, collate_fn=pseudo_collate)
    got = []
    for batch in loader:
        for image, sample in zip(batch['inputs'], batch['data_samples'], strict=True):
            assert sample.video_id == 'a'
            assert sample.gt_instances.keypoints.shape == (1, 21, 2)
            got.append((sample.frame_id, index_of(image.permute(1, 2, 0).numpy())))
    assert got == [(i, i) for i in range(5, 13)]
    assert sample.to_dict()['frame_id'] == 12  # as metrics receive it


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (dict(frame_id=None), 'expected video_id and frame_id, got none of frame_id'),
        (dict(frame_id=None, video_id=None), '.* got none of video_id, frame_id'),
        (dict(frame_id=1.5), 'frame_id: expected a whole number from 0, got 1.5'),
        (dict(frame_id=-1), 'frame_id: expected a whole number from 0, got -1'),
        (dict(frame_id=True), 'frame_id: expected a whole number from 0, got True'),
        (dict(video_id=[1]), r'video_id: expected a whole number or text, got \[1\]'),
    ],
)
def test_errors_name_file_and_image(clip: Path, change: dict, message: str):
    data = json.loads(clip.read_text())
    data['images'][2] = {k: v for k, v in (data['images'][2] | change).items() if v is not None}
    clip.write_text(json.dumps(data))
    with pytest.raises(ValueError, match=rf'ann\.json: image 2: {message}'):
        build(clip)


def test_numbers_name_videos_as_well():
    assert frame_keys('a.json', dict(id=0, video_id=3, frame_id=0)) == dict(video_id=3, frame_id=0)


def test_synthetic_sequences_say_which_frame_a_sample_is(tmp_path: Path):
    path = write_mini_coco(tmp_path, 2)
    data = json.loads(path.read_text())
    for image, annotation in zip(data['images'], data['annotations'], strict=True):
        image.update(camera=dict(K=[[60, 0, 24], [0, 60, 16], [0, 0, 1]]))
        annotation.update(keypoints_3d=[[0, 0, 1]] * 21, handedness='left', gesture='fist')
    data['images'][1].update(video_id=4, frame_id=7)

    def samples() -> list:
        path.write_text(json.dumps(data))
        config = dict(type='SyntheticHandDataset', ann_file=str(path), data_prefix=dict(img=f'{tmp_path}/'))
        dataset = DATASETS.build(dict(config, pipeline=[LoadHandImage(), PackHandInputs()]))
        return [dataset[i]['data_samples'].metainfo for i in range(2)]

    plain, frame = samples()
    assert 'video_id' not in plain and 'frame_id' not in plain
    assert (frame['video_id'], frame['frame_id']) == (4, 7)
    del data['images'][1]['video_id']
    with pytest.raises(ValueError, match='image 1: expected video_id and frame_id, got none of video_id'):
        samples()
