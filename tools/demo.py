"""Find the keypoints of hands in an image, a folder of images, a video or a camera; write pictures and JSON.

Where the hands are, the package's detector finds or another one (``--det``), or it is given (``--bbox``, ``--ann``),
or the whole picture is taken as the box by ``--whole-image``. The network of the keypoints is one whose weights come
with the package (``--weights`` or ``--pose NAME``), or one of your own (``--config`` and ``--checkpoint``, or ``--pose
CONFIG CHECKPOINT``).
With a detector, hands are followed through a video by their keypoints, and it runs only where a hand is lost and every
``--det-every`` frames. ``--smooth`` smooths keypoints over a video, and says how late that makes them.
``--gesture`` names a GestureNet, which writes the sign of each hand beside it; over a video the last frames vote.
``--tta`` averages over the four rotations by 90° of each box, which takes about four times as long.

Examples:
    python tools/demo.py photo.jpg --output out
    python tools/demo.py photo.jpg --bbox 63 92 99 194 --output out
    python tools/demo.py webcam:0 --smooth --show
    python tools/demo.py clip.mp4 --whole-image --gesture configs/msahp/gesturenet_keypoints.py \
        work_dirs/gesturenet_keypoints/iter_1500.pth
    python tools/demo.py photo.jpg --config configs/pmsdsnet/pmsdsnet_lite_synthetic-128.py \
        --checkpoint work_dirs/demo/pmsdsnet_lite_synthetic-128/epoch_15.pth \
        --bbox 63 92 99 194 --output out

The output folder holds each picture under its own name (a video as MP4), ``heatmaps/`` with ``--save-heatmaps``,
``keypoints.json`` and, a line for each picture as soon as it is done, ``keypoints.jsonl``. docs/demo.md says what they
hold. A camera runs until Ctrl-C, q in its window, or ``--max-frames``.
"""

import argparse
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import handkp_plugins  # noqa: F401  (registers the modules that configs name)
from handkp_plugins.apis.detection import DEFAULT_DETECTOR, init_detector
from handkp_plugins.apis.gestures import GestureReader
from handkp_plugins.apis.hand_boxes import choose_boxes
from handkp_plugins.apis.inference import init_model
from handkp_plugins.apis.networks import DEFAULT_WEIGHTS, choose_network
from handkp_plugins.apis.rotation import with_rotations
from handkp_plugins.apps.demo.hand_reader import HandReader
from handkp_plugins.apps.demo.keypoints_file import KeypointsFile, make_header
from handkp_plugins.apps.demo.run import Run
from handkp_plugins.apps.demo.smoothing import BETA, MIN_CUTOFF
from handkp_plugins.apps.demo.sources import Stream, is_stream, list_images
from handkp_plugins.cli.tool import run_tool
from handkp_plugins.engine.checkpoint.shipped import weights_names
from handkp_plugins.engine.work_dir import check_writable
from handkp_plugins.visualization import Window

OUTPUT = 'work_dirs/demo_pictures'


def main(
    source: str | Path,
    config: str | Path | None = None,
    checkpoint: str | Path | None = None,
    output: str | Path = OUTPUT,
    bbox: Sequence[Sequence[float]] | None = None,
    whole_image: bool = False,
    ann: str | Path | None = None,
    device: str = 'auto',
    score_thr: float = 0.3,
    batch_size: int = 32,
    save_heatmaps: bool = False,
    weights: str | None = None,
    gesture: Sequence[str | Path] | None = None,
    gesture_frames: int = 15,
    tta: bool = False,
    pose: Sequence[str | Path] | None = None,
    det: Sequence[str | Path] | None = None,
    det_thr: float = 0.3,
    det_every: int = 10,
    track_thr: float = 0.3,
    smooth: bool = False,
    min_cutoff: float = MIN_CUTOFF,
    beta: float = BETA,
    max_frames: int | None = None,
    show: bool = False,
    rate: bool = True,
) -> dict[str, Any]:
    """Run the demo; returns what ``keypoints.json`` holds.

    Args:
        source: an image, a folder of images (its subfolders are not entered), a video, or ``webcam:N``.
        config, checkpoint: a network of your own; without them, ``weights``.
        bbox: boxes (x, y, w, h) in pixels, used for every picture.
        whole_image: take the whole picture as the box.
        ann: COCO JSON with the boxes of each image, which is found by the last parts of its path.
        score_thr: keypoints below it are drawn faint.
        batch_size: boxes of one picture that go through the network at once.
        weights: the name of shipped weights; ``lite`` where no network is given.
        gesture: config and checkpoint of a network that reads signs.
        gesture_frames: of a video, the last ones that vote.
        tta: average over the four rotations by 90° of each box.
        pose: the network in one option: NAME, or CONFIG and CHECKPOINT.
        det: a detector, as NAME, or CONFIG and CHECKPOINT.
        det_thr: boxes of the detector below it are left out.
        det_every: of a video, the detector runs at least every so many frames.
        track_thr: of a video, a hand whose keypoints score less on average is lost.
        smooth: smooth keypoints over the frames of a video, by the One-Euro filter with ``min_cutoff`` and ``beta``.
        max_frames: of a video or a camera, stop after so many.
        show: show a video or a camera in a window, too.
        rate: write the frame rate into the pictures of a video or a camera.

    Raises:
        FileNotFoundError, OSError: a file or camera is missing, or the output folder cannot be written.
        ValueError: no box or more than one way to find it is given, nothing could be read, or a model is unfit; a
            network is given in two ways or by half, or there are no such weights; or a number is out of its range.
    """
    output = Path(output)
    if max_frames is not None and max_frames < 1:
        raise ValueError(f'--max-frames: expected an integer from 1 on, got {max_frames}')
    boxes, detector = choose_boxes(bbox, whole_image, ann, det)
    network = choose_network(config, checkpoint, weights, pose)
    stream = is_stream(source)
    if not stream:
        source = Path(source)
        files = list_images(source)
        for option, given in (('--smooth', smooth), ('--show', show), ('--max-frames', max_frames)):
            if given:
                raise ValueError(f'{option}: expected for a video or a camera, got {source}')
    model = init_model(*network, device, output_heatmaps=save_heatmaps)
    header = make_header(source, network, detector, model)
    reader = HandReader(
        with_rotations(model) if tta else model,
        boxes,
        detector and init_detector(*detector, device, det_thr),
        gesture and GestureReader(*gesture, device=device, frames=gesture_frames),
        batch_size,
        det_every,
        track_thr,
        dict(min_cutoff=min_cutoff, beta=beta) if smooth else None,
    )
    prepare_output(output, source)
    if not stream:
        run = Run(reader, output, KeypointsFile(output, header), score_thr)
        run.images(source, files)
        return run.file.read()
    with closing(Stream(source)) as frames:
        window = Window(str(source)) if show else None
        run = Run(reader, output, KeypointsFile(output, header), score_thr)
        run.stream(frames, max_frames, window, rate)
    return run.file.read()


