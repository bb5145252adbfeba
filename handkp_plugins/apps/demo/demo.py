"""The whole demo: from a source and options to files."""

from contextlib import closing
from pathlib import Path
from typing import Any

from torch import nn

from handkp_plugins.apis.detection import DEFAULT_DETECTOR, init_detector
from handkp_plugins.apis.gestures import GestureReader
from handkp_plugins.apis.hand_boxes import make_hand_finder
from handkp_plugins.apis.inference import init_model
from handkp_plugins.apis.networks import find_network
from handkp_plugins.apis.rotation import with_rotations
from handkp_plugins.engine.config import load_config
from handkp_plugins.engine.work_dir import check_writable
from handkp_plugins.visualization import Window

from .clips import run_clips
from .hand_pipeline import HandPipeline
from .keypoints_file import KeypointsFile, make_header
from .options import OUTPUT, DrawingOptions, HandOptions, NetworkOptions, VideoOptions
from .run import Run
from .sources import Stream, find_images, is_stream
from .views import run_views


def run_demo(
    source: str | Path,
    output: str | Path = OUTPUT,
    networks: NetworkOptions | None = None,
    hands: HandOptions | None = None,
    video: VideoOptions | None = None,
    drawing: DrawingOptions | None = None,
) -> dict[str, Any]:
    """Find the hands of a source and write them; returns what ``keypoints.json`` holds, of a camera without the items.

    Args:
        source: An image, a folder of images (without its subfolders), a video, or ``webcam:N``.
        output: Folder for the drawn images and the JSON.

    Raises OSError if a file or camera is missing, or the output folder cannot be written; ValueError if an option, the
    source or a network does not fit, or nothing could be read.
    """
    path, output, networks, hands = Path(source), Path(output), networks or NetworkOptions(), hands or HandOptions()
    video, drawing = video or VideoOptions(), drawing or DrawingOptions()
    if video.max_frames is not None and video.max_frames < 1:
        raise ValueError(f'--max-frames: expected an integer from 1 on, got {video.max_frames}')
    network = find_network(*networks.pose, option='--pose')
    if (load_config(network.config).get('model') or {}).get('type') == 'HTT':
        _check_clip_options(source, networks, hands, video, drawing)
        _prepare_output(output, path)
        return run_clips(source, output, network, video.camera, networks.device, video.max_frames, video.show)
    if video.camera is not None:
        raise ValueError(f'--camera: expected with a network of clips (HTT), got {network.config}')
    if (video.views is None) != (video.calibration is None):
        raise ValueError('--views, --calibration: expected both or neither, got one of them')
    finder = detector = None
    boxes = hands.bbox, hands.whole_image, hands.ann
    if any(boxes) and hands.det is not None:
        raise ValueError('--det: expected without --bbox, --ann and --whole-image, got one of these, too')
    if any(boxes):
        finder = make_hand_finder(*boxes)
    else:
        detector = find_network(*(hands.det or [DEFAULT_DETECTOR]), option='--det')
    files = None if is_stream(source) else find_images(path)
    for option in ('smooth', 'show', 'max_frames'):
        if files is not None and getattr(video, option):
            raise ValueError(f'--{option.replace("_", "-")}: expected for a video or a camera, got {source}')

    def make_pipelines(model: nn.Module, number: int = 1) -> list[HandPipeline]:
        detect = detector and init_detector(*detector, networks.device, hands.det_thr)
        gestures = networks.gesture and GestureReader(
            *networks.gesture, device=networks.device, frames=networks.gesture_frames
        )
        options = dict(
            finder=finder,
            detector=detect,
            gestures=gestures,
            batch_size=networks.batch_size,
            every=hands.det_every,
            track_thr=hands.track_thr,
            smoothing=dict(min_cutoff=video.min_cutoff, beta=video.beta) if video.smooth else None,
            left=hands.left,
        )
        return [HandPipeline(with_rotations(model) if networks.tta else model, **options) for _ in range(number)]

    if video.views is not None:
        _check_view_options(source, networks, hands, video, drawing)
        _prepare_output(output, path)
        sources = [source, *video.views]
        return run_views(sources, video.calibration, output, network, make_pipelines, networks.device, video.max_frames)
    model = init_model(*network, networks.device, output_heatmaps=drawing.save_heatmaps)
    header = make_header(source, network, detector, model)
    (pipeline,) = make_pipelines(model)
    _prepare_output(output, path)
    if files is not None:
        return Run(pipeline, output, KeypointsFile(output, header), drawing.score_thr).images(path, files)
    with closing(Stream(source)) as stream:
        window = Window(str(source)) if video.show else None
        file = KeypointsFile(output, header, keep_items=not stream.is_camera)
        run = Run(pipeline, output, file, drawing.score_thr)
        return run.stream(stream, video.max_frames, window, not video.no_rate)


def _prepare_output(output: Path, source: Path) -> None:
    """Make the output folder, and find out before the work whether it can be written."""
    if source.exists() and output.resolve() == (source if source.is_dir() else source.parent).resolve():
        raise ValueError(
            f'--output: expected another folder than that of the source, which it would overwrite, got {output}'
        )
    check_writable(str(output), 'output folder', '--output')


def _check_clip_options(
    source: str | Path,
    networks: NetworkOptions,
    hands: HandOptions,
    video: VideoOptions,
    drawing: DrawingOptions,
) -> None:
    """Raise ValueError unless the options fit a network of clips, which finds the hands of whole frames itself."""
    if not is_stream(source):
        raise ValueError(f'source: expected a video or webcam:N for a network of clips (HTT), got {source}')
    unused = dict(
        networks=('tta', 'gesture'), hands=('det', 'bbox', 'ann', 'whole_image', 'left'),
        video=('smooth', 'views'), drawing=('save_heatmaps',),
    )  # fmt: skip
    _refuse(unused, dict(networks=networks, hands=hands, video=video, drawing=drawing), 'a network of clips (HTT)')
    if video.camera is None or len(video.camera) != 4 or min(video.camera) <= 0:
        raise ValueError(f'--camera: expected FX FY CX CY above 0 for a network of clips (HTT), got {video.camera}')


def _check_view_options(
    source: str | Path, networks: NetworkOptions, hands: HandOptions, video: VideoOptions, drawing: DrawingOptions
) -> None:
    """Raise ValueError unless the options fit several videos of right hands."""
    for name in (source, *video.views):
        if not is_stream(name):
            raise ValueError(f'--views: expected videos or webcam:N, got {name}')
    unused = dict(
        networks=('tta', 'gesture'), hands=('ann', 'bbox', 'left'), video=('smooth', 'show'), drawing=('save_heatmaps',)
    )
    _refuse(unused, dict(networks=networks, hands=hands, video=video, drawing=drawing), '--views')


def _refuse(unused: dict[str, tuple[str, ...]], options: dict[str, Any], what: str) -> None:
    """Raise ValueError if an option is given that has no effect with what is used."""
    for group, names in unused.items():
        for name in names:
            if getattr(options[group], name):
                raise ValueError(f'--{name.replace("_", "-")}: expected without {what}, got it, too')
