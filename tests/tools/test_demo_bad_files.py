"""What a new user may give the demo by mistake: each is told in one line that names the file, and nothing is drawn."""

import json
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest
from helpers.tiny_model import write_tiny_model
from helpers.tool_module import load_tool
from helpers.video_file import write_video


@pytest.fixture(scope='module')
def demo() -> ModuleType:
    return load_tool('demo')


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
def test_half_a_picture(demo: ModuleType, arguments: dict, tmp_path: Path, suffix: str, options: list, half: bool):
    data = encoded(suffix, *options)
    source = tmp_path / f'hand{suffix}'
    source.write_bytes(data[: len(data) // 2] if half else data)
    if not half:
        assert len(demo.main(source, output=tmp_path / 'out', **arguments)['items']) == 1
        return
    with pytest.raises(ValueError) as error:
        demo.main(source, output=tmp_path / 'out', **arguments)
    assert str(error.value).startswith(f'{source}: ') and '\n' not in str(error.value)
    assert not (tmp_path / 'out' / source.name).exists()
    assert len(json.loads((tmp_path / 'out' / 'keypoints.json').read_text())['skipped']) == 1


@pytest.mark.parametrize(
    'content, reason', [(b'', 'the file is empty'), (b'a list\nof things\n', 'not a readable image')]
)
def test_no_picture(demo: ModuleType, arguments: dict, tmp_path: Path, content: bytes, reason: str):
    (tmp_path / 'hand.jpg').write_bytes(content)
    with pytest.raises(ValueError, match=f'hand.jpg: {reason}'):
        demo.main(tmp_path / 'hand.jpg', output=tmp_path / 'out', **arguments)


@pytest.mark.parametrize('kind', ['random', 'empty', 'no frames', 'beginning lost'])
def test_no_video(demo: ModuleType, arguments: dict, tmp_path: Path, kind: str):
    source = tmp_path / 'clip.mp4'
    if kind == 'no frames':
        cv2.VideoWriter(str(source), cv2.VideoWriter_fourcc(*'mp4v'), 25, (96, 64)).release()
    else:
        whole = write_video(source, 30, 'mp4v').read_bytes()
        random = np.random.default_rng(0).bytes(20_000)
        source.write_bytes({'random': random, 'empty': b'', 'beginning lost': whole[: len(whole) // 2]}[kind])
    with pytest.raises(ValueError, match='clip.mp4: not a video, or without any frame that can be read'):
        demo.main(source, output=tmp_path / 'out', **arguments)
    assert list((tmp_path / 'out').iterdir()) == []


def test_a_video_with_a_damaged_end(demo: ModuleType, arguments: dict, tmp_path: Path, capsys: pytest.CaptureFixture):
    source = write_video(tmp_path / 'clip.mkv', 30)
    data = source.read_bytes()
    source.write_bytes(data[: len(data) * 2 // 3])
    document = demo.main(source, output=tmp_path / 'out', **arguments)
    assert 10 < len(document['items']) < 30 and document['complete'] is False
    assert f'frame {len(document["items"])} of 30 cannot be read' in capsys.readouterr().err


def test_a_misspelt_key_of_the_annotations(demo: ModuleType, arguments: dict, tmp_path: Path):
    (tmp_path / 'hand.png').write_bytes(encoded('.png'))
    image = dict(id=1, file_name='hand.png')
    ann = tmp_path / 'ann.json'
    ann.write_text(json.dumps(dict(images=[image], annotations=[dict(id=7, image_id=1, bbx=[1, 1, 9, 9])])))
    given = dict(arguments, whole_image=False, ann=ann)
    with pytest.raises(ValueError, match=r'ann.json: annotation at index 0, id 7: .* missing: bbox'):
        demo.main(tmp_path / 'hand.png', output=tmp_path / 'out', **given)


def test_names_that_are_not_there(demo: ModuleType, tmp_path: Path):
    for given, error in (
        (
            dict(whole_image=True, pose=['light']),
            r"^--pose: weights: expected .*lite.*, got 'light'; --pose CONFIG",
        ),
        (dict(det=['faces']), r"^--det: weights: expected .*lite.*, got 'faces'; --det CONFIG CHECKPOINT names"),
        (dict(whole_image=True, pose=['a', 'b', 'c']), r'--pose: NAME of shipped weights, or CONFIG and CHECKPOINT'),
    ):
        with pytest.raises(ValueError, match=error):
            demo.main(tmp_path / 'hand.jpg', **given)


def test_a_misspelt_option(demo: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture):
    monkeypatch.setattr('sys.argv', ['demo.py', 'hand.jpg', '--whole-imag3'])
    with pytest.raises(SystemExit):
        demo.parse_args()
    assert 'unrecognized arguments: --whole-imag3' in capsys.readouterr().err
