"""Find the keypoints of hands in an image, a folder of images or a video; write pictures and ``keypoints.json``.

The hand's box is given (``--bbox``, ``--ann``), or the whole picture is taken as the box by ``--whole-image``. The
network is one whose weights come with the package (``--weights``), or one of your own (``--config``, ``--checkpoint``).
``--gesture`` names a GestureNet, which writes the sign of each hand beside it; over a video the last frames vote.
``--tta`` averages over the four rotations by 90° of each box, which takes about four times as long.

Examples:
    python tools/demo.py photo.jpg --bbox 63 92 99 194 --output out
    python tools/demo.py clip.mp4 --whole-image --gesture configs/msahp/gesturenet_keypoints.py \
        work_dirs/gesturenet_keypoints/iter_1500.pth
    python tools/demo.py photo.jpg --config configs/pmsdsnet/pmsdsnet_lite_synthetic-128.py \
        --checkpoint work_dirs/demo/pmsdsnet_lite_synthetic-128/epoch_15.pth \
        --bbox 63 92 99 194 --output out

The output folder holds each picture under its own name (a video as MP4), ``heatmaps/`` with ``--save-heatmaps``, and
``keypoints.json``:

    version          1
    source, config, checkpoint      as given; of shipped weights their config, and handkp://NAME
    keypoint_names   21 names, in the order of the keypoints
    complete         false where the run was stopped, or the video ended before its announced length
    items            one per image or frame: file, frame and time (videos only; index from 0, seconds), width, height,
                     instances: [{bbox: [x, y, w, h], keypoints: [[x, y], ...], scores: [...]}]; all in pixels of the
                     image after the rotation that its EXIF data ask for; with ``--gesture`` also gesture and
                     gesture_score, the sign and its probability
    skipped          images that gave nothing: [{file, reason}]
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from torch import nn
from tqdm import tqdm

import handkp_plugins  # noqa: F401  (registers the modules that configs name)
from handkp_plugins.engine.checkpoint import CheckpointError
from handkp_plugins.engine.gestures import GestureReader
from handkp_plugins.engine.given_hands import Hand, HandFinder, make_hand_finder
from handkp_plugins.engine.inference import init_model, predict
from handkp_plugins.engine.rotation import with_rotations
from handkp_plugins.files import write_text
from handkp_plugins.images import read_image, write_image
from handkp_plugins.videos import VIDEO_SUFFIXES, read_frames
from handkp_plugins.visualization import draw_hand, draw_label, heatmap_overlay
from handkp_plugins.visualization.video import VideoFile
from handkp_plugins.weights import SCHEME, available, config_file, weights_file

IMAGE_SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.webp', '.tif', '.tiff')
DEFAULT_WEIGHTS = 'lite'
OUTPUT = 'work_dirs/demo_pictures'


@dataclass
class Job:
    """What every picture of a run needs."""

    model: nn.Module
    find_hands: HandFinder
    output: Path
    score_thr: float
    batch_size: int
    gestures: GestureReader | None = None

    def run(
        self, name: str, image: np.ndarray, hands: Sequence[Hand], in_video: bool = False
    ) -> tuple[dict[str, Any], np.ndarray, np.ndarray | None]:
        """Find the keypoints of an image's hands; returns its entry for the JSON, the picture and the heatmaps."""
        height, width = image.shape[:2]
        results = predict(self.model, image, np.array([hand.box for hand in hands]), self.batch_size)
        picture, instances = image, []
        for r in results:
            picture = draw_hand(picture, r['keypoints'], r['scores'], self.score_thr, r['bbox'])
            x1, y1, x2, y2 = r['bbox'].tolist()
            instances.append(
                dict(
                    bbox=[x1, y1, x2 - x1, y2 - y1],
                    keypoints=r['keypoints'].astype(float).round(2).tolist(),
                    scores=r['scores'].astype(float).round(4).tolist(),
                )
            )
        if self.gestures is not None:
            read = self.gestures.read_frame if in_video else self.gestures.read
            signs = read([r['keypoints'] for r in results])
            for r, instance, (sign, share) in zip(results, instances, signs, strict=True):
                instance.update(gesture=sign, gesture_score=round(share, 4))
                picture = draw_label(picture, f'{sign} {share:.0%}', r['bbox'])
        maps = [r['heatmap'] for r in results if 'heatmap' in r]
        heat = heatmap_overlay(image, np.max(maps, axis=0)) if maps else None
        return dict(file=name, width=width, height=height, instances=instances), picture, heat


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
) -> dict[str, Any]:
    """Run the demo; returns what ``keypoints.json`` holds.

    Args:
        source: an image, a folder of images (its subfolders are not entered) or a video.
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

    Raises:
        FileNotFoundError, OSError: a file is missing, or the output folder cannot be written.
        ValueError: no box or more than one way to find it is given, nothing could be read, or the model is unfit; the
            network is given in two ways or by half, or there are no such weights.
    """
    source, output = Path(source), Path(output)
    if batch_size < 1:
        raise ValueError(f'--batch-size: an integer from 1 on is allowed, received {batch_size}')
    find_hands = make_hand_finder(bbox, whole_image, ann)
    config, checkpoint = choose_network(config, checkpoint, weights)
    is_video, files = list_files(source)
    prepare_output(output, source)
    model = init_model(config, checkpoint, device, output_heatmaps=save_heatmaps)
    if tta:
        model = with_rotations(model)
    names = [model.dataset_meta['keypoint_id2name'][k] for k in range(model.dataset_meta['num_keypoints'])]
    if len(names) != 21:
        raise ValueError(f'{config}: a network of 21 keypoints is needed, received one of {len(names)}')
    gestures = None if gesture is None else GestureReader(*gesture, device=device, frames=gesture_frames)
    job = Job(model, find_hands, output, score_thr, batch_size, gestures)
    document = dict(
        version=1, source=str(source), config=str(config), checkpoint=str(checkpoint), keypoint_names=names,
        complete=False, items=[], skipped=[],
    )  # fmt: skip
    try:
        document['complete'] = run_video(job, source, document) if is_video else run_images(job, files, document)
    finally:
        write_text(output / 'keypoints.json', json.dumps(document, indent=1))
    report(document, output)
    return document


