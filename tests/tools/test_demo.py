import json
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers.demo import count_decodes, demo
from helpers.shipped import ship_tiny
from helpers.tiny_gesture_net import CLASSES, write_gesture_net
from helpers.tiny_model import write_tiny_model
from helpers.tool_module import load_tool

from handkp_plugins.apps.demo.options import (
    DrawingOptions,
    HandOptions,
    NetworkOptions,
    VideoOptions,
    group_options,
    parse_demo_args,
)
from handkp_plugins.engine.checkpoint import shipped as weights


@pytest.fixture(scope='module')
def model_args(tmp_path_factory: pytest.TempPathFactory) -> dict:
    return dict(pose=write_tiny_model(tmp_path_factory.mktemp('tiny')), device='cpu')


def picture(height: int = 40, width: int = 60, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 255, (height, width, 3), dtype=np.uint8)


def write_video(path: Path, num_frames: int, size: tuple[int, int] = (64, 48)) -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'mp4v'), 20, size)
    for i in range(num_frames):
        writer.write(picture(size[1], size[0], seed=i))
    writer.release()
    return path


def saved(output: Path) -> dict:
    return json.loads((output / 'keypoints.json').read_text())


def test_the_example_names_what_the_quickstart_writes():
    config, checkpoint = re.search(r'--pose (\S+) \\\s+(\S+)', load_tool('demo').__doc__).groups()
    assert Path(checkpoint).parent == Path('work_dirs/demo', Path(config).stem)


def test_image_with_boxes(model_args: dict, tmp_path: Path):
    source = tmp_path / 'händ ✋.png'
    cv2.imwrite(str(source), picture())
    output = tmp_path / 'öut' / 'deep'
    document = demo(source, output=output, bbox=[[5, 5, 20, 30], [30, 0, 30, 40]], save_heatmaps=True, **model_args)
    assert document == saved(output)
    assert document['version'] == 1
    assert document['complete'] is True
    assert len(document['keypoint_names']) == 21
    (item,) = document['items']
    assert (item['file'], item['width'], item['height']) == (source.name, 60, 40)
    assert [i['bbox'] for i in item['instances']] == [[5, 5, 20, 30], [30, 0, 30, 40]]
    assert np.shape([i['keypoints'] for i in item['instances']]) == (2, 21, 2)
    assert np.shape([i['scores'] for i in item['instances']]) == (2, 21)
    written = cv2.imread(str(output / source.name))
    assert written.shape == (40, 60, 3)
    assert (written != picture()).any()
    assert cv2.imread(str(output / 'heatmaps' / source.name)).shape == (40, 60, 3)
    np.testing.assert_array_equal(cv2.imread(str(source)), picture())


@pytest.mark.parametrize('video', [False, True])
def test_signs_are_written_beside_the_hands(model_args: dict, tmp_path: Path, video: bool):
    source = tmp_path / ('clip.mp4' if video else 'hands.png')
    write_video(source, 3) if video else cv2.imwrite(str(source), picture())
    boxes = dict(bbox=[[5, 5, 20, 30], [30, 0, 30, 40]])
    plain = demo(source, output=tmp_path / 'plain', **boxes, **model_args)
    document = demo(source, output=tmp_path / 'signs', gesture=write_gesture_net(tmp_path), **boxes, **model_args)
    assert len(document['items']) == (3 if video else 1)
    for item, other in zip(document['items'], plain['items'], strict=True):
        for hand, same in zip(item['instances'], other['instances'], strict=True):
            assert hand.pop('gesture') in CLASSES and 0.5 <= hand.pop('gesture_score') <= 1
            assert hand == same
    if not video:
        with_signs, without = (cv2.imread(str(tmp_path / name / source.name)) for name in ('signs', 'plain'))
        assert (with_signs != without).any(-1).sum() > 50


