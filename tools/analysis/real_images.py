"""Labelled real photographs and videos that a network is checked on and never trained on.

Each source says what its numbers measure: *accuracy*, where people, markers or a renderer made the labels, or
*agreement* with another program that made them. How a folder with them looks: data/README.md.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from handkp_plugins.apis.hand_boxes import read_hands
from handkp_plugins.datasets.checks.keypoint_files import read_json, records_of
from handkp_plugins.fileio.images import read_image
from handkp_plugins.fileio.videos import list_frames
from handkp_plugins.structures.boxes import keypoint_box
from handkp_plugins.structures.skeleton import NUM_KEYPOINTS, to_our_order

INTERHAND_BOX = 1.2
"""The boxes of InterHand2.6M's labels are those of the keypoints times this; the set gives one for both hands."""

DEX_BOX = np.array([575.0, 95.0, 950.0, 425.0])
DEX_SCALES = (1485.0, 1815.0)
DEX_ROTATION = np.array([[0.0, 0.906, -0.423], [0.0, -0.423, -0.906], [-1.0, 0.0, 0.0]])
DEX_DEGREES = (30.0, 80.0, 30.0)
"""Marked by eye in the video of dex-retargeting, whose labels have neither place, size nor rotation in the picture:
where the hand is throughout; pixels for each metre (1600 to 1675 by three open hands, and a tenth about their middle);
the palm towards the camera with the fingers up and 25 degrees to the left; and how far from that it may be turned:
twice it turns about the upright axis until it is seen from its edge."""


@dataclass(frozen=True)
class LabelledHand:
    """One hand in one picture.

    Attributes:
        name: file or frame.
        image: BGR, uint8, [H, W, 3].
        box: (x1, y1, x2, y2) in pixels.
        keypoints: [21, 2] in pixels; or [21, 3] in metres, turned out of the camera's frame, to be laid over a result.
        visibility: [21]: 0 not labelled, 1 labelled (hidden, where the set has any 2), 2 visible.
        placement: of keypoints in metres, the bounds of their placement in the picture: arguments of
            :func:`~handkp_plugins.evaluation.functional.alignment.project_onto`.
    """

    name: str
    image: np.ndarray
    box: np.ndarray
    keypoints: np.ndarray
    visibility: np.ndarray
    placement: dict[str, Any] | None = None


@dataclass(frozen=True)
class Source:
    """One set or video: ``read()`` yields its hands; ``count`` is how many it announces.

    ``problems`` is filled while it is read: what could not be, by file or by index of the frame.
    """

    key: str
    title: str
    measures: str
    labels: str
    count: int
    is_video: bool
    read: Callable[[], Iterator[LabelledHand]]
    problems: list[str]


def find_sources(data: str | Path) -> tuple[list[Source], list[str]]:
    """The sources that a folder has, and a line for each that it lacks.

    Raises:
        FileNotFoundError: there is no such folder, or one without any source.
        ValueError: a label file is damaged.
    """
    data = Path(data)
    sources, missing = [], []
    for key, (title, measures, labels, make, files, origin) in _KNOWN.items():
        folder = next((f for f in (data / key, data / 'real_samples' / key) if f.is_dir()), data / key)
        absent = [name for name in files if not (folder / name).is_file()]
        if absent:
            missing.append(f'{title}: skipped, no {folder / absent[0]}; to be had from {origin}')
            continue
        problems: list[str] = []
        count, read = make(folder, *files, problems)
        sources.append(Source(key, title, measures, labels, count, make in (_asl, _dex), read, problems))
    if not sources:
        raise FileNotFoundError(f'--data {data}: no source of real pictures there:\n' + '\n'.join(missing))
    return sources, missing


_Made = tuple[int, Callable[[], Iterator[LabelledHand]]]


def _coco(folder: Path, labels: str, problems: list[str]) -> _Made:
    named = read_hands(folder / labels, with_keypoints=True)

    def read() -> Iterator[LabelledHand]:
        for name, hands in named.items():
            try:
                image = read_image(folder / name)
            except (OSError, ValueError) as e:
                problems.append(f'{name}: {e}')
                continue
            for i, hand in enumerate(hands):
                points = to_our_order(hand.keypoints, folder.name)
                title = name if len(hands) == 1 else f'{name} #{i}'
                if not (points[:, 2] > 0).any():
                    problems.append(f'{title}: left out, for no keypoint is labelled')
                    continue
                yield LabelledHand(title, image, hand.box, points[:, :2], points[:, 2])

    return sum(map(len, named.values())), read


def _interhand(folder: Path, labels: str, joints: str, cameras: str, problems: list[str]) -> _Made:
    path = str(folder / labels)
    document, world, camera = read_json(path), read_json(str(folder / joints)), read_json(str(folder / cameras))
    images = {image['id']: image for image in records_of(path, document, 'images', 'image', ('id', 'file_name'))}
    hands: list[tuple[str, str, np.ndarray, np.ndarray]] = []
    for record in records_of(path, document, 'annotations', 'annotation', ('id', 'image_id', 'joint_valid')):
        image = images[record['image_id']]
        valid = np.array(record['joint_valid'], float).reshape(42)
        pixels = _project(world, camera, image)
        for side, start in (('right', 0), ('left', NUM_KEYPOINTS)):
            part = slice(start, start + NUM_KEYPOINTS)
            if valid[part].any():
                points = to_our_order(np.column_stack([pixels[part], valid[part]]), 'interhand')
                hands.append((image['file_name'], side, points[:, :2], points[:, 2]))

    def read() -> Iterator[LabelledHand]:
        for name, side, points, valid in hands:
            try:
                image = read_image(folder / name)
            except (OSError, ValueError) as e:
                problems.append(f'{name}: {e}')
                continue
            box = keypoint_box(points[valid > 0], INTERHAND_BOX)
            yield LabelledHand(f'{name} {side}', image, box, points, valid)

    return len(hands), read