def choose_network(
    config: str | Path | None, checkpoint: str | Path | None, weights: str | None
) -> tuple[str | Path, str | Path]:
    """Config and checkpoint of the network that the arguments name; the checkpoint of shipped weights is an address.

    Raises:
        ValueError: both ways are mixed, or one is taken by half; or there are no such weights.
    """
    own = (config is not None) + (checkpoint is not None)
    if own == 2 and weights is None:
        return config, checkpoint
    if own:
        given = {'--config': config, '--checkpoint': checkpoint, '--weights': weights}
        raise ValueError(
            'the network: allowed --config with --checkpoint, or --weights, or neither for the weights lite; received '
            + ', '.join(f'{option} {value}' for option, value in given.items() if value is not None)
        )
    try:
        file = weights_file(weights or DEFAULT_WEIGHTS)
    except ValueError as e:
        raise ValueError(
            f'{e}; --config and --checkpoint name a network of your own, as `make demo` leaves one in work_dirs/demo'
        ) from None
    return config_file(file), f'{SCHEME}{file.stem}'


def list_files(source: Path) -> tuple[bool, list[Path]]:
    """Whether the source is a video, and the image files that it stands for."""
    if source.is_dir():
        present = sorted(p for p in source.iterdir() if p.is_file())
        files = [p for p in present if p.suffix.lower() in IMAGE_SUFFIXES]
        if not files:
            raise ValueError(f'{source}: no image in this folder (known: {" ".join(IMAGE_SUFFIXES)})')
        if len(files) < len(present):
            print(f'{source}: {len(present) - len(files)} files that are no images are left out', file=sys.stderr)
        return False, files
    if not source.is_file():
        raise FileNotFoundError(f'{source}: no such file or folder')
    if source.suffix.lower() not in IMAGE_SUFFIXES + VIDEO_SUFFIXES:
        raise ValueError(
            f'{source}: a folder, an image ({" ".join(IMAGE_SUFFIXES)}) or a video ({" ".join(VIDEO_SUFFIXES)}) '
            f'is allowed, received {source.suffix!r}'
        )
    return source.suffix.lower() in VIDEO_SUFFIXES, [source]


def prepare_output(output: Path, source: Path) -> None:
    """Make the output folder, and find out now rather than at the end whether it can be written."""
    if output.resolve() == (source if source.is_dir() else source.parent).resolve():
        raise ValueError(
            f'--output {output}: another folder than that of the source is needed, which it would overwrite'
        )
    try:
        output.mkdir(parents=True, exist_ok=True)
        probe = output / '.write_test'
        probe.write_bytes(b'')
        probe.unlink()
    except OSError as e:
        raise OSError(f'--output {output}: a folder that can be written is needed ({e.strerror})') from e


