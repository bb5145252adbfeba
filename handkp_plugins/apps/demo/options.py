"""Options of tools/demo.py, in groups. Each field is an option of its command line."""

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from handkp_plugins.apis.detection import DEFAULT_DETECTOR
from handkp_plugins.apis.networks import DEFAULT_POSE
from handkp_plugins.engine.checkpoint.shipped import weights_names

from .smoothing import BETA, MIN_CUTOFF

OUTPUT = 'work_dirs/demo_pictures'
_REPLACED = ('weights', 'config', 'checkpoint')


def _option(default: Any, help: str, **more: Any) -> Any:
    """Return a field that keeps the arguments of its ``add_argument``."""
    if default is False:
        more['action'] = 'store_true'
    elif isinstance(default, (int, float)):
        more |= dict(type=type(default), metavar='N' if isinstance(default, int) else 'X')
        help = f'{help} (default {default})'
    return field(default=default, metadata=dict(more, help=help))


def _network(default: Any, what: str, detectors: bool, name: str) -> Any:
    def help() -> str:
        return f'{what}: {weights_names(detectors).replace(name, f"{name} (default)", 1)} or your own'

    more = dict(help=help)
    return field(default=default, metadata=dict(more, nargs='+', metavar=('NAME|CONFIG', 'CKPT')))


@dataclass(frozen=True)
class NetworkOptions:
    """The networks and how they run."""

    pose: Sequence[str | Path] = _network((DEFAULT_POSE,), 'keypoints', False, DEFAULT_POSE)
    tta: bool = _option(False, 'average over four rotations of each box; four times slower')
    gesture: Sequence[str | Path] | None = _option(
        None, 'a network that recognizes signs', nargs=2, metavar=('CONFIG', 'CKPT')
    )
    gesture_frames: int = _option(15, 'last frames of a video that vote on a sign')
    device: str = _option('auto', 'auto (default), cpu or cuda:N')
    batch_size: int = _option(32, 'boxes of one image at once')


@dataclass(frozen=True)
class HandOptions:
    """Where the hands are: a detector finds them, or boxes are given."""

    det: Sequence[str | Path] | None = _network(None, 'boxes', True, DEFAULT_DETECTOR)
    det_thr: float = _option(0.3, 'least score of a detected box')
    det_every: int = _option(10, 'frames of a video per run of the detector at most')
    track_thr: float = _option(0.3, 'least mean score of a hand in a video')
    bbox: Sequence[Sequence[float]] | None = _option(
        None, 'a box in pixels, for every image; may be repeated', type=float, nargs=4, action='append',
        metavar=tuple('XYWH'),
    )  # fmt: skip
    ann: str | Path | None = _option(None, 'COCO JSON with the boxes of each image', metavar='FILE')
    whole_image: bool = _option(False, 'the whole image is the box')
    left: bool = _option(False, 'all hands are left ones, for a network of meshes (HaMuCo)')


@dataclass(frozen=True)
class VideoOptions:
    """Videos and cameras only."""

    smooth: bool = _option(False, 'One-Euro filter; its lag is printed at the end')
    min_cutoff: float = _option(MIN_CUTOFF, 'Hz, for a still hand')
    beta: float = _option(BETA, 'Hz for each hand size per second')
    max_frames: int | None = _option(None, 'stop after N frames', type=int, metavar='N')
    show: bool = _option(False, 'show a window; q stops')
    no_rate: bool = _option(False, 'no frame rate in the drawn frames')
    camera: Sequence[float] | None = _option(
        None, 'focal lengths and principal point in pixels, for clips (HTT)', type=float, nargs=4,
        metavar=('FX', 'FY', 'CX', 'CY'),
    )  # fmt: skip
    views: Sequence[str | Path] | None = _option(
        None, 'synchronised videos of other cameras (HaMuCo)', nargs='+',
        metavar='VIDEO',
    )  # fmt: skip
    calibration: str | Path | None = _option(None, 'the cameras of SOURCE and --views, in this order', metavar='FILE')


@dataclass(frozen=True)
class DrawingOptions:
    """What is drawn."""

    score_thr: float = _option(0.3, 'keypoints below it are drawn faint')
    save_heatmaps: bool = _option(False, 'draw heatmaps, too')


_GROUPS = dict(networks=NetworkOptions, hands=HandOptions, video=VideoOptions, drawing=DrawingOptions)


def group_options(**options: Any) -> dict[str, Any]:
    """Return options as arguments of the demo's ``main``: each in the dataclass of its group."""
    groups = {}
    for name, group in _GROUPS.items():
        groups[name] = group(**{f.name: options.pop(f.name) for f in fields(group) if f.name in options})
    if options:
        raise TypeError(f'options: expected those of tools/demo.py, got {", ".join(options)}')
    return groups


def add_options(parser: argparse._ActionsContainer, group: type, names: Iterable[str] | None = None) -> None:
    """Add the options of a group to a parser, all or those named. Options that are not given are left out."""
    for option in fields(group):
        if names is None or option.name in names:
            help = option.metadata['help']
            more = dict(option.metadata, help=help() if callable(help) else help, default=argparse.SUPPRESS)
            parser.add_argument(f'--{option.name.replace("_", "-")}', **more)


def parse_demo_args(arguments: Sequence[str] | None = None, description: str | None = None) -> dict[str, Any]:
    """Parse the command line of tools/demo.py; returns the arguments of its ``main``."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=wide_help, usage='%(prog)s SOURCE [options]', add_help=False
    )
    general = parser.add_argument_group('source and output')
    general.add_argument('source', metavar='SOURCE', help='image, folder of images, video or webcam:N')
    general.add_argument('--output', default=OUTPUT, metavar='DIR', help='(default %(default)s)')
    add_options(general, DrawingOptions)
    general.add_argument('-h', '--help', action='help', help='show this text')
    for title, group in (
        ('networks', NetworkOptions), ('where the hands are', HandOptions), ('videos and cameras', VideoOptions),
    ):  # fmt: skip
        add_options(parser.add_argument_group(title), group)
    for name in _REPLACED:
        parser.add_argument(f'--{name}', nargs='*', action=_Replaced, default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    options = vars(parser.parse_args(arguments))
    return dict(source=options.pop('source'), output=options.pop('output'), **group_options(**options))


def wide_help(prog: str) -> argparse.HelpFormatter:
    """Return a formatter that keeps line breaks and puts most options on one line."""
    return argparse.RawDescriptionHelpFormatter(prog, max_help_position=34)


class _Replaced(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        parser.error(f'{self.option_strings[0]} is now --pose NAME or --pose CONFIG CHECKPOINT')
