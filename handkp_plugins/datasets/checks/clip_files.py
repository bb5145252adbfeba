"""Read and check an annotation file of videos with 3D hands, an action and an object each."""

from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np

from handkp_plugins.fileio.coco_file import CocoFile
from handkp_plugins.structures.skeleton import NUM_KEYPOINTS

HANDS = ('left', 'right')
_FAR = 10.0  # metres; larger depths are millimetres


@dataclass(frozen=True)
class Video:
    """A video, or a segment of one, with one action.

    Letters: L frames, J joints.

    Args:
        id: As in the file.
        action, object: Indices of the file's lists.
        files: Of its L frames, relative to the data prefix.
        first: ``frame_id`` of the first frame; the others follow without a gap.
        size: [W, H] of the frames.
        camera: (3, 3) pinhole matrix of the frames.
        keypoints: (L, J, 3) float32, metres in the camera's frame; 0 for a hand that is absent.
        weights: (L, J) float32, 0 for a hand that is absent, else 1.
        occluded: (L, J), whether something hides the joint; None where the file does not tell.
    """

    id: Any
    action: int
    object: int
    files: tuple[str, ...]
    first: int
    size: tuple[int, int]
    camera: np.ndarray
    keypoints: np.ndarray
    weights: np.ndarray
    occluded: np.ndarray | None

    def __len__(self) -> int:
        return len(self.files)


@dataclass(frozen=True)
class ClipFile:
    """Contents of an annotation file: names of actions and objects, and its videos."""

    actions: tuple[str, ...]
    objects: tuple[str, ...]
    videos: list[Video]


def read_clip_file(path: str, hands: tuple[str, ...]) -> ClipFile:
    """Read an annotation file.

    Its form is that of COCO: ``actions`` and ``objects`` are lists of names, ``videos`` have ``id``, ``action`` and
    ``object`` (indices of these lists), ``images`` have ``video_id``, ``frame_id`` and ``camera.K``, and each
    annotation is one hand, with ``handedness`` and ``keypoints_3d``, 21×3 in metres. Without an annotation the hand is
    absent from the image. Where all annotations have ``keypoints``, 21 × (x, y, v), v = 1 is an occluded joint.

    Args:
        hands: The hands to read, in this order. Annotations of another hand are ignored.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file or one of its records is not of that form; the message names the first one.
    """
    file = CocoFile(
        path,
        ('id', 'file_name', 'width', 'height', 'video_id', 'frame_id'),
        ('id', 'image_id', 'handedness', 'keypoints_3d'),
    )
    videos = file.records('videos', ('id', 'action', 'object'))
    file.image_sizes()
    names = {key: _names(path, file.data, key) for key in ('actions', 'objects')}
    for video in videos:
        for key in ('action', 'object'):
            _check_label(path, video, key, len(names[f'{key}s']))
    places = {video['id']: [] for video in videos}
    for image in file.images:
        if image['video_id'] not in places:
            _fail(path, f'image {image["id"]}', 'video_id', 'the id of an entry in videos', image['video_id'])
        places[image['video_id']].append(image)
    joints = _joints(path, file.annotations, hands)
    occluded = _occluded(path, file.annotations)
    read = [_video(path, video, places[video['id']], joints, occluded, hands) for video in videos]
    return ClipFile(names['actions'], names['objects'], read)


def _names(path: str, data: dict, key: str) -> tuple[str, ...]:
    names = data.get(key)
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise ValueError(f'{path}: {key}: expected a list of names, got {names!r}')
    return tuple(names)


def _check_label(path: str, video: dict, key: str, number: int) -> None:
    label = video[key]
    if isinstance(label, bool) or not isinstance(label, int) or not 0 <= label < number:
        expected = f'a whole number from 0 to {number - 1}, an index of {key}s'
        _fail(path, f'video {video["id"]}', key, expected, label)


def _joints(path: str, annotations: list[dict], hands: tuple[str, ...]) -> dict[tuple, np.ndarray]:
    """Return the joints (21, 3) by image and hand."""
    found: dict[tuple, np.ndarray] = {}
    for annotation in annotations:
        where = f'annotation {annotation["id"]}'
        image, hand = annotation['image_id'], annotation['handedness']
        if hand not in HANDS:
            _fail(path, where, 'handedness', "'left' or 'right'", hand)
        if (image, hand) in found:
            _fail(path, where, 'handedness', f'one {hand} hand in image {image}', 'a second one')
        try:
            points = np.array(annotation['keypoints_3d'], np.float32)
        except (TypeError, ValueError):
            points = np.empty(0, np.float32)
        if points.shape not in ((NUM_KEYPOINTS, 3), (3 * NUM_KEYPOINTS,)):
            got = f'{points.size} numbers of shape {points.shape}'
            _fail(path, where, 'keypoints_3d', f'{NUM_KEYPOINTS} × (x, y, z), one hand', got)
        found[image, hand] = points = points.reshape(NUM_KEYPOINTS, 3)
        depth = points[:, 2]
        if not np.isfinite(points).all() or not (depth > 0).all() or not (depth < _FAR).all():
            got = f'depths from {depth.min():g} to {depth.max():g}'
            _fail(path, where, 'keypoints_3d', f'metres before the camera, 0 < z < {_FAR:g}', got)
    for hand in hands:
        if not any(side == hand for _, side in found):
            present = sorted({side for _, side in found})
            raise ValueError(f'{path}: hands: expected annotations of {" and ".join(hands)}, got {present} alone')
    return found