def run_images(job: Job, files: list[Path], document: dict[str, Any]) -> bool:
    """Run all images, collecting items and skipped files in the document; returns True when all were tried."""
    for path in tqdm(files, unit='image', disable=len(files) == 1):
        try:
            image = read_image(path)
            hands = job.find_hands(path, image.shape[1], image.shape[0])
        except (ValueError, OSError) as e:
            document['skipped'].append(dict(file=path.name, reason=str(e).removeprefix(f'{path}: ')))
            continue
        item, picture, heat = job.run(path.name, image, hands)
        write_image(job.output / path.name, picture)
        if heat is not None:
            write_image(job.output / 'heatmaps' / path.name, heat)
        document['items'].append(item)
    return True


def run_video(job: Job, path: Path, document: dict[str, Any]) -> bool:
    """Run all frames of a video; returns whether it was as long as it announced."""
    capture = cv2.VideoCapture(str(path))
    announced = max(0, int(capture.get(cv2.CAP_PROP_FRAME_COUNT)))
    frames = read_frames(capture)
    first = next(frames, None)
    if first is None:
        raise ValueError(f'{path}: not a video, or without any frame that can be read')
    hands = job.find_hands(path, first[1].shape[1], first[1].shape[0])
    fps = capture.get(cv2.CAP_PROP_FPS)
    if not 0 < fps < 1000:
        fps = 25.0
        print(f'{path}: no frame rate; the written video has {fps:g} frames/s', file=sys.stderr)
    name = f'{path.stem}.mp4'
    with (
        VideoFile(job.output / name, fps) as pictures,
        VideoFile(job.output / 'heatmaps' / name, fps) as heats,
        tqdm(total=announced or None, unit='frame') as bar,
    ):
        for seconds, frame in chain([first], frames):
            item, picture, heat = job.run(path.name, frame, hands, in_video=True)
            pictures.append(picture)
            if heat is not None:
                heats.append(heat)
            document['items'].append(dict(frame=bar.n, time=round(seconds, 4)) | item)
            bar.update()
    done = len(document['items'])
    if done < announced:
        print(f'{path}: frame {done} of {announced} cannot be read; the {done} before it are saved', file=sys.stderr)
    return done >= announced


def report(document: dict[str, Any], output: Path) -> None:
    """Say what was done and skipped; raise ValueError where nothing could be used."""
    skipped = document['skipped']
    if skipped:
        print(
            f'skipped {len(skipped)}:', *(f'  {s["file"]}: {s["reason"]}' for s in skipped), sep='\n', file=sys.stderr
        )
    if not document['items']:
        raise ValueError(f'{document["source"]}: no picture could be used')
    hands = sum(len(item['instances']) for item in document['items'])
    print(f'{len(document["items"])} pictures, {hands} boxes: {output}')


def parse_args(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line, or other arguments."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('source', metavar='IMAGE|FOLDER|VIDEO')
    names = ', '.join(available()) or 'none come with this version'
    parser.add_argument('--weights', metavar='NAME', help=f'shipped weights: {names} (default {DEFAULT_WEIGHTS})')
    parser.add_argument('--config', help='of a network of your own')
    parser.add_argument('--checkpoint', help='of a network of your own')
    parser.add_argument('--output', default=OUTPUT, metavar='DIR', help=f'default {OUTPUT}')
    parser.add_argument('--bbox', type=float, nargs=4, action='append', metavar=tuple('XYWH'), help='may be repeated')
    parser.add_argument('--ann', metavar='FILE', help='COCO JSON with the boxes')
    parser.add_argument('--whole-image', action='store_true', help='take the whole picture as the box')
    parser.add_argument('--device', default='auto', help='auto (default), cpu or cuda:N')
    parser.add_argument('--score-thr', type=float, default=0.3, help='keypoints below it are drawn faint (default 0.3)')
    parser.add_argument('--batch-size', type=int, default=32, help='boxes of a picture at once (default 32)')
    parser.add_argument('--save-heatmaps', action='store_true')
    parser.add_argument('--gesture', nargs=2, metavar=('CONFIG', 'CKPT'), help='a network that reads signs')
    parser.add_argument('--tta', action='store_true', help='average over the four rotations by 90° of each box')
    parser.add_argument('--gesture-frames', type=int, default=15, help='last frames of a video that vote (default 15)')
    return parser.parse_args(arguments)


if __name__ == '__main__':
    try:
        main(**vars(parse_args()))
    except KeyboardInterrupt:
        sys.exit('stopped; what was done is saved')
    except (ValueError, OSError, CheckpointError) as e:
        sys.exit(f'demo.py: {e}')
