"""Figures of networks of clips (HTT): curves of the 3D PCK, and frames of a video with their poses.

Examples:
    python tools/analysis/clip_figures.py curves t8=work_dirs/t8/pck.json t1=work_dirs/t1/pck.json --output figures
    python tools/analysis/clip_figures.py frames 12 --network t8 CONFIG CKPT --network t1 CONFIG CKPT \
        --output figures/occlusion.png

``curves`` (the paper's figures 4 and 5) reads the files that ``tools/test.py`` writes with
``--cfg-options test_evaluator.0.curve_file=FILE``, and writes for each hand ``PCK_right.png``, in the camera's space,
and ``PCK-RA_right.png``, with aligned wrists. The legends say the areas under the curves.

``frames`` draws a row of frames of the test video of this id with its true poses, occluded joints faint, and a row for
each network, with the mean error of each frame with aligned wrists. By default the frames surround the one in which
most joints are occluded. Images and labels are those of the first network's config.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from mmengine.fileio import join_path
from mmpose.registry import DATASETS

import handkp_plugins  # noqa: F401  (registers the modules that configs name)
from handkp_plugins.apis.clip_stream import ClipStream
from handkp_plugins.apis.inference import init_model
from handkp_plugins.cli.tool import run_tool
from handkp_plugins.codecs.pixel_depth import project
from handkp_plugins.engine.config import load_config
from handkp_plugins.evaluation.functional.camera_space import area_under_curve, joint_errors, root_aligned
from handkp_plugins.fileio.images import read_image, write_image
from handkp_plugins.structures.skeleton import NUM_KEYPOINTS
from handkp_plugins.visualization import draw_hand, plot_pck_curves, tile

_NUM_FRAMES = 6
_WIDTH = 320  # pixels of a frame in the figure at least
_OCCLUDED_SCORE = 0.1  # drawn faint


def plot_curves(results: Sequence[str], output: str | Path) -> list[Path]:
    """Plot the curves of results NAME=FILE; returns the paths of the figures.

    Raises:
        FileNotFoundError: A file is missing.
        ValueError: A result is not NAME=FILE, its file is not one of curves, or thresholds or hands differ.
    """
    curves: dict[str, dict[str, Any]] = {}
    for result in results:
        name, separator, file = result.partition('=')
        if not (separator and name and file) or name in curves:
            raise ValueError(f'results: expected NAME=FILE, each name once, got {result!r}')
        content = json.loads(Path(file).read_text())
        if not isinstance(content, dict) or not {'thresholds', 'thresholds-RA', 'PCK', 'PCK-RA'} <= set(content):
            raise ValueError(f'{file}: expected thresholds and PCK of HandPose3DMetric, got another file')
        curves[name] = content
    first = next(iter(curves.values()))
    for name, content in curves.items():
        for key in ('thresholds', 'thresholds-RA'):
            if content[key] != first[key] or set(content['PCK']) != set(first['PCK']):
                raise ValueError(f'{name}: {key}: expected thresholds and hands of the first result, got others')
    paths = []
    for kind, space in (('', "the camera's space"), ('-RA', 'aligned wrists')):
        thresholds = np.array(first[f'thresholds{kind}'])
        for hand in first['PCK']:
            shown = {}
            for name, content in curves.items():
                curve = np.array(content[f'PCK{kind}'][hand])
                shown[f'{name}, AUC {area_under_curve(curve, thresholds):.3f}'] = curve
            paths.append(Path(output) / f'PCK{kind}_{hand}.png')
            plot_pck_curves(shown, paths[-1], thresholds, f'3D PCK, {hand} hand, {space}', unit='mm')
    return paths


def draw_frames(
    video: int,
    network: Sequence[Sequence[str | Path]],
    output: str | Path,
    frames: Sequence[int] | None = None,
    data_root: str | Path | None = None,
    device: str = 'auto',
) -> np.ndarray:
    """Draw and return the figure, BGR.

    Args:
        video: Id in the test file.
        network: NAME, CONFIG and CHECKPOINT of each.
        output: The picture.
        frames: Indices from 0; None for six about the most occluded one.
        data_root: Folder of the data instead of the config's.
        device: ``auto``, ``cpu`` or ``cuda:N``.

    Raises:
        FileNotFoundError, OSError: A file is missing.
        ValueError: There is no such video or frame.
    """
    root = {} if data_root is None else dict(data_root=str(data_root))
    data = DATASETS.build(dict(load_config(network[0][1]).test_dataloader.dataset, pipeline=[], **root))
    found = [v for v in data.videos if v.id == video]
    if not found:
        raise ValueError(f'video: expected one of {[v.id for v in data.videos]}, got {video}')
    clip = found[0]
    if frames is None:
        worst = 0 if clip.occluded is None else int(clip.occluded.sum(1).argmax())
        start = int(np.clip(worst - _NUM_FRAMES // 2, 0, max(len(clip) - _NUM_FRAMES, 0)))
        frames = range(start, min(start + _NUM_FRAMES, len(clip)))
    wrong = [i for i in frames if not 0 <= i < len(clip)]
    if wrong:
        raise ValueError(f'frames: expected 0 to {len(clip) - 1}, got {wrong[0]}')
    images = [read_image(join_path(data.data_prefix['img'], file)) for file in clip.files]
    scores = clip.weights if clip.occluded is None else np.where(clip.occluded, _OCCLUDED_SCORE, clip.weights)
    truth = project(clip.keypoints.astype(float), clip.camera.astype(float))[..., :2]
    drawn = [_draw(images[i], truth[i], scores[i]) for i in frames]
    captions = [f'frame {i}, true' for i in frames]
    for name, *files in network:
        model = init_model(*files, device)
        clips = model.cfg.test_dataloader.dataset
        stream, results = ClipStream(model, clip.camera, clips.clip_length, clips.spacing), {}
        for image in images:
            results |= {result.frame: result for result in stream.push(image)}
        for i in frames:
            points = results[i].keypoints_3d.reshape(-1, NUM_KEYPOINTS, 3)
            labelled = clip.weights[i].reshape(-1, NUM_KEYPOINTS)[:, 0] > 0
            pair = (1000 * p for p in (points[labelled], clip.keypoints[i].reshape(points.shape)[labelled]))
            error = joint_errors(*map(root_aligned, pair)).mean()
            drawn.append(_draw(images[i], results[i].keypoints, clip.weights[i]))
            captions.append(f'{name}, {error:.0f} mm')
    figure = tile(drawn, len(frames), captions)
    write_image(output, figure)
    return figure


def _draw(image: np.ndarray, keypoints: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Draw hands (J, 2) with scores (J,) on an image of a good size."""
    scale = max(1, -(-_WIDTH // image.shape[1]))
    canvas = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    for own in np.split(np.arange(len(keypoints)), len(keypoints) // NUM_KEYPOINTS):
        canvas = draw_hand(canvas, np.nan_to_num((keypoints[own] + 0.5) * scale - 0.5), scores[own])
    return canvas


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    kinds = parser.add_subparsers(required=True)
    curves = kinds.add_parser('curves', help='3D PCK of several results')
    curves.add_argument('results', nargs='+', metavar='NAME=FILE', help='curve files')
    curves.add_argument('--output', required=True, help='folder')
    curves.set_defaults(main=plot_curves)
    frames = kinds.add_parser('frames', help='a video with the poses of several networks')
    frames.add_argument('video', type=int, help='id in the test file')
    frames.add_argument('--network', nargs=3, action='append', required=True, metavar=('NAME', 'CONFIG', 'CKPT'))
    frames.add_argument('--output', required=True, metavar='PNG')
    frames.add_argument('--frames', type=int, nargs='+', help='indices (default: six about the most occluded one)')
    frames.add_argument('--data-root', help="folder of the data (default: the config's)")
    frames.add_argument('--device', default='auto', help='auto, cpu or cuda:N (default %(default)s)')
    frames.set_defaults(main=draw_frames)
    return parser.parse_args()


if __name__ == '__main__':
    arguments = vars(parse_args())
    run_tool(lambda: arguments.pop('main')(**arguments))