def test_the_last_frames_of_a_video_vote(model_args: dict, tmp_path: Path):
    net = write_gesture_net(tmp_path)

    def rights(source: Path, frames: int) -> list[float]:
        """The probability of the second sign in each picture."""
        document = demo(
            source, output=tmp_path / f'out{frames}', gesture=net, gesture_frames=frames, whole_image=True, **model_args
        )
        hands = [hand for item in document['items'] for hand in item['instances']]
        return [h['gesture_score'] if h['gesture'] == CLASSES[1] else 1 - h['gesture_score'] for h in hands]

    video = write_video(tmp_path / 'clip.mp4', 4)
    alone = rights(video, 1)
    assert len(set(alone)) == 4
    voted = [np.mean(alone[max(0, i - 2) : i + 1]) for i in range(4)]
    assert rights(video, 3) == pytest.approx(voted, abs=2e-4) and voted != pytest.approx(alone, abs=2e-4)

    (tmp_path / 'pictures').mkdir()
    for i in range(3):
        cv2.imwrite(str(tmp_path / 'pictures' / f'{i}.png'), picture() + np.uint8(40 * i))
    alone = rights(tmp_path / 'pictures', 1)
    assert len(set(alone)) > 1 and rights(tmp_path / 'pictures', 3) == alone


@pytest.mark.parametrize('video', [False, True])
def test_averaging_over_rotations(model_args: dict, tmp_path: Path, video: bool):
    source = tmp_path / ('clip.mp4' if video else 'hands.png')
    write_video(source, 2) if video else cv2.imwrite(str(source), picture())
    arguments = dict(bbox=[[5, 5, 20, 30], [30, 0, 30, 40]], save_heatmaps=True, **model_args)
    plain, document = (demo(source, output=tmp_path / str(tta), tta=tta, **arguments) for tta in (False, True))
    assert len(document['items']) == (2 if video else 1)
    for item, other in zip(document['items'], plain['items'], strict=True):
        hands = [np.array([i['keypoints'] for i in entry['instances']]) for entry in (item, other)]
        assert hands[0].shape == (2, 21, 2) and np.abs(hands[0] - hands[1]).max() > 1
    assert (tmp_path / 'True' / 'heatmaps' / source.name).is_file()


