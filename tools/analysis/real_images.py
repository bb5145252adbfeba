"""Labelled real images and videos that networks are checked on but never trained on, and what such checks share.

Each source says what its numbers measure: *accuracy*, where people, markers or a renderer made the labels, or
*agreement* with another program that made them. data/README.md describes the folder.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

import handkp_plugins
from handkp_plugins.apis.hand_boxes import read_hands
from handkp_plugins.apis.networks import Network
from handkp_plugins.fileio.atomic import write_text
from handkp_plugins.fileio.coco_file import CocoFile
from handkp_plugins.fileio.images import read_image
from handkp_plugins.fileio.json import read_json
from handkp_plugins.fileio.videos import list_frames
from handkp_plugins.structures.boxes import keypoint_box
from handkp_plugins.structures.skeleton import NUM_KEYPOINTS, to_our_order

INTERHAND_BOX = 1.2
"""The boxes of InterHand2.6M's labels are 1.2 times those of the keypoints; the set has one box for both hands."""

DEX_BOX = np.array([575.0, 95.0, 950.0, 425.0])
DEX_SCALES = (1485.0, 1815.0)
DEX_ROTATION = np.array([[0.0, 0.906, -0.423], [0.0, -0.423, -0.906], [-1.0, 0.0, 0.0]])
DEX_DEGREES = (30.0, 80.0, 30.0)
"""Placement of the hand in the video of dex-retargeting, whose labels have no position, scale or rotation in the image.

Marked by eye: a box that holds the hand in every frame; pixels per metre (1600 to 1675 in three frames with an open
hand, with a margin of a tenth); the rotation with the palm towards the camera and the fingers up, 25 degrees to the
left; and the largest deviation from it, since the hand twice turns about the upright axis until its edge faces the
camera."""


@dataclass(frozen=True)
class LabelledHand:
    """One hand in one image.

    Attributes:
        name: File or frame.
        image: BGR, uint8, [H, W, 3].
        box: (x1, y1, x2, y2) in pixels.
        keypoints: [21, 2] in pixels; with a ``placement``, [21, 3] in metres in a frame of the hand's own.
        visibility: [21]: 0 not labelled, 1 labelled (occluded, if the set has any 2), 2 visible.
        placement: Arguments of :func:`~handkp_plugins.evaluation.functional.alignment.project_onto`: the bounds within
            which keypoints in metres are aligned with a prediction.
    """

    name: str
    image: np.ndarray
    box: np.ndarray
    keypoints: np.ndarray
    visibility: np.ndarray
    placement: dict[str, Any] | None = None


@dataclass(frozen=True)
class Source:
    """One set or video: ``read()`` yields its ``count`` hands; what it cannot read goes to ``problems``."""

    key: str
    title: str
    measures: str
    labels: str
    count: int
    is_video: bool
    read: Callable[[], Iterator[LabelledHand]]
    problems: list[str]


def find_sources(data: str | Path) -> tuple[list[Source], list[str]]:
    """Return the sources in a folder, and a line for each that is missing.

    Raises:
        FileNotFoundError: The folder does not exist, or has no source.
        ValueError: A label file is damaged.
    """
    data = Path(data)
    sources, missing = [], []
    for key, (title, measures, labels, load, files, origin) in _KNOWN.items():
        folder = next((f for f in (data / key, data / 'real_samples' / key) if f.is_dir()), data / key)
        absent = [name for name in files if not (folder / name).is_file()]
        if absent:
            missing.append(f'{title}: skipped, no {folder / absent[0]}; get it from {origin}')
            continue
        problems: list[str] = []
        count, read = load(folder, *files, problems)
        sources.append(Source(key, title, measures, labels, count, load in (_asl, _dex), read, problems))
    if not sources:
        raise FileNotFoundError(f'--data {data}: no source of real images there:\n' + '\n'.join(missing))
    return sources, missing


