"""Turn the keypoints that tools/demo.py found in calibrated videos of one hand into 3D; see docs/triangulation.md.

Examples:
    python tools/demo.py left.mp4 --output left
    python tools/demo.py right.mp4 --output right
    python tools/triangulate.py left/keypoints.json right/keypoints.json --calibration cameras.json --out hand.json
    python tools/triangulate.py left/keypoints.json right/keypoints.json --calibration cameras.json --out hand.json \\
        --method ransac --hand 1 surest --shift 0 3 --fit --video hand.mp4 --picture hand.png

Input: two views or more, in the order of the cameras in the calibration: a JSON file, or a folder with c0.dat and
rot_trans_c0.dat, c1.dat and so on. Cameras and hand must fit: swapped cameras, a wrong image size, wrong R and t, and
videos of different lengths are errors.

Output: a JSON file with the points of each frame, its reprojection error and the views used; a summary is printed.
With --fit the points are those of a hand of constant size and shape, the open hand, that is moved and bent to fit the
keypoints of all frames.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from handkp_plugins.apps.triangulation.figure import draw_sheet, write_video
from handkp_plugins.apps.triangulation.measure import (
    METHODS,
    as_document,
    check_sizes,
    describe,
    fit_views,
    triangulate_views,
)
from handkp_plugins.apps.triangulation.views import SUREST, pair_frames, read_view
from handkp_plugins.cli.tool import run_tool
from handkp_plugins.fileio.atomic import write_text
from handkp_plugins.fileio.calibration import read_calibration
from handkp_plugins.fileio.images import write_image
from handkp_plugins.structures.skeleton import KEYPOINT_NAMES


def main(
    keypoints: Sequence[str | Path],
    calibration: str | Path,
    out: str | Path,
    method: str = 'weighted',
    hand: Sequence[str] | None = None,
    shift: Sequence[int] | None = None,
    score_thr: float = 0.1,
    unchecked: bool = False,
    fit: bool = False,
    side: str | None = None,
    video: str | Path | None = None,
    picture: str | Path | None = None,
) -> dict[str, Any]:
    """Triangulate a hand; returns what the output file holds.

    Args:
        keypoints: keypoints.json of each view.
        hand: For each view its track, or ``surest``; None if frames have one hand each.
        shift: For each view, the frame that shows the moment of frame 0 of an unshifted one.
        score_thr: Keypoints of a lower score are not used.
        unchecked: Do not compare the cameras with the keypoints.
        fit: Fit a hand of constant shape.
        side: Which hand is fitted, ``left`` or ``right``; None for the one that fits better.
        video, picture: Files for drawn frames; the videos must be where the keypoints' files say.

    Raises:
        FileNotFoundError, OSError: A file is missing, or cannot be written.
        ValueError: A file is malformed, or views and cameras do not fit.
    """
    if len(keypoints) < 2:
        raise ValueError(f'KEYPOINTS.json: expected two views or more, got {len(keypoints)}')
    if hand is not None and len(hand) != len(keypoints):
        raise ValueError(f'--hand: expected a track or {SUREST} for each of {len(keypoints)} views, got {len(hand)}')
    if side is not None and (not fit or side not in ('left', 'right')):
        raise ValueError(f"--side: expected 'left' or 'right', with --fit, got {side!r}")
    if not 0 <= score_thr <= 1:
        raise ValueError(f'--keypoint-score: expected 0 to 1, got {score_thr}')
    cameras = read_calibration(calibration)
    views = [read_view(path, name) for path, name in zip(keypoints, hand or [None] * len(keypoints), strict=True)]
    check_sizes(views, cameras)
    places = pair_frames(views, shift)
    found, distance = triangulate_views(views, cameras, places, method, score_thr, not unchecked)
    names = [camera.name for camera in cameras.cameras]
    model = None
    if fit:
        print(f'triangulated\n{describe(dict(as_document(found, names), unit=cameras.unit))}\n\nfitted')
        found, shown = fit_views(found, views, cameras, places, score_thr, side)
        model = dict(side=shown.side, size=shown.size, shape=shown.shape.round(4).tolist())
        print(f'a {shown.side} hand, {shown.size:.4g} {cameras.unit} for a metre of the open hand')
    document = dict(
        version=1, unit=cameras.unit, method=method, calibration=str(calibration), epipolar_distance=distance,
        views=[dict(camera=n, keypoints=v.path, source=v.source) for n, v in zip(names, views, strict=True)],
        keypoint_names=KEYPOINT_NAMES, fit=model, **as_document(found, names),
    )  # fmt: skip
    write_text(out, json.dumps(document))
    left = [f'{len(view.index) - len(places)} of {view.path}' for view in views if len(view.index) > len(places)]
    if left:
        print(f'frames without one of the same moment in all views: {", ".join(left)}')
    if distance is not None:
        print(f'keypoints are {distance:.1f} px (median) from the epipolar lines of other views')
    print(describe(document))
    if picture:
        write_image(picture, draw_sheet(found, views, cameras, places))
    if video:
        write_video(video, found, views, cameras, places)
    print(', '.join(str(path) for path in (out, picture, video) if path))
    return document


def parse_args(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Parse the command line; returns the arguments of :func:`main`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('keypoints', nargs='+', metavar='KEYPOINTS.json')
    parser.add_argument('--calibration', required=True, metavar='FILE|DIR', help='cameras in the order of the views')
    parser.add_argument('--out', required=True, metavar='FILE', help='JSON file for the result')
    parser.add_argument('--method', choices=METHODS, default='weighted', help='(default %(default)s)')
    parser.add_argument('--hand', nargs='+', metavar='TRACK',
                        help=f"each view's track, or {SUREST} (default: frames must have one hand)")  # fmt: skip
    parser.add_argument('--shift', nargs='+', type=int, metavar='N',
                        help='frames that show the same moment: 0 3 if the second video began 3 earlier')  # fmt: skip
    parser.add_argument('--keypoint-score', dest='score_thr', type=float, default=0.1, metavar='SCORE',
                        help='keypoints of a lower score are not used (default %(default)s)')  # fmt: skip
    parser.add_argument('--unchecked', action='store_true', help='do not compare the cameras with the keypoints')
    parser.add_argument('--fit', action='store_true', help='fit a hand of constant size and shape')
    parser.add_argument('--side', choices=('left', 'right'), help='of --fit (default: the one that fits better)')
    parser.add_argument('--video', metavar='FILE', help='video of all frames, .mp4 or .webm')
    parser.add_argument('--picture', metavar='FILE', help='image of four frames')
    return vars(parser.parse_args(arguments))


if __name__ == '__main__':
    run_tool(lambda: main(**parse_args()))