def test_an_image_is_decoded_once(model_args: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    cv2.imwrite(str(tmp_path / 'a.jpg'), picture())
    decodes = count_decodes(monkeypatch)
    demo(tmp_path / 'a.jpg', output=tmp_path / 'out', whole_image=True, save_heatmaps=True, **model_args)
    assert len(decodes) == 1


def test_exif_rotation_is_followed(model_args: dict, tmp_path: Path):
    jpeg = cv2.imencode('.jpg', picture(40, 60))[1].tobytes()
    orientation_6 = bytes.fromhex('ffe1002245786966000049492a0008000000010012010300010000000600000000000000')
    (tmp_path / 'turned.jpg').write_bytes(jpeg[:2] + orientation_6 + jpeg[2:])
    document = demo(tmp_path / 'turned.jpg', output=tmp_path / 'out', whole_image=True, **model_args)
    (item,) = document['items']
    assert (item['width'], item['height']) == (40, 60)
    assert item['instances'][0]['bbox'] == [0, 0, 40, 60]


def test_folder_skips_and_lists_what_it_cannot_use(model_args: dict, tmp_path: Path, capsys: pytest.CaptureFixture):
    folder = tmp_path / 'in'
    folder.mkdir()
    for name in ('b.jpg', 'a.png', 'small.bmp'):
        cv2.imwrite(str(folder / name), picture(8, 8) if name == 'small.bmp' else picture())
    (folder / 'empty.jpg').touch()
    (folder / 'cut.jpg').write_bytes((folder / 'b.jpg').read_bytes()[:-50])
    (folder / 'text.JPEG').write_text('no image')
    (folder / 'notes.txt').write_text('left out')
    document = demo(folder, output=tmp_path / 'out', bbox=[[20, 20, 10, 10]], **model_args)
    assert [i['file'] for i in document['items']] == ['a.png', 'b.jpg']
    reasons = {s['file']: s['reason'] for s in document['skipped']}
    assert list(reasons) == ['cut.jpg', 'empty.jpg', 'small.bmp', 'text.JPEG']
    assert reasons['empty.jpg'] == 'the file is empty'
    assert 'expected boxes that touch the image of 8x8 px' in reasons['small.bmp']
    assert reasons['text.JPEG'] == 'not a readable image: the decoder refuses it'
    assert reasons['cut.jpg'] == 'truncated JPEG: its end marker is missing'
    errors = capsys.readouterr().err
    assert 'skipped 4' in errors
    assert '1 other files are left out' in errors
    written = {'a.png', 'b.jpg', 'keypoints.json', 'keypoints.jsonl'}
    assert {p.name for p in (tmp_path / 'out').iterdir()} == written


def test_folder_without_a_readable_image_fails(model_args: dict, tmp_path: Path):
    (tmp_path / 'in').mkdir()
    with pytest.raises(ValueError, match=r'in: expected images \(.jpg .*\) in this folder, got none'):
        demo(tmp_path / 'in', output=tmp_path / 'out', whole_image=True, **model_args)
    (tmp_path / 'in' / 'a.jpg').touch()
    with pytest.raises(ValueError, match='no image could be used'):
        demo(tmp_path / 'in', output=tmp_path / 'out', whole_image=True, **model_args)
    assert saved(tmp_path / 'out')['skipped'] == [dict(file='a.jpg', reason='the file is empty')]


def test_boxes_from_coco(model_args: dict, tmp_path: Path, mini_coco: Path):
    folder = mini_coco.parent / 'images'
    cv2.imwrite(str(folder / 'unknown.jpg'), picture())
    document = demo(folder, output=tmp_path / 'out', ann=mini_coco, **model_args)
    annotations = json.loads(mini_coco.read_text())['annotations']
    for item, annotation in zip(document['items'], annotations, strict=True):
        np.testing.assert_allclose(item['instances'][0]['bbox'], annotation['bbox'], atol=1e-3)
    (skipped,) = document['skipped']
    assert skipped['file'] == 'unknown.jpg'
    assert skipped['reason'].startswith(f'{mini_coco} has no image of this name')


@pytest.mark.parametrize(
    'change, message',
    [
        (dict(batch_size=0), '--batch-size: expected an integer from 1 on, got 0'),
        (dict(bbox=[[5, 5, 0, 9]]), r'--bbox: expected X Y W H with W and H above 0, got \[5, 5, 0, 9\]'),
    ],
)
def test_bad_numbers_are_no_fault_of_the_pictures(model_args: dict, tmp_path: Path, change: dict, message: str):
    cv2.imwrite(str(tmp_path / 'a.png'), picture())
    with pytest.raises(ValueError, match=message):
        demo(tmp_path / 'a.png', output=tmp_path / 'out', **dict(dict(bbox=[[5, 5, 9, 9]]), **change), **model_args)
    assert not (tmp_path / 'out').exists()


def test_a_fault_of_the_network_is_no_skipped_picture(
    model_args: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def fail(*args) -> list:
        raise ValueError('the size of the input is wrong')

    monkeypatch.setattr('handkp_plugins.apps.demo.hand_pipeline.predict', fail)
    cv2.imwrite(str(tmp_path / 'a.png'), picture())
    with pytest.raises(ValueError, match='the size of the input is wrong'):
        demo(tmp_path / 'a.png', output=tmp_path / 'out', whole_image=True, **model_args)
    assert saved(tmp_path / 'out')['skipped'] == []


@pytest.mark.parametrize(
    'options, message',
    [
        (dict(bbox=[[0, 0, 5, 5]], whole_image=True), '--bbox X Y W H, or --ann FILE .*, or --whole-image, got 2'),
        (dict(whole_image=True, det=['c.py', 'w.pth']), '--det: expected without --bbox, --ann and --whole-image'),
    ],
)
def test_the_box_is_given_in_one_way_only(model_args: dict, tmp_path: Path, options: dict, message: str):
    cv2.imwrite(str(tmp_path / 'a.png'), picture())
    with pytest.raises(ValueError, match=message):
        demo(tmp_path / 'a.png', output=tmp_path / 'out', **options, **model_args)


def test_sources_and_outputs_that_cannot_be(model_args: dict, tmp_path: Path):
    arguments = dict(whole_image=True, **model_args)
    with pytest.raises(FileNotFoundError, match='none.jpg: no such file or folder'):
        demo(tmp_path / 'none.jpg', output=tmp_path / 'out', **arguments)
    (tmp_path / 'a.gif').touch()
    with pytest.raises(ValueError, match=r", got '.gif'"):
        demo(tmp_path / 'a.gif', output=tmp_path / 'out', **arguments)
    cv2.imwrite(str(tmp_path / 'a.png'), picture())
    with pytest.raises(OSError, match='cannot write to the output folder: File exists; choose another by --output'):
        demo(tmp_path / 'a.png', output=tmp_path / 'a.png', **arguments)
    with pytest.raises(ValueError, match='another folder than that of the source'):
        demo(tmp_path / 'a.png', output=tmp_path, **arguments)
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / 'a.png')), picture())


