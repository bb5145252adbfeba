"""One hand's keypoints over time, from what ``tools/demo.py`` writes of a video or from the annotations of a clip.

Where instances have no ``track``, a hand is followed from frame to frame: to the instance whose keypoints lie nearest,
by the median over keypoints, within half of the hand's size and for at most a second without it. Of keypoints that were
smoothed (``tools/demo.py --smooth``) those before smoothing are taken: a filter flattens fast taps and delays them.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from handkp_plugins.datasets.checks.keypoint_files import numbers_of, read_json, records_of
from handkp_plugins.structures.skeleton import NUM_KEYPOINTS

_VERSION = 1
_JUMP, _FORGOTTEN = 0.5, 1.0  # hand sizes from frame to frame; seconds
Instance = tuple[np.ndarray, np.ndarray, Any]
"""Keypoints (21, 2), scores (21,) and the track's id or None."""


@dataclass(frozen=True)
class Frame:
    """A frame's index, time in seconds and hands."""

    index: int
    time: float
    hands: list[Instance]


@dataclass(frozen=True)
class HandSeries:
    """One hand.

    Args:
        source: what it was read from.
        hand: which of the hands it is; ``hands`` has the number of frames of each.
        index, time: (N,) of all frames, seconds.
        keypoints: (N, 21, 2) pixels, NaN where the hand is not seen; ``scores`` (N, 21), 0 there.
        truth: of a generated clip, what its record says of it.
        complete: false where the file says that it ends early.
    """

    source: str
    hand: str
    hands: dict[str, int]
    index: np.ndarray
    time: np.ndarray
    keypoints: np.ndarray
    scores: np.ndarray
    truth: dict[str, Any] = field(default_factory=dict)
    complete: bool = True

    def above(self, score: float, needed: Sequence[int]) -> np.ndarray:
        """Keypoints (N, 21, 2), NaN throughout a frame in which one of those needed has a lower score."""
        low = (self.scores[:, list(needed)] < score).any(1)
        return np.where(low[:, None, None], np.nan, self.keypoints)


def read_hand(
    path: str | Path, hand: str | None = None, fps: float | None = None, clip: str | None = None
) -> HandSeries:
    """Read one hand.

    Args:
        path: ``keypoints.json`` of ``tools/demo.py``, or COCO keypoints with ``video_id`` and ``frame_id``.
        hand: id of its track or, without tracks, its number by first appearance, from 0; None for the one that is in
            most frames.
        fps: frames a second that count instead of the times in the file: of a video that plays slowed down, or of a
            folder of images.
        clip: ``video_id`` where a COCO file has several.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is not of either form, has no times and no ``fps`` is given, or there is no such hand or clip.
            The message names the record.
    """
    path = str(path)
    if fps is not None and not (math.isfinite(fps) and fps > 0):
        raise ValueError(f'fps: expected a number above 0, got {fps}')
    document = read_json(path, 'keypoints.json of tools/demo.py or a COCO keypoint file')
    truth: dict[str, Any] = {}
    if isinstance(document, dict) and 'images' in document:
        frames, truth = _frames_of_coco(path, document, fps, clip)
    else:
        if clip is not None:
            raise ValueError(f'clip: expected with a COCO file only; {path} is none, got {clip!r}')
        frames = _frames_of_demo(path, document, fps)
    steps = np.diff([frame.time for frame in frames])
    if not (steps > 0).all():
        i = int(np.flatnonzero(~(steps > 0))[0])
        raise ValueError(
            f'{path}: frame {frames[i + 1].index}: expected a time after {frames[i].time:g} s, that of the frame '
            f'before, got {frames[i + 1].time:g}; --fps gives times of its own'
        )
    places = _tracks(path, frames)
    if not places:
        raise ValueError(f'{path}: no hand in any of its {len(frames)} frames')
    counts = {name: len(own) for name, own in places.items()}
    name = max(counts, key=counts.get) if hand is None else str(hand)
    if name not in places:
        raise ValueError(f'{path}: hand: expected one of {", ".join(places)}, got {name!r}')
    keypoints, scores = np.full((len(frames), NUM_KEYPOINTS, 2), np.nan), np.zeros((len(frames), NUM_KEYPOINTS))
    for i, k in places[name].items():
        keypoints[i], scores[i], _ = frames[i].hands[k]
    index, time = np.array([frame.index for frame in frames]), np.array([frame.time for frame in frames])
    return HandSeries(path, name, counts, index, time, keypoints, scores, truth, document.get('complete') is not False)


def _frames_of_demo(path: str, document: Any, fps: float | None) -> list[Frame]:
    if not isinstance(document, dict) or not isinstance(document.get('items'), list):
        raise ValueError(
            f"{path}: expected keypoints.json of tools/demo.py with a list 'items', or a COCO file, got "
            + (f'an object of {sorted(document)[:5]}' if isinstance(document, dict) else f'a {type(document).__name__}')
        )
    if document.get('version') != _VERSION:
        raise ValueError(f'{path}: expected version {_VERSION}, got {document.get("version")!r}')
    if len(document['items']) < 2:
        raise ValueError(f'{path}: expected two items or more, frames of a video, got {len(document["items"])}')
    frames = []
    for i, item in enumerate(document['items']):
        where = f'{path}: item {i}'
        if not isinstance(item, dict) or not isinstance(item.get('instances'), list):
            raise ValueError(f"{where}: expected an object with a list 'instances', got {str(item)[:60]}")
        index, time = item.get('frame', i), item.get('time')
        if not isinstance(index, int):
            raise ValueError(f'{where}: frame: expected a whole number, got {index!r}')
        if fps is not None:
            time = index / fps
        elif time is None:
            raise ValueError(f'{where}: no time, as of a folder of images: --fps gives the frame rate')
        if not isinstance(time, (int, float)) or not math.isfinite(time):
            raise ValueError(f'{where}: time: expected finite seconds, got {time!r}')
        hands = [_instance(f'{where} (frame {index}), instance {k}', v) for k, v in enumerate(item['instances'])]
        frames.append(Frame(index, float(time), hands))
    return frames


