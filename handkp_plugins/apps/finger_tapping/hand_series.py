"""One hand's keypoints over time, from ``keypoints.json`` of ``tools/demo.py`` or from the annotations of a clip.

If instances have no ``track``, a hand is linked from frame to frame to the nearest instance: by the median distance of
the keypoints, within half the hand's size, and for at most a second without it. Smoothed keypoints are replaced by
those before smoothing, because a filter flattens and delays fast taps.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from handkp_plugins.fileio.coco_file import CocoFile, as_array
from handkp_plugins.fileio.json import read_json
from handkp_plugins.structures.skeleton import NUM_KEYPOINTS

from ..linking import link_hands

_VERSION = 1
_MAX_STEP, _MAX_AGE = 0.5, 1.0  # hand sizes from frame to frame; seconds without the hand
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
    """One hand over time, in N frames."""

    source: str  # the file
    hand: str  # its name
    hands: dict[str, int]  # number of frames of each hand in the file
    index: np.ndarray  # (N,) of all frames
    time: np.ndarray  # (N,) seconds
    keypoints: np.ndarray  # (N, 21, 2) pixels, NaN without the hand
    scores: np.ndarray  # (N, 21), 0 without the hand
    truth: dict[str, Any] = field(default_factory=dict)  # of a generated clip, its record
    complete: bool = True  # False if the file says that it ends early

    def with_score(self, least: float, needed: Sequence[int]) -> np.ndarray:
        """Return keypoints (N, 21, 2), all NaN in frames in which a needed one scores less."""
        low = (self.scores[:, list(needed)] < least).any(1)
        return np.where(low[:, None, None], np.nan, self.keypoints)


def read_hand(
    path: str | Path, hand: str | None = None, fps: float | None = None, clip: str | None = None
) -> HandSeries:
    """Read ``keypoints.json`` or a COCO keypoint file with ``video_id`` and ``frame_id``; see :func:`select_hand`."""
    document = read_json(path, 'keypoints.json of tools/demo.py or a COCO keypoint file')
    return select_hand(document, str(path), hand, fps, clip)


def select_hand(
    document: Any, path: str, hand: str | None = None, fps: float | None = None, clip: str | None = None
) -> HandSeries:
    """Return one hand of a loaded file.

    Args:
        path: Of the file, for messages.
        hand: Id of its track or, without tracks, its number by first appearance, from 0; None for the hand in most
            frames.
        fps: Frame rate that replaces the times in the file, for a video in slow motion or a folder of images.
        clip: ``video_id`` if a COCO file has several.

    Raises ValueError if the file is not of either form, has no times without ``fps``, or has no such hand or clip.
    """
    if fps is not None and not (math.isfinite(fps) and fps > 0):
        raise ValueError(f'fps: expected a number above 0, got {fps}')
    truth: dict[str, Any] = {}
    if isinstance(document, dict) and 'images' in document:
        frames, truth = _frames_of_coco(path, document, fps, clip)
    elif clip is not None:
        raise ValueError(f'clip: expected with a COCO file only, got {clip!r} with {path}')
    else:
        frames = frames_of_demo(path, document, fps)
    index, time = np.array([frame.index for frame in frames]), np.array([frame.time for frame in frames])
    for i in np.flatnonzero(~(np.diff(time) > 0))[:1]:
        raise ValueError(
            f'{path}: frame {index[i + 1]}: time: expected seconds after {time[i]:g}, that of the previous frame, '
            f'got {time[i + 1]:g}; --fps replaces the times'
        )
    tracks = _tracks(path, frames)
    if not tracks:
        raise ValueError(f'{path}: no hand in any of its {len(frames)} frames')
    counts = {name: len(track) for name, track in tracks.items()}
    name = max(counts, key=counts.get) if hand is None else str(hand)
    if name not in tracks:
        raise ValueError(f'{path}: hand: expected one of {", ".join(tracks)}, got {name!r}')
    keypoints, scores = np.full((len(frames), NUM_KEYPOINTS, 2), np.nan), np.zeros((len(frames), NUM_KEYPOINTS))
    for i, k in tracks[name].items():
        keypoints[i], scores[i], _ = frames[i].hands[k]
    return HandSeries(path, name, counts, index, time, keypoints, scores, truth, document.get('complete') is not False)


def frames_of_demo(path: str, document: Any, fps: float | None) -> list[Frame]:
    """Return the frames of ``keypoints.json``; ValueError that names file and item if it is not of its form."""
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
            raise ValueError(f'{where}: frame: expected an integer, got {index!r}')
        if fps is not None:
            time = index / fps
        elif time is None:
            raise ValueError(f'{where}: time: expected seconds, got none; --fps gives the frame rate of images')
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
        array = as_array(record.get(key))
        if array is None or array.shape != shape or not np.isfinite(array).all():
            raise ValueError(f'{where}: {key}: expected finite numbers {shape}, got {str(record.get(key))[:60]}')
        arrays.append(array)
    track = record.get('track')
    if not isinstance(track, (int, str, type(None))):
        raise ValueError(f'{where}: track: expected a number or name, got {track!r}')
    return arrays[0], arrays[1], track


def _frames_of_coco(
    path: str, document: dict, fps: float | None, clip: str | None
) -> tuple[list[Frame], dict[str, Any]]:
    file = CocoFile(path, ('id', 'video_id', 'frame_id'), ('id', 'image_id', 'keypoints'), document)
    images, points = file.images, file.keypoints()
    clips = sorted({str(image['video_id']) for image in images})
    if (clip is None and len(clips) > 1) or (clip is not None and clip not in clips):
        got = 'none' if clip is None else repr(clip)
        raise ValueError(f'{path}: clip: expected a video_id, one of {", ".join(clips)}, got {got}')
    name = clip or clips[0]
    fps = fps or (document.get('info') or {}).get('fps')
    if not isinstance(fps, (int, float)) or not fps > 0:
        raise ValueError(f"{path}: expected the frame rate, as fps in 'info' or by --fps, got {fps!r}")
    hands: dict[Any, list[Instance]] = {image['id']: [] for image in images}
    for annotation, values in zip(file.annotations, points, strict=True):
        labelled = values[:, 2] > 0
        keypoints = np.where(labelled[:, None], values[:, :2], np.nan)
        hands[annotation['image_id']].append((keypoints, labelled.astype(float), annotation.get('track')))
    for image in images:
        if not isinstance(image['frame_id'], int):
            raise ValueError(f'{path}: image {image["id"]}: frame_id: expected an integer, got {image["frame_id"]!r}')
    own_images = sorted((i for i in images if str(i['video_id']) == name), key=lambda image: image['frame_id'])
    frames = [Frame(image['frame_id'], image['frame_id'] / fps, hands[image['id']]) for image in own_images]
    truth = [video for video in document.get('videos') or [] if str(video.get('id')) == name]
    return frames, truth[0] if truth else {}


def _tracks(path: str, frames: list[Frame]) -> dict[str, dict[int, int]]:
    """Return for each hand its place among the hands of a frame, by the frame's place in the list."""
    if all(track is None for frame in frames for *_, track in frame.hands):
        return {str(i): places for i, places in enumerate(_link_frames(frames))}
    tracks: dict[str, dict[int, int]] = {}
    for i, frame in enumerate(frames):
        for k, (*_, track) in enumerate(frame.hands):
            if track is None:
                raise ValueError(f'{path}: frame {frame.index}, instance {k}: expected a track, as others have one')
            if i in tracks.setdefault(str(track), {}):
                raise ValueError(f'{path}: frame {frame.index}: expected one instance of track {track}, got two')
            tracks[str(track)][i] = k
    return tracks


def _link_frames(frames: list[Frame]) -> list[dict[int, int]]:
    """Return the hands linked from frame to frame, in the order of their first frame."""
    tracks: list[dict[int, int]] = []
    for i, frame in enumerate(frames):
        recent = [t for t in tracks if frame.time - frames[max(t)].time <= _MAX_AGE]
        last = [frames[max(t)].hands[t[max(t)]][0] for t in recent]
        costs = np.array([[_step(points, hand[0]) for hand in frame.hands] for points in last])
        costs = costs.reshape(len(recent), len(frame.hands))
        links = link_hands(np.minimum(costs, 10 * _MAX_STEP), _MAX_STEP)
        for a, b in links:
            recent[a][i] = b
        linked = {b for _, b in links}
        tracks += [{i: k} for k in range(len(frame.hands)) if k not in linked]
    return tracks


def _step(before: np.ndarray, now: np.ndarray) -> float:
    """Return how far a hand has moved, in sizes of its keypoints' box; infinite if none is known in both frames."""
    both = np.isfinite(before).all(1) & np.isfinite(now).all(1)
    size = np.ptp(before[both], axis=0).max() if both.any() else 0.0
    return float(np.median(np.linalg.norm(now - before, axis=1)[both]) / size) if size > 0 else np.inf
