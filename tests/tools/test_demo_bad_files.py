"""What a new user may give the demo by mistake: each is told in one line that names the file, and nothing is drawn."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers.demo import demo
from helpers.tiny_model import write_tiny_model
from helpers.video_file import write_video


@pytest.fixture(scope='module')
def arguments(tmp_path_factory: pytest.TempPathFactory) -> dict:
    return dict(pose=write_tiny_model(tmp_path_factory.mktemp('tiny')), device='cpu', whole_image=True)


def encoded(suffix: str, *options: int) -> bytes:
    """A smooth picture with some noise, as a file."""
    y, x = np.mgrid[:96, :128]
    image = np.dstack([x, y, x + y]).astype(np.uint8) + np.random.default_rng(0).integers(0, 20, (96, 128, 3), np.uint8)
    return cv2.imencode(suffix, image, options)[1].tobytes()


@pytest.mark.parametrize('half', [True, False])
@pytest.mark.parametrize(
    'suffix, options', [('.jpg', []), ('.jpg', [cv2.IMWRITE_JPEG_PROGRESSIVE, 1]), ('.png', []), ('.webp', []),
                        ('.bmp', []), ('.tif', [])]
)  # fmt: skip
def test_half_a_picture(arguments: dict, tmp_path: Path, suffix: str, options: list, half: bool):
    data = encoded(suffix, *options)
    source = tmp_path / f'hand{suffix}'
    source.write_bytes(data[: len(data) // 2] if half else data)
    if not half:
        assert len(demo(source, output=tmp_path / 'out', **arguments)['items']) == 1
        return
    with pytest.raises(ValueError) as error:
        demo(source, output=tmp_path / 'out', **arguments)
    assert str(error.value).startswith(f'{source}: ') and '\n' not in str(error.value)
    assert not (tmp_path / 'out' / source.name).exists()
    assert len(json.loads((tmp_path / 'out' / 'keypoints.json').read_text())['skipped']) == 1


@pytest.mark.parametrize(
    'content, reason', [(b'', 'the file is empty'), (b'a list\nof things\n', 'not a readable image')]
)
def test_no_picture(arguments: dict, tmp_path: Path, content: bytes, reason: str):
    (tmp_path / 'hand.jpg').write_bytes(content)
    with pytest.raises(ValueError, match=f'hand.jpg: {reason}'):
        demo(tmp_path / 'hand.jpg', output=tmp_path / 'out', **arguments)


@pytest.mark.parametrize('kind', ['random', 'empty', 'no frames', 'beginning lost'])
def test_no_video(arguments: dict, tmp_path: Path, kind: str):
    source = tmp_path / 'clip.mp4'
    if kind == 'no frames':
        cv2.VideoWriter(str(source), cv2.VideoWriter_fourcc(*'mp4v'), 25, (96, 64)).release()
    else:
        whole = write_video(source, 30, 'mp4v').read_bytes()
        random = np.random.default_rng(0).bytes(20_000)
        source.write_bytes({'random': random, 'empty': b'', 'beginning lost': whole[: len(whole) // 2]}[kind])
    with pytest.raises(ValueError, match='clip.mp4: not a video, or without any frame that can be read'):
        demo(source, output=tmp_path / 'out', **arguments)
    assert list((tmp_path / 'out').iterdir()) == []


def test_a_video_with_a_damaged_end(arguments: dict, tmp_path: Path, capsys: pytest.CaptureFixture):
    source = write_video(tmp_path / 'clip.mkv', 30)
    data = source.read_bytes()
    source.write_bytes(data[: len(data) * 2 // 3])
    document = demo(source, output=tmp_path / 'out', **arguments)
    assert 10 < len(document['items']) < 30 and document['complete'] is False
    assert f'frame {len(document["items"])} of 30 cannot be read' in capsys.readouterr().err


def test_a_misspelt_key_of_the_annotations(arguments: dict, tmp_path: Path):
    (tmp_path / 'hand.png').write_bytes(encoded('.png'))
    image = dict(id=1, file_name='hand.png')
    ann = tmp_path / 'ann.json'
    ann.write_text(json.dumps(dict(images=[image], annotations=[dict(id=7, image_id=1, bbx=[1, 1, 9, 9])])))
    given = dict(arguments, whole_image=False, ann=ann)
    with pytest.raises(ValueError, match=r'ann.json: annotation at index 0, id 7: expected .*, got none of bbox'):
        demo(tmp_path / 'hand.png', output=tmp_path / 'out', **given)


@pytest.mark.parametrize(
    'names, message',
    [
        (dict(pose=['light']), r'^--pose: expected NAME of shipped weights \(.*lite.*\), .* got light$'),
        (dict(pose=['a', 'b', 'c']), r'^--pose: .*, or CONFIG and CHECKPOINT, got a b c$'),
        (
            dict(det=['faces'], whole_image=False),
            r'^--det: expected NAME .*lite.*, or .*, got faces$',
        ),
    ],
)
def test_networks_that_are_not_there(arguments: dict, tmp_path: Path, names: dict, message: str):
    with pytest.raises(ValueError, match=message):
        demo(tmp_path / 'hand.jpg', tmp_path / 'out', **arguments | names)