def prepare_output(output: Path, source: str | Path) -> None:
    """Make the output folder, and find out now rather than at the end whether it can be written."""
    folder = Path(source) if Path(source).is_dir() else Path(source).parent
    if Path(source).exists() and output.resolve() == folder.resolve():
        raise ValueError(
            f'--output {output}: expected another folder than that of the source, which it would overwrite'
        )
    check_writable(str(output), 'output folder', '--output')


def parse_args(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line, or other arguments."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('source', metavar='IMAGE|FOLDER|VIDEO|webcam:N')
    names = weights_names(detectors=False)
    network = parser.add_argument_group('network')
    network.add_argument('--weights', metavar='NAME', help=f'shipped weights: {names} (default {DEFAULT_WEIGHTS})')
    network.add_argument('--config', help='of a network of your own')
    network.add_argument('--checkpoint', help='of a network of your own')
    network.add_argument('--pose', nargs='+', metavar='NAME|CONFIG CKPT', help='the same in one option')
    network.add_argument('--tta', action='store_true', help='average over the four rotations by 90° of each box')
    network.add_argument('--gesture', nargs=2, metavar=('CONFIG', 'CKPT'), help='a network that reads signs')
    network.add_argument('--gesture-frames', type=int, default=15, help='last frames of a video that vote (default 15)')
    network.add_argument('--device', default='auto', help='auto (default), cpu or cuda:N')
    network.add_argument('--batch-size', type=int, default=32, help='boxes of a picture at once (default 32)')
    where = parser.add_argument_group('where the hands are')
    where.add_argument('--det', nargs='+', metavar='NAME|CONFIG CKPT', help=f'(default {DEFAULT_DETECTOR})')
    where.add_argument('--det-thr', type=float, default=0.3, help='boxes below it are left out (default 0.3)')
    where.add_argument('--det-every', type=int, default=10, metavar='N', help='frames of a video (default 10)')
    where.add_argument('--track-thr', type=float, default=0.3, help='mean score of a lost hand (default 0.3)')
    where.add_argument('--bbox', type=float, nargs=4, action='append', metavar=tuple('XYWH'), help='may be repeated')
    where.add_argument('--ann', metavar='FILE', help='COCO JSON with the boxes')
    where.add_argument('--whole-image', action='store_true', help='take the whole picture as the box')
    video = parser.add_argument_group('videos and cameras')
    video.add_argument('--smooth', action='store_true', help='One-Euro filter; its lag is told at the end')
    video.add_argument(
        '--min-cutoff', type=float, default=MIN_CUTOFF, metavar='HZ', help='of a still hand (default %(default)s)'
    )
    video.add_argument(
        '--beta', type=float, default=BETA, help='Hz for each hand size per second (default %(default)s)'
    )
    video.add_argument('--max-frames', type=int, metavar='N', help='stop after N frames')
    video.add_argument('--show', action='store_true', help='show a window; q stops')
    video.add_argument('--no-rate', dest='rate', action='store_false', help='no frame rate in the pictures')
    parser.add_argument('--output', default=OUTPUT, metavar='DIR', help=f'default {OUTPUT}')
    parser.add_argument('--score-thr', type=float, default=0.3, help='keypoints below it are drawn faint (default 0.3)')
    parser.add_argument('--save-heatmaps', action='store_true')
    return parser.parse_args(arguments)


if __name__ == '__main__':
    run_tool(lambda: main(**vars(parse_args())), stopped='stopped; what was done is saved')
