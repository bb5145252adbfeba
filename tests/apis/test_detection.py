from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.attack import Attack
from helpers.tiny_detector import write_tiny_detector
from helpers.tiny_model import write_tiny_model
from mmdet.structures import DetDataSample
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmengine.structures import InstanceData

from handkp_plugins.apis import detection
from handkp_plugins.apis.detection import HandDetector, build_detector, hand_classes, init_detector
from handkp_plugins.engine.checkpoint import shipped as weights
from handkp_plugins.engine.config import load_config
from handkp_plugins.errors import CheckpointError

IMAGE = np.random.default_rng(0).integers(0, 255, (48, 80, 3), dtype=np.uint8)


@pytest.fixture(scope='module')
def paths(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return write_tiny_detector(tmp_path_factory.mktemp('detector'))


def with_results(detector: HandDetector, boxes: list, scores: list, labels: list | None = None) -> HandDetector:
    """The detector, with what its network finds given."""
    found = InstanceData(
        bboxes=torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4),
        scores=torch.tensor(scores),
        labels=torch.tensor(labels or [0] * len(boxes)),
    )
    detector.model.test_step = lambda data: [DetDataSample(pred_instances=found)]
    return detector


def test_boxes_lie_in_the_picture_the_surest_first(paths: tuple[Path, Path]):
    scope = _scope()
    detector = init_detector(*paths, 'cpu', score_thr=0)
    boxes, scores, sides = detector(IMAGE)
    assert len(boxes) > 3 and boxes.dtype == np.float32 and sides == [None] * len(boxes)
    assert (boxes[:, :2] >= 0).all() and (boxes[:, 2:] <= (80, 48)).all() and (boxes[:, :2] < boxes[:, 2:]).all()
    assert boxes[:, 2].max() > 64  # pixels of the picture, not of the network's input
    assert (np.diff(scores) <= 0).all()
    middle = float(scores.mean())
    surer = init_detector(*paths, 'cpu', score_thr=middle)(IMAGE)
    np.testing.assert_array_equal(surer.boxes, boxes[scores >= middle])
    assert 0 < len(surer.boxes) < len(boxes)
    assert _scope() == scope
    assert len(init_detector(*paths, 'cpu', score_thr=0.99)(IMAGE).boxes) == 0


def _scope() -> str | None:
    scope = DefaultScope.get_current_instance()
    return scope and scope.scope_name


def test_what_reaches_over_the_edge_is_cut_and_what_is_twice_there_is_once(paths: tuple[Path, Path]):
    detector = init_detector(*paths, 'cpu')
    boxes = [[-10, -5, 30, 20], [-9, -5, 31, 20], [50, 10, 200, 100], [79.5, 10, 99, 20], [20, 20, 30, 30]]
    found = with_results(detector, boxes, [0.5, 0.6, 0.9, 0.9, 0.2])(IMAGE)
    np.testing.assert_array_equal(found.boxes, [[50, 10, 80, 48], [0, 0, 31, 20]])
    np.testing.assert_allclose(found.scores, [0.9, 0.6])
    assert with_results(detector, [], [])(IMAGE).boxes.shape == (0, 4)


def test_classes_tell_the_side(tmp_path: Path):
    config, checkpoint = write_tiny_detector(tmp_path, ('face', 'left_hand', 'right hand', 'Hand'))
    detector = init_detector(config, checkpoint, 'cpu')
    boxes = [[0, 0, 9, 9], [10, 0, 19, 9], [20, 0, 29, 9], [30, 0, 39, 9]]
    found = with_results(detector, boxes, [0.9, 0.8, 0.7, 0.6], [0, 1, 2, 3])(IMAGE)
    assert found.sides == ['left', 'right', None] and found.boxes[:, 0].tolist() == [10, 20, 30]
    same = with_results(detector, [[0, 0, 20, 20], [0, 0, 20, 21]], [0.6, 0.9], [1, 2])(IMAGE)
    assert same.sides == ['right']


@pytest.mark.parametrize(
    'names, number, got',
    [
        (['person', 'handbag'], 2, '2 classes: person, handbag$'),
        ([f'c{i}' for i in range(80)], 80, '80 classes: c0, c1, c2, c3, c4 …$'),
        ([], 3, '3 classes without names'),
        (['hand'], 3, '3 classes: hand'),
    ],
)
def test_a_detector_without_hands_is_refused(names: list[str], number: int, got: str):
    dataset = dict(type='ConcatDataset', datasets=[dict(metainfo=dict(classes=names))])
    cfg = Config(dict(test_dataloader=dict(dataset=dataset)))
    with pytest.raises(ValueError, match=f'expected a detector of hands, .* got {got}'):
        hand_classes(cfg, number)
    assert hand_classes(cfg, 1) == {0: None}


def test_mmposes_own_hand_detector():
    import mmpose

    cfg = load_config(Path(mmpose.__file__).parent / '.mim/demo/mmdetection_cfg/rtmdet_nano_320-8xb32_hand.py')
    found = HandDetector(build_detector(cfg, 'cpu'), score_thr=0)(IMAGE)
    assert found.boxes.shape == (len(found.scores), 4)


def test_what_is_no_detector(paths: tuple[Path, Path], tmp_path: Path):
    config, checkpoint = write_tiny_model(tmp_path)
    with pytest.raises(ValueError, match=r"tiny.py: expected a detector's config, .* the model TopdownPoseEstimator"):
        init_detector(config, checkpoint, 'cpu')
    with pytest.raises(CheckpointError, match='the weights are of another network than the config describes'):
        init_detector(paths[0], checkpoint, 'cpu')
    with pytest.raises(FileNotFoundError, match='no checkpoint at none.pth'):
        init_detector(paths[0], 'none.pth', 'cpu')
    with pytest.raises(ValueError, match='score_thr: expected a number from 0 to below 1, got 1.5'):
        init_detector(*paths, 'cpu', score_thr=1.5)
    with pytest.raises(ValueError, match='image: expected a uint8 array'):
        init_detector(*paths, 'cpu')(IMAGE[..., 0])


def test_nothing_in_a_checkpoint_is_run(paths: tuple[Path, Path], tmp_path: Path):
    torch.save(dict(state_dict={}, meta=Attack(tmp_path / 'ran')), tmp_path / 'bad.pth')
    with pytest.raises(CheckpointError, match='refused'):
        init_detector(paths[0], tmp_path / 'bad.pth', 'cpu')
    assert not (tmp_path / 'ran').exists()


def test_the_shipped_detector_by_its_name(paths: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(weights, 'FOLDER', tmp_path)
    state = torch.load(paths[1], weights_only=True)['state_dict']
    weights.save_weights_file(
        tmp_path / f'{detection.DEFAULT_DETECTOR}.safetensors', state, 'x.py', load_config(paths[0])
    )
    found = init_detector(paths[0], 'handkp://hand_detector', 'cpu', 0)(IMAGE)
    expected = init_detector(*paths, 'cpu', 0)(IMAGE)
    np.testing.assert_allclose(found.boxes[:3], expected.boxes[:3], atol=0.5)