def _occluded(path: str, annotations: list[dict]) -> dict[tuple, np.ndarray] | None:
    """Return which joints (21,) are occluded, by image and hand; None where an annotation has no ``keypoints``."""
    if not all('keypoints' in annotation for annotation in annotations):
        return None
    found = {}
    for annotation in annotations:
        flags = annotation['keypoints'][2::3]
        if len(flags) != NUM_KEYPOINTS or not set(flags) <= {0, 1, 2}:
            expected = f'{NUM_KEYPOINTS} × (x, y, v) with v of 0, 1 or 2'
            _fail(path, f'annotation {annotation["id"]}', 'keypoints', expected, f'v of {flags}')
        found[annotation['image_id'], annotation['handedness']] = np.array(flags) == 1
    return found


def _video(
    path: str,
    video: dict,
    images: list[dict],
    joints: dict[tuple, np.ndarray],
    occluded: dict[tuple, np.ndarray] | None,
    hands: tuple,
) -> Video:
    """Make a video from its image records in any order."""
    where = f'video {video["id"]}'
    if not images:
        _fail(path, where, 'images', 'one frame or more', 'none')
    for image in images:
        if isinstance(image['frame_id'], bool) or not isinstance(image['frame_id'], int):
            _fail(path, f'image {image["id"]}', 'frame_id', 'a whole number', image['frame_id'])
    images = sorted(images, key=lambda image: image['frame_id'])
    ids = np.array([image['frame_id'] for image in images])
    gaps = np.flatnonzero(np.diff(ids) != 1)
    if len(gaps):
        got = f'{ids[gaps[0] + 1]} after {ids[gaps[0]]}'
        _fail(path, where, 'frame_id', f'each number from {ids[0]} to {ids[-1]} once', got)
    cameras = [_camera(path, image) for image in images]
    for image, camera in zip(images, cameras, strict=True):
        if (image['width'], image['height']) != (images[0]['width'], images[0]['height']):
            expected = f'{images[0]["width"]}×{images[0]["height"]}, the size of the video'
            _fail(path, f'image {image["id"]}', 'width, height', expected, f'{image["width"]}×{image["height"]}')
        if not np.array_equal(camera, cameras[0]):
            _fail(path, f'image {image["id"]}', 'camera.K', 'the same in all images of a video', camera.tolist())
    pairs = [[joints.get((image['id'], hand)) for hand in hands] for image in images]
    absent = np.zeros((NUM_KEYPOINTS, 3), np.float32)
    points = [np.concatenate([absent if p is None else p for p in pair]) for pair in pairs]
    hidden = None
    if occluded is not None:
        seen = np.zeros(NUM_KEYPOINTS, bool)
        rows = [np.concatenate([occluded.get((image['id'], hand), seen) for hand in hands]) for image in images]
        hidden = np.stack(rows)
    return Video(
        id=video['id'],
        action=video['action'],
        object=video['object'],
        files=tuple(image['file_name'] for image in images),
        first=int(ids[0]),
        size=(images[0]['width'], images[0]['height']),
        camera=cameras[0],
        keypoints=np.stack(points),
        weights=np.repeat([[p is not None for p in pair] for pair in pairs], NUM_KEYPOINTS, 1).astype(np.float32),
        occluded=hidden,
    )


def _camera(path: str, image: dict) -> np.ndarray:
    """Return the pinhole matrix (3, 3) of an image. Its principal point must be near the middle of the image."""
    where = f'image {image["id"]}'
    camera = image.get('camera')
    if not isinstance(camera, dict) or 'K' not in camera:
        _fail(path, where, 'camera.K', 'intrinsics (3×3)', camera)
    try:
        matrix = np.array(camera['K'], np.float32)
    except (TypeError, ValueError):
        matrix = np.empty(0)
    good = matrix.shape == (3, 3) and np.isfinite(matrix).all() and (matrix[[0, 1], [0, 1]] > 0).all()
    if not good or matrix[2].tolist() != [0, 0, 1]:
        _fail(path, where, 'camera.K', '3×3 intrinsics [[fx, 0, cx], [0, fy, cy], [0, 0, 1]]', camera['K'])
    size = np.array([image['width'], image['height']])
    center = matrix[:2, 2]
    if not ((size / 4 < center) & (center < 3 * size / 4)).all():
        expected = f'a principal point about the middle of {size[0]}×{size[1]}'
        got = f'({center[0]:g}, {center[1]:g}), as of an image of another size'
        _fail(path, where, 'camera.K', expected, got)
    return matrix


def _fail(path: str, record: str, name: str, expected: str, got: Any) -> NoReturn:
    raise ValueError(f'{path}: {record}: {name}: expected {expected}, got {got}')