def _instance(where: str, record: Any) -> Instance:
    if not isinstance(record, dict):
        raise ValueError(f'{where}: expected an object, got {str(record)[:60]}')
    arrays = []
    points = 'raw_keypoints' if 'raw_keypoints' in record else 'keypoints'
    for key, shape in ((points, (NUM_KEYPOINTS, 2)), ('scores', (NUM_KEYPOINTS,))):
        try:
            array = np.array(record[key], dtype=float)
        except KeyError:
            raise ValueError(f'{where}: needs keypoints and scores; missing: {key}') from None
        except (TypeError, ValueError):
            array = np.empty(0)
        if array.shape != shape or not np.isfinite(array).all():
            raise ValueError(f'{where}: {key}: expected finite numbers {shape}, got {str(record[key])[:60]}')
        arrays.append(array)
    track = record.get('track')
    if not isinstance(track, (int, str, type(None))):
        raise ValueError(f'{where}: track: expected a number or name, got {track!r}')
    return arrays[0], arrays[1], track


def _frames_of_coco(
    path: str, document: dict, fps: float | None, clip: str | None
) -> tuple[list[Frame], dict[str, Any]]:
    images = records_of(path, document, 'images', 'image', ('id', 'video_id', 'frame_id'))
    annotations = records_of(path, document, 'annotations', 'annotation', ('id', 'image_id', 'keypoints'))
    points = numbers_of(path, annotations, 'keypoints', 3 * NUM_KEYPOINTS, 'x, y, visibility of each keypoint')
    clips = sorted({str(image['video_id']) for image in images})
    if (clip is None and len(clips) > 1) or (clip is not None and clip not in clips):
        got = 'none' if clip is None else repr(clip)
        raise ValueError(f'{path}: clip: expected a video_id, one of {", ".join(clips)}, got {got}')
    name = clip or clips[0]
    fps = fps or (document.get('info') or {}).get('fps')
    if not isinstance(fps, (int, float)) or not fps > 0:
        raise ValueError(f"{path}: expected the frame rate, as fps in 'info' or by --fps, got {fps!r}")
    of_image: dict[Any, list[Instance]] = {image['id']: [] for image in images}
    for annotation, own in zip(annotations, points.reshape(-1, NUM_KEYPOINTS, 3), strict=True):
        if annotation['image_id'] not in of_image:
            raise ValueError(
                f'{path}: annotation {annotation["id"]}: image_id: expected the id of an image, '
                f'got {annotation["image_id"]!r}'
            )
        labelled = own[:, 2] > 0
        of_image[annotation['image_id']].append(
            (np.where(labelled[:, None], own[:, :2], np.nan), labelled.astype(float), annotation.get('track'))
        )
    for image in images:
        if not isinstance(image['frame_id'], int):
            raise ValueError(
                f'{path}: image {image["id"]}: frame_id: expected a whole number, got {image["frame_id"]!r}'
            )
    own_images = sorted((i for i in images if str(i['video_id']) == name), key=lambda image: image['frame_id'])
    frames = [Frame(image['frame_id'], image['frame_id'] / fps, of_image[image['id']]) for image in own_images]
    truth = [video for video in document.get('videos') or [] if str(video.get('id')) == name]
    return frames, truth[0] if truth else {}


def _tracks(path: str, frames: list[Frame]) -> dict[str, dict[int, int]]:
    """For each hand, which of a frame's hands it is, by the frame's place in the list."""
    given = [track is not None for frame in frames for *_, track in frame.hands]
    if not any(given):
        return {str(i): places for i, places in enumerate(_follow(frames))}
    tracks: dict[str, dict[int, int]] = {}
    for i, frame in enumerate(frames):
        for k, (*_, track) in enumerate(frame.hands):
            if track is None:
                raise ValueError(f'{path}: frame {frame.index}, instance {k}: expected a track, as others have one')
            if i in tracks.setdefault(str(track), {}):
                raise ValueError(f'{path}: frame {frame.index}: expected one instance of track {track}, got two')
            tracks[str(track)][i] = k
    return tracks


def _follow(frames: list[Frame]) -> list[dict[int, int]]:
    """Hands followed by their place, in the order of their first frame."""
    tracks: list[dict[int, int]] = []
    for i, frame in enumerate(frames):
        recent = [t for t in tracks if frame.time - frames[max(t)].time <= _FORGOTTEN]
        costs = np.array([[_step(_last(frames, t), hand[0]) for hand in frame.hands] for t in recent])
        costs = costs.reshape(len(recent), len(frame.hands))
        taken = set()
        for a, b in zip(*linear_sum_assignment(np.minimum(costs, 10 * _JUMP)), strict=True):
            if costs[a, b] <= _JUMP:
                recent[a][i] = int(b)
                taken.add(int(b))
        tracks += [{i: k} for k in range(len(frame.hands)) if k not in taken]
    return tracks


def _last(frames: list[Frame], track: dict[int, int]) -> np.ndarray:
    i = max(track)
    return frames[i].hands[track[i]][0]


def _step(before: np.ndarray, now: np.ndarray) -> float:
    """How far a hand has gone, in sizes of the box of its keypoints; infinite where none is known in both."""
    both = np.isfinite(before).all(1) & np.isfinite(now).all(1)
    size = np.ptp(before[both], axis=0).max() if both.any() else 0.0
    return float(np.median(np.linalg.norm(now - before, axis=1)[both]) / size) if size > 0 else np.inf