def parse_arguments(doc: str, *options: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    """Parse the command line of a check: the network, ``--data``, ``--output``, ``--device`` and more options."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', nargs='?')
    parser.add_argument('checkpoint', nargs='?')
    parser.add_argument('--weights', metavar='NAME', help='shipped weights instead of CONFIG and CHECKPOINT')
    parser.add_argument('--data', required=True, metavar='DIR')
    parser.add_argument('--output', metavar='DIR', help=f'default: work_dirs/{Path(sys.argv[0]).stem}/<checkpoint>')
    parser.add_argument('--device', default='auto', help='auto (default), cpu or cuda:N')
    for name, how in options:
        parser.add_argument(name, **how)
    return vars(parser.parse_args())


def check_sources(
    name: str,
    network: Network,
    found: tuple[list[Source], list[str]],
    output: str | Path | None,
    check: Callable[[Source, Path], dict[str, Any] | None],
    table: Callable[[list[dict[str, Any]]], str],
    facts: dict[str, Any],
) -> dict[str, Any]:
    """Check a network on each source; print a table and the problems, write and return ``OUTPUT/NAME.json``.

    Args:
        name: Name of the check.
        network: The network.
        found: Result of :func:`find_sources`.
        output: Folder for the results; by default one in ``work_dirs/NAME`` with the checkpoint's name.
        check: (source, output) → scores; None if nothing can be read.
        table: Scores of the sources → text.
        facts: More entries of the document.

    Raises:
        ValueError: A source cannot be checked. The results of the others are written first.
    """
    (sources, missing), output = found, Path(output or Path('work_dirs', name, network.name))
    entries, failed = [], []
    for source in sources:
        try:
            scores = check(source, output)
            if scores is None:
                raise ValueError(f'no image can be read: {"; ".join(source.problems)}')
        except ValueError as error:
            failed.append(f'{source.title}: {error}')
            continue
        about = dict(key=source.key, title=source.title, measures=source.measures, labels=source.labels)
        entries.append(dict(about, **scores, problems=source.problems))
    about = dict(version=1, checkpoint=str(network.checkpoint), project_version=handkp_plugins.__version__)
    document = dict(about, **facts, sources=entries, missing=missing)
    write_text(output / f'{name}.json', json.dumps(document, indent=1))
    print(table(entries))
    for line in [*missing, *(f'{e["title"]}: {p}' for e in entries for p in e['problems'])]:
        print(line, file=sys.stderr)
    print(f'{output}: {name}.json and images')
    if failed:
        raise ValueError('not checked: ' + '; '.join(failed))
    return document


_Loaded = tuple[int, Callable[[], Iterator[LabelledHand]]]
_Labels = dict[str, list[tuple[str, np.ndarray, np.ndarray, np.ndarray]]]
"""Image file → name, box, keypoints [21, 2] and visibility [21] of each hand."""


def _read_labelled(folder: Path, labels: _Labels, problems: list[str]) -> _Loaded:
    def read() -> Iterator[LabelledHand]:
        for name, hands in labels.items():
            try:
                image = read_image(folder / name)
            except (OSError, ValueError) as e:
                problems.append(f'{name}: {e}')
                continue
            for hand, box, points, visibility in hands:
                if (visibility > 0).any():
                    yield LabelledHand(hand, image, box, points, visibility)
                else:
                    problems.append(f'{hand}: skipped, no keypoint is labelled')

    return sum(map(len, labels.values())), read


def _coco(folder: Path, ann_file: str, problems: list[str]) -> _Loaded:
    labels: _Labels = {}
    for name, hands in read_hands(folder / ann_file, with_keypoints=True).items():
        labels[name] = []
        for i, hand in enumerate(hands):
            points = to_our_order(hand.keypoints, folder.name)
            labels[name].append((f'{name} #{i}' if len(hands) > 1 else name, hand.box, points[:, :2], points[:, 2]))
    return _read_labelled(folder, labels, problems)


def _interhand(folder: Path, ann_file: str, joints: str, cameras: str, problems: list[str]) -> _Loaded:
    file = CocoFile(folder / ann_file, ('id', 'file_name'), ('id', 'image_id', 'joint_valid'))
    world, camera = read_json(folder / joints), read_json(folder / cameras)
    images = {image['id']: image for image in file.images}
    labels: _Labels = {}
    for record in file.annotations:
        image = images[record['image_id']]
        name = image['file_name']
        valid = np.array(record['joint_valid'], float).reshape(42)
        joints_xyv = np.column_stack([_project(world, camera, image), valid])
        for side, part in (('right', joints_xyv[:NUM_KEYPOINTS]), ('left', joints_xyv[NUM_KEYPOINTS:])):
            if part[:, 2].any():
                points = to_our_order(part, 'interhand')
                box = keypoint_box(points[points[:, 2] > 0, :2], INTERHAND_BOX)
                labels.setdefault(name, []).append((f'{name} {side}', box, points[:, :2], points[:, 2]))
    return _read_labelled(folder, labels, problems)


def _project(world: Any, camera: Any, image: dict[str, Any]) -> np.ndarray:
    """Return the pixels (42, 2) of the joints in an image of InterHand2.6M."""
    capture, name = camera[str(image['capture'])], image['camera']
    joints = np.array(world[str(image['capture'])][str(image['frame_idx'])]['world_coord'], float)
    seen = (joints - np.array(capture['campos'][name])) @ np.array(capture['camrot'][name]).T
    return seen[:, :2] / seen[:, 2:] * np.array(capture['focal'][name]) + np.array(capture['princpt'][name])


def _asl(folder: Path, video: str, labels: str, problems: list[str]) -> _Loaded:
    try:
        points = np.array(json.loads((folder / labels).read_text()), float)
    except ValueError as e:
        raise ValueError(f'{folder / labels}: expected numbers of shape (frames, 21, 3), got {e}') from None
    points = _check_frames(folder / labels, points)[..., :2]
    boxes = [keypoint_box(frame) for frame in points]
    return len(points), lambda: _read_video(folder / video, points, boxes, problems)


def _dex(folder: Path, video: str, labels: str, problems: list[str]) -> _Loaded:
    try:
        with np.load(folder / labels) as file:
            points = file['joints_m']
    except (KeyError, ValueError, EOFError, BadZipFile) as e:
        raise ValueError(f'{folder / labels}: expected an NPZ file with the array joints_m, got {e}') from None
    points = _check_frames(folder / labels, points)
    placement = dict(around=DEX_ROTATION, degrees=DEX_DEGREES, scales=DEX_SCALES)
    return len(points), lambda: _read_video(folder / video, points, [DEX_BOX] * len(points), problems, placement)


def _check_frames(path: Path, points: np.ndarray) -> np.ndarray:
    """Check MediaPipe's keypoints (frames, 21, 3) and return them in our order."""
    if points.ndim != 3 or points.shape[1:] != (NUM_KEYPOINTS, 3) or not np.isfinite(points).all():
        raise ValueError(f'{path}: expected finite numbers (frames, {NUM_KEYPOINTS}, 3), got {points.shape}')
    return to_our_order(points, 'mediapipe')


def _read_video(
    path: Path,
    keypoints: np.ndarray,
    boxes: list[np.ndarray],
    problems: list[str],
    placement: dict[str, Any] | None = None,
) -> Iterator[LabelledHand]:
    """Yield the labelled frames that can be decoded."""
    try:
        frames = list_frames(path)
    except ValueError as e:
        problems.append(f'{path.name}: {e}')
        return
    for index, image in frames.images():
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
_KNOWN: dict[str, tuple[str, str, str, Callable[..., _Loaded], tuple[str, ...], str]] = {
    'onehand10k': (
        'OneHand10K sample', 'accuracy', 'by people', _coco, ('test_onehand10k.json',), f'{_MMPOSE}/onehand10k'),
    'freihand': (
        'FreiHAND sample', 'accuracy', 'a hand model fitted to several views and checked by people; each pose comes '
        'with several backgrounds', _coco, ('test_freihand.json',), f'{_MMPOSE}/freihand'),
    'panoptic': (
        'Panoptic sample', 'accuracy', 'by people (images of MPII and NZSL)', _coco, ('test_panoptic.json',),
        f'{_MMPOSE}/panoptic'),
    'rhd': ('RHD sample', 'accuracy', 'exact; the images are rendered', _coco, ('test_rhd.json',), f'{_MMPOSE}/rhd'),
    'interhand2.6m': (
        'InterHand2.6M sample', 'accuracy', 'triangulated from many cameras; two hands may hold each other', _interhand,
        ('test_interhand2.6m_data.json', 'test_interhand2.6m_joint_3d.json', 'test_interhand2.6m_camera.json'),
        f'{_MMPOSE}/interhand2.6m'),
    'tfjs_asl_hand': (
        'ASL video', 'agreement', _MEDIAPIPE, _asl, ('asl_hand.25fps.mp4', 'asl_hand.full.json'),
        'https://github.com/tensorflow/tfjs-models (hand-pose-detection/test_data)'),
    'dex_retargeting_hand': (
        'Retargeting video, label laid over the result', 'agreement', f'{_MEDIAPIPE}. The labels are metric 3D in a '
        'frame of the wrist, without position, scale and rotation in the image: each is shifted, rotated (within '
        'bounds marked by eye) and scaled (by a tenth at most) onto the result by least squares, so that mainly the '
        'shape of the hand is compared', _dex, ('human_hand_video.mp4', 'joints_3d.npz'),
        'https://github.com/dexsuite/dex-retargeting (example/vector_retargeting/data, example/profiling)'),
}  # fmt: skip
"""Folder → title, what its numbers measure, who made the labels, loader, files, where to get it."""
