"""Frames with the reprojected hand, beside the hand in space."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from handkp_plugins.fileio.calibration import Calibration
from handkp_plugins.fileio.videos import VideoReader, open_video, video_address
from handkp_plugins.visualization import VideoFile, draw_hand, tile
from handkp_plugins.visualization.space import SpacePlot

from .measure import HandInSpace
from .views import View

_SIDE = 400  # pixels of a view and of the plot
_WIDEST = 95  # percentile of the extents of the hand that the plot's cube holds


def draw_frames(
    hand: HandInSpace, views: Sequence[View], calibration: Calibration, places: np.ndarray, chosen: Sequence[int]
) -> Iterator[np.ndarray]:
    """Yield an image of each chosen frame: each view with the reprojected hand, then the hand in camera 0's axes."""
    reader, first = VideoReader(), calibration.cameras[0]
    in_camera = hand.points @ first.rotation.T + first.translation
    extents = np.ma.masked_invalid(in_camera).ptp(1).max(1).compressed()  # of frames with the hand
    plot = SpacePlot(1.1 * float(np.percentile(extents, _WIDEST)), _SIDE, calibration.unit)
    errors = hand.frame_errors()
    for i in chosen:
        known = np.isfinite(hand.points[i]).all(1)
        images = []
        for view, camera, place in zip(views, calibration.cameras, places[i], strict=True):
            image = reader.read(video_address(view.source, int(view.index[place])))
            pixels = camera.project(np.nan_to_num(hand.points[i]))
            drawn = known & np.isfinite(pixels).all(1)
            images.append(draw_hand(image, pixels, drawn.astype(float)))
        said = 'no hand' if np.isnan(errors[i]) else f'{errors[i]:.1f} px'
        captions = [*(camera.name for camera in calibration.cameras), f'frame {hand.index[i]}: {said}']
        yield tile([*images, plot.draw(in_camera[i])], len(images) + 1, captions, (_SIDE, _SIDE))


def write_video(
    path: str | Path, hand: HandInSpace, views: Sequence[View], calibration: Calibration, places: np.ndarray
) -> None:
    """Write all frames as a video; its suffix is .mp4 or .webm."""
    with VideoFile(path, open_video(views[0].source).get(cv2.CAP_PROP_FPS)) as video:
        for image in draw_frames(hand, views, calibration, places, range(len(places))):
            video.append(image)


def draw_sheet(
    hand: HandInSpace, views: Sequence[View], calibration: Calibration, places: np.ndarray, rows: int = 4
) -> np.ndarray:
    """Return frames spread evenly over those with a hand, one below the other."""
    found = np.flatnonzero(np.isfinite(hand.points).any((1, 2)))
    chosen = found[np.unique(np.linspace(0, len(found) - 1, rows).round().astype(int))]
    return np.concatenate(list(draw_frames(hand, views, calibration, places, chosen.tolist())))
