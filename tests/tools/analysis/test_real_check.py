import json
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest
import real_images
from helpers.shipped import ship_tiny
from helpers.tiny_model import write_tiny_model
from helpers.tool_module import load_tool

from handkp_plugins.structures.skeleton import JOINT_ORDERS

FRAMES = 6


@pytest.fixture(scope='module')
def tool() -> ModuleType:
    return load_tool('analysis/real_check')


@pytest.fixture(scope='module')
def tiny(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return write_tiny_model(tmp_path_factory.mktemp('tiny'))


def points(seed: int = 0, low: float = 20, high: float = 60) -> np.ndarray:
    """A label in our order; its box is that of two corners, of side high − low."""
    keypoints = np.random.default_rng(seed).uniform(low, high, (21, 2))
    keypoints[[3, 4]] = [[low, low], [high, high]]
    return keypoints.round(2)


def theirs(keypoints: np.ndarray, dataset: str) -> np.ndarray:
    """Keypoints in the order of another set: the inverse of ``ours = theirs[order]``."""
    out = np.zeros((max(JOINT_ORDERS[dataset]) + 1, keypoints.shape[1]))
    out[JOINT_ORDERS[dataset]] = keypoints
    return out


def write_picture(path: Path, seed: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.random.default_rng(seed).integers(0, 255, (80, 90, 3), dtype=np.uint8))


def write_coco(folder: Path, nested: bool = False, visibility: np.ndarray | None = None) -> None:
    """Two pictures, one hand each, in the set's own order; boxes of 50 × 40 pixels."""
    images, annotations = [], []
    for i in range(2):
        write_picture(folder / f'{i}.png', i)
        visible = np.ones(21) if visibility is None else visibility
        keypoints = theirs(np.column_stack([points(i), visible]), folder.name)
        images.append(dict(id=i, file_name=f'{i}.png', width=90, height=80))
        keypoints = keypoints.tolist() if nested else keypoints.ravel().tolist()
        annotations.append(dict(id=i, image_id=i, category_id=1, bbox=[15, 20, 50, 40], keypoints=keypoints))
    labels = dict(images=images, annotations=annotations, categories=[dict(id=1, name='hand')])
    (folder / f'test_{folder.name}.json').write_text(json.dumps(labels))


def write_interhand(folder: Path) -> None:
    """One picture with both hands, by a camera of focal length 100 at the origin; joints one unit away."""
    write_picture(folder / 'a.png')
    world = np.zeros((42, 3))
    for start, seed in ((0, 1), (21, 2)):
        pixels = theirs(points(seed), 'interhand')
        world[start : start + 21] = np.column_stack([(pixels - [40, 40]) / 100, np.ones(21)])
    valid = np.ones(42)
    valid[3] = 0
    image = dict(id=5, file_name='a.png', width=90, height=80, capture=0, camera='c', frame_idx=7)
    record = dict(id=5, image_id=5, bbox=[0, 0, 9, 9], joint_valid=valid[:, None].tolist())
    camera = {
        'campos': {'c': [0, 0, 0]},
        'camrot': {'c': np.eye(3).tolist()},
        'focal': {'c': [100, 100]},
        'princpt': {'c': [40, 40]},
    }
    name = 'test_interhand2.6m'
    (folder / f'{name}_data.json').write_text(json.dumps(dict(images=[image], annotations=[record])))
    (folder / f'{name}_joint_3d.json').write_text(json.dumps({'0': {'7': {'world_coord': world.tolist()}}}))
    (folder / f'{name}_camera.json').write_text(json.dumps({'0': camera}))


def write_video(path: Path, num_frames: int = FRAMES) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'MJPG'), 25, (90, 80))
    for i in range(num_frames):
        writer.write(np.random.default_rng(i).integers(0, 255, (80, 90, 3), dtype=np.uint8))
    writer.release()


