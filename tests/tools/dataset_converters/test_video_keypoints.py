"""Videos and tables of keypoints of exactly the formats that the converter's docstring describes."""

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers.tool_module import load_tool
from helpers.video_file import SIZE, damage, index_of, write_video
from mmpose.registry import DATASETS

from handkp_plugins.datasets.checks.keypoint_files import check_keypoint_file
from handkp_plugins.datasets.transforms import LoadHandImage, PackHandInputs

video_keypoints = load_tool('dataset_converters/video_keypoints')
HEADER = ','.join(['frame', *(f'{axis}{k}' for k in range(21) for axis in 'xyv')])


def points(frame: int) -> np.ndarray:
    """Keypoint k at (10 + frame, 2k); the last is not labelled."""
    return np.array([[10 + frame, 2 * k, 2 if k < 20 else 0] for k in range(21)])


def add_clip(root: Path, name: str, num_frames: int = 12, frames: range | None = None, codec: str = 'MJPG') -> Path:
    """A video, and a table for these of its frames."""
    rows = [','.join(map(str, [i, *points(i).ravel()])) for i in frames or range(num_frames)]
    table = (root / 'keypoints' / name).with_suffix('.csv')
    table.parent.mkdir(parents=True, exist_ok=True)
    table.write_text('\n'.join([HEADER, *rows]))
    return write_video(root / 'videos' / name, num_frames, codec)


def load(root: Path, part: str):
    path = root / 'annotations' / f'{part}.json'
    check_keypoint_file(str(path))
    config = dict(type='HandVideoDataset', ann_file=str(path), data_prefix=dict(img=f'{root}/'))
    return DATASETS.build(dict(config, pipeline=[LoadHandImage(strict=True), PackHandInputs()]))


def frames(root: Path, part: str) -> list[tuple[str, int]]:
    images = json.loads((root / 'annotations' / f'{part}.json').read_text())['images']
    return [(image['video_id'], image['frame_id']) for image in images]


@pytest.mark.parametrize('direct', [False, True])
@pytest.mark.parametrize(('name', 'codec'), [('clip.avi', 'MJPG'), ('clip.mkv', 'MJPG'), ('clip.mp4', 'mp4v')])
def test_each_picture_has_the_keypoints_of_its_frame(tmp_path: Path, direct: bool, name: str, codec: str):
    add_clip(tmp_path, name, codec=codec)
    account = video_keypoints.main(str(tmp_path), 'by a test', direct, split='test')
    assert 'clip' in account and 'found 12, converted 12, skipped 0 frames' in account
    assert account.endswith(f'look at {tmp_path}/preview.jpg')
    dataset = load(tmp_path, 'test')
    assert len(dataset) == 12
    for i in range(12):
        item = dataset[i]
        sample = item['data_samples']
        assert (sample.video_id, sample.frame_id) == ('clip', i)
        assert index_of(item['inputs'].permute(1, 2, 0).numpy()) == i
        np.testing.assert_array_equal(sample.gt_instances.keypoints[0, :20], points(i)[:20, :2])
        assert sample.gt_instances.keypoints_visible[0].tolist() == [1] * 20 + [0]
    assert (tmp_path / 'frames').exists() is not direct
    expected = 'videos/' + name + '#000003' if direct else 'frames/clip/000003.jpg'
    assert dataset.get_data_info(3)['img_path'] == f'{tmp_path}/{expected}'
    content = json.loads((tmp_path / 'annotations' / 'test.json').read_text())
    assert content['info']['description'].endswith('keypoints by a test (test)')
    assert (content['images'][0]['width'], content['images'][0]['height']) == SIZE
    assert content['annotations'][4]['bbox'] == [14, 0, 1, 39]
    assert cv2.imread(str(tmp_path / 'preview.jpg')) is not None


def test_three_videos_are_split_by_video(tmp_path: Path):
    for name in ('a.avi', 'b.avi', 'c.avi'):
        add_clip(tmp_path, name, 3)
    video_keypoints.main(str(tmp_path), 'by a test', direct=True)
    parts = {part: frames(tmp_path, part) for part in ('train', 'val', 'test')}
    assert all(len({name for name, _ in part}) == 1 and len(part) == 3 for part in parts.values())
    assert len({part[0][0] for part in parts.values()}) == 3


def test_one_video_is_split_by_stretches(tmp_path: Path):
    add_clip(tmp_path, 'a.avi', 20)
    video_keypoints.main(str(tmp_path), 'by a test', direct=True)
    parts = {part: [i for _, i in frames(tmp_path, part)] for part in ('train', 'val', 'test')}
    assert parts == dict(train=list(range(16)), val=[16, 17], test=[18, 19])


def test_json_tables(tmp_path: Path):
    video = add_clip(tmp_path, 'a.avi', 6)
    table = tmp_path / 'keypoints' / 'a.csv'
    table.unlink()
    hands = [np.column_stack([points(i)[:, :2], np.zeros(21)]).tolist() for i in range(6)]
    table.with_suffix('.json').write_text(json.dumps([*hands[:2], None, *hands[3:]]))
    account = video_keypoints.main(str(tmp_path), 'by a test', split='test')
    assert f'1 skipped, no keypoints: videos/{video.name}#000002' in account
    assert [i for _, i in frames(tmp_path, 'test')] == [0, 1, 3, 4, 5]
    assert load(tmp_path, 'test')[4]['data_samples'].gt_instances.keypoints_visible.sum() == 21