def test_video(model_args: dict, tmp_path: Path):
    source = write_video(tmp_path / 'vidéo.avi.mp4', 6)
    document = demo(source, output=tmp_path / 'out', whole_image=True, save_heatmaps=True, **model_args)
    assert document['complete'] is True
    assert [i['frame'] for i in document['items']] == list(range(6))
    np.testing.assert_allclose([i['time'] for i in document['items']], np.arange(6) / 20, atol=1e-3)
    for folder in ('.', 'heatmaps'):
        capture = cv2.VideoCapture(str(tmp_path / 'out' / folder / source.name))
        assert capture.get(cv2.CAP_PROP_FRAME_COUNT) == 6
        assert capture.get(cv2.CAP_PROP_FPS) == 20
        assert capture.get(cv2.CAP_PROP_FRAME_WIDTH) == 64


def test_video_cut_short(model_args: dict, tmp_path: Path, capsys: pytest.CaptureFixture):
    whole = write_video(tmp_path / 'whole.avi', 30).read_bytes()
    source = tmp_path / 'cut.avi'
    source.write_bytes(whole[: len(whole) // 2])
    document = demo(source, output=tmp_path / 'out', whole_image=True, **model_args)
    done = len(document['items'])
    assert 0 < done < 30
    assert document['complete'] is False
    assert f'frame {done} of 30 cannot be read; the {done} before it are saved' in capsys.readouterr().err
    assert cv2.VideoCapture(str(tmp_path / 'out' / 'cut.mp4')).get(cv2.CAP_PROP_FRAME_COUNT) == done


@pytest.mark.parametrize('content', [b'', b'no video at all' * 100])
def test_no_video(model_args: dict, tmp_path: Path, content: bytes, capsys: pytest.CaptureFixture):
    (tmp_path / 'bad.mp4').write_bytes(content)
    with pytest.raises(ValueError, match='bad.mp4: not a video, or without any frame'):
        demo(tmp_path / 'bad.mp4', output=tmp_path / 'out', whole_image=True, **model_args)
    assert 'frame rate' not in capsys.readouterr().err


def test_stopping_keeps_what_was_done(model_args: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    frames = []

    def predict_twice(*args) -> list:
        frames.append(1)
        if len(frames) > 2:
            raise KeyboardInterrupt
        return []

    monkeypatch.setattr('handkp_plugins.apps.demo.hand_pipeline.predict', predict_twice)
    source = write_video(tmp_path / 'long.mp4', 9)
    with pytest.raises(KeyboardInterrupt):
        demo(source, output=tmp_path / 'out', whole_image=True, **model_args)
    assert len(saved(tmp_path / 'out')['items']) == 2
    assert saved(tmp_path / 'out')['complete'] is False
    assert cv2.VideoCapture(str(tmp_path / 'out' / 'long.mp4')).get(cv2.CAP_PROP_FRAME_COUNT) == 2


def test_a_full_disk_is_named(model_args: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def fail(path: Path, data: bytes) -> int:
        path.touch()
        raise OSError(28, 'No space left on device')

    cv2.imwrite(str(tmp_path / 'a.png'), picture())
    output = tmp_path / 'out'
    monkeypatch.setattr(Path, 'write_bytes', fail)
    with pytest.raises(OSError, match='cannot be written: No space left on device .*a.png'):
        demo(tmp_path / 'a.png', output=output, whole_image=True, **model_args)
    assert {p.name for p in output.iterdir()} == {'keypoints.json', 'keypoints.jsonl'}
    assert saved(output)['items'] == [] and saved(output)['complete'] is False


def test_real_photographs(model_args: dict, tmp_path: Path, real_data: Path):
    photos = real_data / 'real_samples' / 'onehand10k'
    ann = photos / 'test_onehand10k.json'
    document = demo(photos, output=tmp_path / 'photos', ann=ann, **model_args)
    assert len(document['items']) == 4
    assert document['skipped'] == []


def run_help(capsys: pytest.CaptureFixture) -> str:
    with pytest.raises(SystemExit):
        parse_demo_args(['--help'], load_tool('demo').__doc__)
    return capsys.readouterr().out


def test_the_help_fits_a_screen(capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv('COLUMNS', '100')
    lines = run_help(capsys).splitlines()
    assert len(lines) <= 45 and max(map(len, lines)) <= 100


@pytest.mark.parametrize('pose', [None, ['lite'], ['handkp://lite']])
def test_shipped_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture, pose: list[str] | None
):
    config, checkpoint, _ = ship_tiny(tmp_path, monkeypatch)
    cv2.imwrite(str(tmp_path / 'a.png'), picture())
    arguments = dict(bbox=[[5, 5, 20, 30]], device='cpu')
    named = {} if pose is None else dict(pose=pose)
    document = demo(tmp_path / 'a.png', output=tmp_path / 'out', **named, **arguments)
    assert (document['config'], document['checkpoint']) == (str(config), 'handkp://lite')
    own = demo(tmp_path / 'a.png', tmp_path / 'own', pose=[config, checkpoint], **arguments)
    np.testing.assert_allclose(
        document['items'][0]['instances'][0]['keypoints'], own['items'][0]['instances'][0]['keypoints'], atol=0.1
    )
    assert 'keypoints: lite (default) or your own' in ' '.join(run_help(capsys).split())


def test_no_shipped_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture):
    monkeypatch.setattr(weights, 'FOLDER', tmp_path / 'none')
    cv2.imwrite(str(tmp_path / 'a.png'), picture())
    with pytest.raises(ValueError, match=r'--pose: .*\(none come with this version\), or .*, got lite'):
        demo(tmp_path / 'a.png', output=tmp_path / 'out', whole_image=True)
    assert not (tmp_path / 'out').exists()
    assert 'keypoints: none come with this version or your own' in ' '.join(run_help(capsys).split())


@pytest.mark.parametrize('old', [['--weights', 'lite'], ['--config', 'c.py'], ['--checkpoint', 'w.pth'], ['--weights']])
def test_old_options_name_the_new_one(capsys: pytest.CaptureFixture, old: list[str]):
    with pytest.raises(SystemExit):
        parse_demo_args(['photo.jpg', *old])
    assert f'error: {old[0]} is now --pose NAME or --pose CONFIG CHECKPOINT' in capsys.readouterr().err


def test_the_command_line_is_what_main_takes():
    line = 'a.mp4 --pose c.py w.pth --bbox 1 2 3 4 --bbox 5 6 7 8 --tta --det-every 5 --smooth --no-rate'
    assert parse_demo_args([*line.split(), '--score-thr', '0.5']) == dict(
        source='a.mp4', output='work_dirs/demo_pictures', networks=NetworkOptions(pose=['c.py', 'w.pth'], tta=True),
        hands=HandOptions(bbox=[[1, 2, 3, 4], [5, 6, 7, 8]], det_every=5),
        video=VideoOptions(smooth=True, no_rate=True), drawing=DrawingOptions(score_thr=0.5),
    )  # fmt: skip


def test_a_misspelt_option(capsys: pytest.CaptureFixture):
    with pytest.raises(SystemExit):
        parse_demo_args(['hand.jpg', '--whole-imag3'])
    assert 'unrecognized arguments: --whole-imag3' in capsys.readouterr().err
    with pytest.raises(TypeError, match='expected those of tools/demo.py, got whole_imag3'):
        group_options(whole_imag3=True)