def _project(world: Any, camera: Any, image: dict[str, Any]) -> np.ndarray:
    """Pixels (42, 2) of the joints of an InterHand2.6M picture."""
    capture, name = camera[str(image['capture'])], image['camera']
    joints = np.array(world[str(image['capture'])][str(image['frame_idx'])]['world_coord'], float)
    seen = (joints - np.array(capture['campos'][name])) @ np.array(capture['camrot'][name]).T
    return seen[:, :2] / seen[:, 2:] * np.array(capture['focal'][name]) + np.array(capture['princpt'][name])


def _asl(folder: Path, video: str, labels: str, problems: list[str]) -> _Made:
    try:
        points = np.array(json.loads((folder / labels).read_text()), float)
    except ValueError as e:
        raise ValueError(f'{folder / labels}: expected (frames, 21, 3) numbers ({e})') from None
    points = to_our_order(_frames_of(folder / labels, points)[..., :2], 'mediapipe')
    boxes = [keypoint_box(frame) for frame in points]
    return len(points), lambda: _video(folder / video, points, boxes, problems)


def _dex(folder: Path, video: str, labels: str, problems: list[str]) -> _Made:
    try:
        with np.load(folder / labels) as file:
            points = file['joints_m']
    except (KeyError, ValueError, EOFError, BadZipFile) as e:
        raise ValueError(f'{folder / labels}: expected an NPZ file with the array joints_m ({e})') from None
    points = to_our_order(_frames_of(folder / labels, points), 'mediapipe')
    placement = dict(around=DEX_ROTATION, degrees=DEX_DEGREES, scales=DEX_SCALES)
    return len(points), lambda: _video(folder / video, points, [DEX_BOX] * len(points), problems, placement)


def _frames_of(path: Path, points: np.ndarray) -> np.ndarray:
    if points.ndim != 3 or points.shape[1:] != (NUM_KEYPOINTS, 3) or not np.isfinite(points).all():
        raise ValueError(f'{path}: expected finite numbers (frames, {NUM_KEYPOINTS}, 3), got {points.shape}')
    return points


def _video(
    path: Path,
    keypoints: np.ndarray,
    boxes: list[np.ndarray],
    problems: list[str],
    placement: dict[str, Any] | None = None,
) -> Iterator[LabelledHand]:
    """The labelled frames that can be decoded."""
    try:
        frames = list_frames(path)
    except ValueError as e:
        problems.append(f'{path.name}: {e}')
        return
    for index, image in frames.pictures():
        if index < len(keypoints):
            visibility = np.ones(NUM_KEYPOINTS)
            yield LabelledHand(f'frame {index}', image, boxes[index], keypoints[index], visibility, placement)
    lost = [str(i) for i in range(len(keypoints)) if i not in frames.indices]
    more = [i for i in frames.indices if i >= len(keypoints)]
    if lost:
        problems.append(f'{path.name}: {len(lost)} frames cannot be decoded: {", ".join(lost)}')
    if more:
        problems.append(f'{path.name}: {len(more)} frames from {min(more)} on have no label')


_MMPOSE = 'https://github.com/open-mmlab/mmpose/tree/main/tests/data'
_MEDIAPIPE = 'made by MediaPipe: agreement with that program, not accuracy'
_KNOWN: dict[str, tuple[str, str, str, Callable[..., _Made], tuple[str, ...], str]] = {
    'onehand10k': (
        'OneHand10K sample', 'accuracy', 'by people', _coco, ('test_onehand10k.json',), f'{_MMPOSE}/onehand10k'),
    'freihand': (
        'FreiHAND sample', 'accuracy', 'a hand model fitted to several views and checked by people; each pose comes '
        'with several backgrounds', _coco, ('test_freihand.json',), f'{_MMPOSE}/freihand'),
    'panoptic': (
        'Panoptic sample', 'accuracy', 'by people (pictures of MPII and NZSL)', _coco, ('test_panoptic.json',),
        f'{_MMPOSE}/panoptic'),
    'rhd': ('RHD sample', 'accuracy', 'exact; the pictures are rendered', _coco, ('test_rhd.json',), f'{_MMPOSE}/rhd'),
    'interhand2.6m': (
        'InterHand2.6M sample', 'accuracy', 'triangulated from many cameras; two hands may hold each other', _interhand,
        ('test_interhand2.6m_data.json', 'test_interhand2.6m_joint_3d.json', 'test_interhand2.6m_camera.json'),
        f'{_MMPOSE}/interhand2.6m'),
    'tfjs_asl_hand': (
        'ASL video', 'agreement', _MEDIAPIPE, _asl, ('asl_hand.25fps.mp4', 'asl_hand.full.json'),
        'https://github.com/tensorflow/tfjs-models (hand-pose-detection/test_data)'),
    'dex_retargeting_hand': (
        'Retargeting video, label laid over the result', 'agreement', f'{_MEDIAPIPE}. Its labels are metric 3D in a '
        'frame of the wrist, without place, size and rotation in the picture: each is shifted, turned (within bounds '
        'marked by eye) and scaled (by a tenth at most) onto the result by least squares, so that mainly the form of '
        'the hand is compared', _dex,
        ('human_hand_video.mp4', 'joints_3d.npz'),
        'https://github.com/dexsuite/dex-retargeting (example/vector_retargeting/data, example/profiling)'),
}  # fmt: skip
"""Folder → title, what its numbers measure, who made the labels, reader, files, where to get it."""