def test_what_is_skipped_is_counted_and_named(tmp_path: Path):
    add_clip(tmp_path, 'whole.mkv', 12, range(2, 14))  # 0 and 1 have no keypoints; 12 and 13 no picture
    damage(add_clip(tmp_path, 'damaged.mkv'), (7,))
    cut = add_clip(tmp_path, 'cut.mkv')
    cut.write_bytes(cut.read_bytes()[:-5000])
    for name in ('lost.avi', 'empty.mp4', 'bare.avi', 'text.txt'):
        add_clip(tmp_path, 'lost.avi') if name == 'lost.avi' else (tmp_path / 'videos' / name).write_bytes(b'')
    damage(tmp_path / 'videos' / 'lost.avi', (3,))
    write_video(tmp_path / 'videos' / 'bare.avi', 3)
    shutil.copy(tmp_path / 'keypoints' / 'cut.csv', tmp_path / 'keypoints' / 'other.csv')
    account = video_keypoints.main(str(tmp_path), 'by a test', direct=True, split='test')

    got = frames(tmp_path, 'test')
    assert [i for name, i in got if name == 'whole'] == list(range(2, 12))
    assert [i for name, i in got if name == 'damaged'] == list(range(7))
    ended = [i for name, i in got if name == 'cut']
    assert ended == list(range(len(ended))) and 8 <= len(ended) < 12
    assert {name for name, _ in got} == {'whole', 'damaged', 'cut'}
    lost = 5 + 12 - len(ended)
    for text in (
        'whole.mkv: 12 frames decoded, 10 converted',
        'damaged.mkv: 5 frames cannot be decoded: 7-11',
        f'cut.mkv: {12 - len(ended)} frames cannot be decoded: ',
        f'found {14 + 12 + 12}, converted {len(got)}, skipped {lost + 4} frames',
        f'{lost} skipped, frame cannot be decoded: videos/cut.mkv#0000',
        '2 skipped, no keypoints: videos/whole.mkv#000000, videos/whole.mkv#000001',
        '2 skipped, keypoints of a frame after the end of the video: videos/whole.mkv#000012, videos/whole.mkv#000013',
        'lost.avi: left out: 9 of 12 frames cannot be decoded, and it is unknown which, because its format has no',
        'empty.mp4: left out: the video cannot be opened: it is empty, damaged, or of an unknown format',
        'bare.avi: left out: no keypoints/bare.csv or .json; keypoints must be in pixels',
        'text.txt: left out: no video by its suffix',
        'other.csv: left out: no video of this name',
        'found 6 videos, converted 3',
    ):
        assert text in account, text


def test_a_varying_frame_rate_is_refused_for_direct_access_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """All frames are there, so they are counted; but by its time none could be found again."""
    add_clip(tmp_path, 'a.mkv', 10)
    monkeypatch.setattr('handkp_plugins.fileio.videos.frame_index', lambda capture: 3)
    with pytest.raises(ValueError, match='none could be converted'):
        video_keypoints.main(str(tmp_path), 'by a test', direct=True)
    assert 'converted 10,' in video_keypoints.main(str(tmp_path), 'by a test', direct=False)


def test_a_picture_just_written_is_not_read_for_its_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    add_clip(tmp_path, 'a.mkv', 10)
    monkeypatch.delattr('conversion.read_image')
    assert 'converted 10,' in video_keypoints.main(str(tmp_path), 'by a test')


@pytest.mark.parametrize(
    ('prepare', 'kind', 'message'),
    [
        (
            lambda root: (root / 'videos').mkdir(),
            FileNotFoundError,
            r'videos: expected one or more videos \(\.avi, .* got none',
        ),
        (
            lambda root: [add_clip(root, n) for n in ('a.avi', 'a.mkv')],
            ValueError,
            'expected names that differ without their suffix',
        ),
        (
            lambda root: (add_clip(root, 'a.avi'), (root / 'keypoints' / 'a.json').write_text('[]')),
            ValueError,
            r'a\.avi: expected one table of keypoints, got .*a\.csv and .*a\.json',
        ),
        (
            lambda root: (add_clip(root, 'a.avi'), (root / 'keypoints' / 'a.csv').write_text('x')),
            ValueError,
            r'a\.csv: line 1: expected the header',
        ),
    ],
)
def test_errors(tmp_path: Path, prepare, kind: type[Exception], message: str):
    prepare(tmp_path)
    with pytest.raises(kind, match=message):
        video_keypoints.main(str(tmp_path), 'by a test')
    assert not (tmp_path / 'annotations').exists()


def test_split_by_another_name(tmp_path: Path):
    with pytest.raises(ValueError, match=r"split: expected one of \('8:1:1', 'test'\), got 'val'"):
        video_keypoints.main(str(tmp_path), 'by a test', split='val')


def test_real_video(real_data: Path, tmp_path: Path):
    """Labels of MediaPipe; a box around them lies in the picture, and holds a hand of more than 100 pixels."""
    source = real_data / 'tfjs_asl_hand'
    for folder in ('videos', 'keypoints'):
        (tmp_path / folder).mkdir()
    (tmp_path / 'videos' / 'asl.mp4').symlink_to((source / 'asl_hand.25fps.mp4').resolve())
    labels = json.loads((source / 'asl_hand.full.json').read_text())
    (tmp_path / 'keypoints' / 'asl.json').write_text(json.dumps(labels[:30]))
    account = video_keypoints.main(str(tmp_path), 'by MediaPipe', direct=True)
    assert 'found 325, converted 30, skipped 295 frames' in account
    parts = {part: load(tmp_path, part) for part in ('train', 'val', 'test')}
    assert {part: len(dataset) for part, dataset in parts.items()} == dict(train=24, val=3, test=3)
    x1, y1, x2, y2 = parts['val'].get_data_info(0)['bbox'][0]
    assert 0 < x1 < x2 < 620 and 100 < y2 - y1 < y2 < 1080