def write_asl(folder: Path, num_frames: int = FRAMES, num_labels: int = FRAMES) -> None:
    write_video(folder / 'video.avi', num_frames)
    (folder / 'video.avi').rename(folder / 'asl_hand.25fps.mp4')  # a lossless container tells frames apart
    labels = [np.column_stack([points(i), np.zeros(21)]).tolist() for i in range(num_labels)]
    (folder / 'asl_hand.full.json').write_text(json.dumps(labels))


@pytest.fixture
def oracle(tool: ModuleType, monkeypatch: pytest.MonkeyPatch) -> dict:
    """A network whose results a test sets: (boxes) → keypoints; its calls are recorded."""
    state: dict = dict(boxes=[], answer=None)

    def predict(model: object, images: list, boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        state['boxes'].append(np.array(boxes))
        return state['answer'](images, boxes), np.ones((len(images), 21))

    monkeypatch.setattr(tool, 'predict_each', predict)
    return state


def check(tool: ModuleType, tiny: tuple, data: Path, output: Path, **options) -> dict:
    document = tool.main(*tiny, data=data, output=output, device='cpu', **options)
    assert json.loads((output / 'real_check.json').read_text()) == document
    return document


def test_numbers_by_hand(tool: ModuleType, tiny: tuple, oracle: dict, tmp_path: Path, capsys: pytest.CaptureFixture):
    """Boxes of 50 × 40: PCK@0.1 counts what is nearer than 5 px; a pixel of the picture is 256 / 62.5 = 4.096."""
    write_coco(tmp_path / 'data' / 'onehand10k')
    shift = np.zeros((21, 2))
    shift[0], shift[1:5], shift[5:7] = [3, 4], [4.9, 0], [0, 9.9]  # 5 px, 4.9 px, 9.9 px, and 14 exact ones
    oracle['answer'] = lambda images, boxes: np.stack([points(0) + shift, points(1) + shift])
    document = check(tool, tiny, tmp_path / 'data', tmp_path / 'out')
    (entry,) = document['sources']
    assert (entry['n_hands'], entry['n_keypoints']) == (2, 42)
    assert (entry['pck_0.1'], entry['pck_0.2']) == (18 / 21, 1)
    assert entry['median_px'] == pytest.approx(0)
    mean = (5 + 4 * 4.9 + 2 * 9.9) / 21 * 4.096
    assert entry['mean_px'] == pytest.approx(mean)
    assert entry['groups']['wrist']['mean_px'] == pytest.approx(20.48)
    assert entry['groups']['tip']['mean_px'] == pytest.approx(4.9 / 5 * 4.096)
    assert entry['hands_px'] == {'0.png': round(mean, 2), '1.png': round(mean, 2)}
    assert (entry['measures'], document['checkpoint']) == ('accuracy', str(tiny[1]))
    np.testing.assert_array_equal(oracle['boxes'][0], [[15, 20, 65, 60]] * 2)
    shown = capsys.readouterr()
    assert 'OneHand10K sample  accuracy      2      42    0.857    1.000' in shown.out
    assert 'OneHand10K sample: labels by people' in shown.out
    assert 'FreiHAND sample: skipped, no ' in shown.err and 'tests/data/freihand' in shown.err
    assert len(document['missing']) == 6


@pytest.mark.parametrize('name', ['freihand', 'panoptic', 'rhd'])
def test_orders_and_folders_of_the_sets(tool: ModuleType, tiny: tuple, oracle: dict, tmp_path: Path, name: str):
    write_coco(tmp_path / 'data' / 'real_samples' / name, nested=name == 'rhd')
    oracle['answer'] = lambda images, boxes: np.stack([points(i) for i in range(len(images))])
    (entry,) = check(tool, tiny, tmp_path / 'data', tmp_path / 'out')['sources']
    assert entry['key'] == name
    assert entry['mean_px'] == pytest.approx(0, abs=1e-4)


def test_interhand_gives_each_hand_its_box(tool: ModuleType, tiny: tuple, oracle: dict, tmp_path: Path):
    write_interhand(tmp_path / 'data' / 'interhand2.6m')
    oracle['answer'] = lambda images, boxes: np.stack([points(1), points(2)])
    (entry,) = check(tool, tiny, tmp_path / 'data', tmp_path / 'out')['sources']
    assert (entry['n_hands'], entry['n_keypoints']) == (2, 41)
    assert entry['mean_px'] == pytest.approx(0, abs=1e-4)
    np.testing.assert_allclose(oracle['boxes'][0][1], [16, 16, 64, 64], atol=1e-6)  # 40 px times 1.2
    assert list(entry['hands_px']) == ['a.png right', 'a.png left']


def test_hidden_and_unlabelled_keypoints(tool: ModuleType, tiny: tuple, oracle: dict, tmp_path: Path):
    visibility = np.full(21, 2)
    visibility[8], visibility[12] = 1, 0
    write_coco(tmp_path / 'data' / 'panoptic', visibility=visibility)
    shift = np.zeros((21, 2))
    shift[8], shift[12] = [10, 0], [1000, 0]
    oracle['answer'] = lambda images, boxes: np.stack([points(0) + shift, points(1) + shift])
    (entry,) = check(tool, tiny, tmp_path / 'data', tmp_path / 'out')['sources']
    assert entry['n_keypoints'] == 40
    assert entry['groups']['hidden'] == dict(n=2, median_px=pytest.approx(40.96), mean_px=pytest.approx(40.96))
    assert entry['groups']['visible']['mean_px'] == pytest.approx(0)


def test_video_with_lost_frames(tool: ModuleType, tiny: tuple, oracle: dict, tmp_path: Path, capsys):
    write_asl(tmp_path / 'data' / 'tfjs_asl_hand', num_frames=4)
    calls = iter(range(FRAMES))
    oracle['answer'] = lambda images, boxes: np.stack([points(next(calls)) + [0, 2] for _ in images])
    (entry,) = check(tool, tiny, tmp_path / 'data', tmp_path / 'out', batch_size=3)['sources']
    assert (entry['measures'], entry['n_hands']) == ('agreement', 4)
    assert entry['mean_px'] == pytest.approx(2 / 50 * 256)  # boxes of the keypoints: 40 px, a crop of 50
    assert list(entry['hands_px']) == [f'frame {i}' for i in range(4)]
    assert [len(boxes) for boxes in oracle['boxes']] == [3, 1]
    assert entry['problems'] == ['asl_hand.25fps.mp4: 2 frames cannot be decoded: 4, 5']
    assert '2 frames cannot be decoded: 4, 5' in capsys.readouterr().err
    assert cv2.imread(str(tmp_path / 'out' / 'tfjs_asl_hand_frames.png')) is not None


def test_labels_without_a_place_are_laid_over_the_result(
    tool: ModuleType, tiny: tuple, oracle: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Metric labels, seen along their z axis at 1500 pixels for each metre, come to lie where the result is."""
    folder = tmp_path / 'data' / 'dex_retargeting_hand'
    write_video(folder / 'video.avi', 2)
    (folder / 'video.avi').rename(folder / 'human_hand_video.mp4')
    metric = np.stack([np.column_stack([points(i) / 1500, np.linspace(0, 0.02, 21)]) for i in range(2)])
    np.savez(folder / 'joints_3d.npz', joints_m=metric.astype(np.float32))
    monkeypatch.setattr(real_images, 'DEX_ROTATION', np.eye(3))
    monkeypatch.setattr(real_images, 'DEX_BOX', np.array([0.0, 0, 90, 80]))
    oracle['answer'] = lambda images, boxes: np.stack([points(i) + [5, 3] for i in range(len(images))])
    (entry,) = check(tool, tiny, tmp_path / 'data', tmp_path / 'out')['sources']
    assert entry['mean_px'] == pytest.approx(0, abs=0.3)
    assert 'laid over the result' in entry['title'] and 'rotated' in entry['labels']
    first, second = oracle['boxes']
    np.testing.assert_array_equal(first, [[0, 0, 90, 80]] * 2)
    np.testing.assert_allclose(second, [[25, 23, 65, 63]] * 2, atol=0.3)


def test_with_a_network_and_the_worst_first(tool: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    ship_tiny(tmp_path, monkeypatch)
    write_asl(tmp_path / 'data' / 'tfjs_asl_hand')
    monkeypatch.setattr(tool, 'NUM_WORST', 2)
    drawn: list[list[str]] = []
    tile = tool.tile
    monkeypatch.setattr(tool, 'tile', lambda *args: drawn.append(args[2]) or tile(*args))
    document = tool.main(weights='lite', data=tmp_path / 'data', output=tmp_path / 'out', device='cpu')
    assert document['checkpoint'] == 'handkp://lite'
    errors = document['sources'][0]['hands_px']
    worst = sorted(errors, key=errors.get, reverse=True)[:2]
    assert [caption.partition(':')[0] for caption in drawn[0]] == worst
    assert cv2.imread(str(tmp_path / 'out' / 'tfjs_asl_hand_worst.jpg')).shape[1] > 2 * 2 * 224


def test_pictures_that_cannot_be_read(tool: ModuleType, tiny: tuple, oracle: dict, tmp_path: Path):
    write_coco(tmp_path / 'data' / 'freihand')
    (tmp_path / 'data' / 'freihand' / '0.png').write_bytes(b'')
    oracle['answer'] = lambda images, boxes: np.stack([points(1)] * len(images))
    (entry,) = check(tool, tiny, tmp_path / 'data', tmp_path / 'out')['sources']
    assert (entry['n_hands'], len(entry['problems'])) == (1, 1)
    assert entry['problems'][0].endswith('0.png: the file is empty')
    (tmp_path / 'data' / 'freihand' / '1.png').unlink()
    with pytest.raises(ValueError, match='FreiHAND sample: no image can be read'):
        check(tool, tiny, tmp_path / 'data', tmp_path / 'out')


def test_what_cannot_be(tool: ModuleType, tiny: tuple, tmp_path: Path):
    with pytest.raises(FileNotFoundError, match='no source of real images there:\nOneHand10K sample: skipped'):
        tool.main(*tiny, data=tmp_path)
    for given in (dict(), dict(config=tiny[0]), dict(config=tiny[0], checkpoint=tiny[1], weights='lite')):
        with pytest.raises(ValueError, match='network: expected NAME .*, or CONFIG and CHECKPOINT, got'):
            tool.main(**given, data=tmp_path)
    write_asl(tmp_path / 'tfjs_asl_hand')
    (tmp_path / 'tfjs_asl_hand' / 'asl_hand.full.json').write_text('[[1, 2, 3]]')
    with pytest.raises(ValueError, match=r'asl_hand.full.json: expected finite numbers \(frames, 21, 3\)'):
        tool.main(*tiny, data=tmp_path)


def test_the_real_tree_is_understood(real_data: Path):
    sources, missing = real_images.find_sources(real_data)
    found = {source.key: source.count for source in sources}
    assert missing == []
    assert found == {
        'onehand10k': 4, 'freihand': 8, 'panoptic': 4, 'rhd': 3, 'interhand2.6m': 6, 'tfjs_asl_hand': 325,
        'dex_retargeting_hand': 621,
    }  # fmt: skip
    for source in sources:
        if not source.is_video:
            for hand in source.read():
                inside = (hand.keypoints >= hand.box[:2] - 2).all(1) & (hand.keypoints <= hand.box[2:] + 2).all(1)
                assert inside[hand.visibility > 0].all(), (source.key, hand.name)
