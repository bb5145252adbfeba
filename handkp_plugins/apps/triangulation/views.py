"""The hand of each view, and which frames of the views belong together."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from handkp_plugins.fileio.json import read_json
from handkp_plugins.structures.skeleton import NUM_KEYPOINTS

from ..finger_tapping.hand_series import Frame, Instance, frames_of_demo

SUREST = 'surest'


@dataclass(frozen=True)
class View:
    """One hand in the F frames of a video."""

    path: str  # of keypoints.json
    source: str  # the video
    size: tuple[int, int] | None  # [W, H] of the frames
    index: np.ndarray  # (F,) rising
    time: np.ndarray  # (F,) seconds
    keypoints: np.ndarray  # (F, 21, 2) pixels, NaN without the hand
    scores: np.ndarray  # (F, 21) 0…1, 0 without the hand


def read_view(path: str | Path, hand: str | None = None) -> View:
    """Read ``keypoints.json`` of ``tools/demo.py``; keypoints are those before smoothing.

    Args:
        hand: The track to follow, or ``surest`` for the hand of the highest mean score in each frame; None if frames
            have one hand each.

    Raises FileNotFoundError, or ValueError if the file is malformed, a score is not in 0…1, there are several hands
    and ``hand`` is None, or there is no such hand.
    """
    document = read_json(path, 'keypoints.json of tools/demo.py')
    frames = frames_of_demo(str(path), document, None)
    for frame in frames:
        for k, (_, scores, _) in enumerate(frame.hands):
            if not ((scores >= 0) & (scores <= 1)).all():
                bad = scores[~((scores >= 0) & (scores <= 1))][0]
                raise ValueError(f'{path}: frame {frame.index}, instance {k}: scores: expected 0 to 1, got {bad:g}')
    index = np.array([frame.index for frame in frames])
    if not (np.diff(index) > 0).all():
        raise ValueError(
            f'{path}: frame: expected rising numbers, got {index[1:][np.diff(index) <= 0][0]} again or late'
        )
    keypoints, scores = np.full((len(frames), NUM_KEYPOINTS, 2), np.nan), np.zeros((len(frames), NUM_KEYPOINTS))
    for i, chosen in enumerate(_choose(str(path), frames, hand)):
        if chosen is not None:
            keypoints[i], scores[i], _ = chosen
    time = np.array([frame.time for frame in frames])
    return View(str(path), str(document.get('source')), _size(path, document['items']), index, time, keypoints, scores)


def _choose(path: str, frames: list[Frame], hand: str | None) -> list[Instance | None]:
    if not any(frame.hands for frame in frames):
        raise ValueError(f'{path}: no hand in any of its {len(frames)} frames')
    if hand not in (None, SUREST):
        found = [next((h for h in frame.hands if str(h[2]) == hand), None) for frame in frames]
        if not any(found):
            tracks = sorted({str(h[2]) for frame in frames for h in frame.hands})
            raise ValueError(f'{path}: --hand: expected a track, one of {", ".join(tracks)}, got {hand!r}')
        return found
    several = [frame.index for frame in frames if len(frame.hands) > 1]
    if several and hand is None:
        raise ValueError(
            f'{path}: expected one hand a frame, got more in {len(several)} of {len(frames)} frames, first in frame '
            f"{several[0]}; --hand names each view's track, or {SUREST}"
        )
    return [max(frame.hands, key=lambda h: h[1].mean(), default=None) for frame in frames]


def _size(path: str | Path, items: list[dict[str, Any]]) -> tuple[int, int] | None:
    sizes = {(item['width'], item['height']) for item in items if 'width' in item and 'height' in item}
    if len(sizes) > 1:
        raise ValueError(f'{path}: width, height: expected one size of all frames, got {sorted(sizes)}')
    return sizes.pop() if sizes else None


def pair_frames(views: Sequence[View], shifts: Sequence[int] | None = None) -> np.ndarray:
    """Return the place in each view of the frames that belong together, (F, V).

    Args:
        shifts: For each view, the number of the frame that shows the moment of frame 0 of an unshifted one; None for
            videos of the same number of frames, which begin together.

    Raises ValueError if the videos differ in length and there are no shifts, or they share no moment.
    """
    names = ', '.join(view.path for view in views)
    lengths = [len(view.index) for view in views]
    if shifts is None:
        if len(set(lengths)) > 1:
            raise ValueError(
                f'{names}: expected the same number of frames, got {", ".join(map(str, lengths))}; --shift says which '
                'frames belong together'
            )
        shifts = [0] * len(views)
    if len(shifts) != len(views):
        raise ValueError(f'--shift: expected a number for each of {len(views)} views, got {len(shifts)}')
    places = [
        dict(zip((v.index - s).tolist(), range(len(v.index)), strict=True)) for v, s in zip(views, shifts, strict=True)
    ]
    moments = sorted(set.intersection(*map(set, places)))
    if not moments:
        raise ValueError(
            f'{names}: expected frames of the same moment, got none with --shift {" ".join(map(str, shifts))}'
        )
    return np.array([[place[moment] for place in places] for moment in moments])
