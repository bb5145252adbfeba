"""Poses, objects and the action of a first-person video by HTT, frame by frame; writes a video and JSON.

Examples:
    python tools/clip_demo.py kitchen.mp4 configs/htt/htt_h2o.py work_dirs/htt_h2o/epoch_45.pth \
        --camera 636.7 636.3 635.3 366.9 --output out

``--camera`` is the focal lengths and the principal point of the video's camera, in pixels of its images. The video
should have the frame rate that the network was trained with: 30 frames a second for FPHA and H2O.

The output folder holds the video with the joints drawn, the object of each frame and the action so far (``NAME.mp4``)
and ``clip.json``: for each frame its ``time``, ``keypoints`` in pixels and ``keypoints_3d`` in metres, a list a hand,
``object`` and ``object_score``, and ``action`` with ``action_score`` so far; and the action of the whole video. A frame
is written when its window is full, and no later one changes it.
"""

import argparse
import json
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

import handkp_plugins  # noqa: F401  (registers the modules that configs name)
from handkp_plugins.apis.clip_stream import ClipStream, StreamedFrame
from handkp_plugins.apis.inference import init_model
from handkp_plugins.apps.demo.sources import Stream
from handkp_plugins.cli.tool import run_tool
from handkp_plugins.engine.checkpoint.reading import read_checkpoint
from handkp_plugins.fileio.atomic import write_text
from handkp_plugins.structures.skeleton import NUM_KEYPOINTS
from handkp_plugins.visualization import VideoFile, draw_hand, draw_label

OUTPUT = 'work_dirs/clip_demo'


def main(
    source: str | Path,
    config: str | Path,
    checkpoint: str | Path,
    camera: Sequence[float],
    output: str | Path = OUTPUT,
    device: str = 'auto',
    max_frames: int | None = None,
) -> dict[str, Any]:
    """Run the demo; returns what ``clip.json`` holds.

    Args:
        source: A video, or ``webcam:N``.
        config, checkpoint: The network.
        camera: fx, fy, cx, cy in pixels of the video.
        output: Folder to write to.
        device: ``auto``, ``cpu`` or ``cuda:N``.
        max_frames: Stop after this number of frames.

    Raises:
        FileNotFoundError, OSError: A file or camera is missing, or the output cannot be written.
        ValueError: The network is not an HTT, or an argument is out of range.
    """
    if len(camera) != 4 or min(camera) <= 0:
        raise ValueError(f'camera: expected fx fy cx cy above 0, got {tuple(camera)}')
    if max_frames is not None and max_frames < 1:
        raise ValueError(f'max_frames: expected an integer from 1, got {max_frames}')
    model = init_model(config, checkpoint, device)
    if type(model).__name__ != 'HTT':
        raise ValueError(f'{config}: model: expected HTT, got {type(model).__name__}')
    names = _names(str(checkpoint), model.head.num_actions, model.head.num_objects)
    fx, fy, cx, cy = camera
    matrix = np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]])
    clips = model.cfg.test_dataloader.dataset
    stream = ClipStream(model, matrix, clips.clip_length, clips.spacing)
    waiting: dict[int, tuple[float, np.ndarray]] = {}
    found: dict[int, StreamedFrame] = {}
    frames: list[dict] = []
    folder = Path(output)
    folder.mkdir(parents=True, exist_ok=True)
    with closing(Stream(source)) as video, VideoFile(folder / f'{Path(video.name).stem}.mp4', video.fps) as file:

        def write(index: int) -> None:
            seconds, image = waiting.pop(index)
            entry = dict(frame=index, time=round(seconds, 4)) | _entry(found.pop(index), stream.action_scores, names)
            frames.append(entry)
            file.append(_draw(image, entry))

        for seconds, image in video:
            waiting[stream.count] = seconds, image
            found |= {result.frame: result for result in stream.push(image)}
            while len(frames) in found and found[len(frames)].final:
                write(len(frames))
            if stream.count == max_frames:
                break
        for index in sorted(waiting):
            write(index)
    best = int(stream.action_scores.argmax())
    content = dict(
        source=str(source),
        config=str(config),
        checkpoint=str(checkpoint),
        action=names['actions'][best],
        action_score=round(float(stream.action_scores[best]), 4),
        frames=frames,
    )
    write_text(folder / 'clip.json', json.dumps(content))
    print(f'{len(frames)} frames, {content["action"]} ({content["action_score"]:.2f}): {folder}')
    return content


def _names(checkpoint: str, num_actions: int, num_objects: int) -> dict[str, list[str]]:
    """Names of actions and objects, as the checkpoint's training set had them; numbers where it does not tell."""
    known = (read_checkpoint(checkpoint).get('meta') or {}).get('dataset_meta') or {}
    return dict(
        actions=list(known.get('classes') or map(str, range(num_actions))),
        objects=list(known.get('objects') or map(str, range(num_objects))),
    )


def _entry(result: StreamedFrame, actions: np.ndarray, names: dict[str, list[str]]) -> dict[str, Any]:
    best, action = int(result.object_scores.argmax()), int(actions.argmax())
    return dict(
        keypoints=result.keypoints.reshape(-1, NUM_KEYPOINTS, 2).round(2).tolist(),
        keypoints_3d=result.keypoints_3d.reshape(-1, NUM_KEYPOINTS, 3).round(5).tolist(),
        object=names['objects'][best],
        object_score=round(float(result.object_scores[best]), 4),
        action=names['actions'][action],
        action_score=round(float(actions[action]), 4),
    )


def _draw(image: np.ndarray, entry: dict[str, Any]) -> np.ndarray:
    for keypoints in entry['keypoints']:
        image = draw_hand(image, np.array(keypoints))
    text = f'{entry["action"]} {entry["action_score"]:.2f}, {entry["object"]} {entry["object_score"]:.2f}'
    height, width = image.shape[:2]
    return draw_label(image, text, np.array([4, height - 4, width / 2, height - 2]))


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('source', help='a video, or webcam:N')
    parser.add_argument('config', help="the network's config")
    parser.add_argument('checkpoint', help='its weights')
    parser.add_argument('--camera', nargs=4, type=float, required=True, metavar=('FX', 'FY', 'CX', 'CY'),
                        help="focal lengths and principal point, in the video's pixels")  # fmt: skip
    parser.add_argument('--output', default=OUTPUT, help='folder to write to (default %(default)s)')
    parser.add_argument('--device', default='auto', help='auto, cpu or cuda:N (default %(default)s)')
    parser.add_argument('--max-frames', type=int, help='stop after this number of frames')
    arguments = vars(parser.parse_args())
    run_tool(lambda: main(**arguments))
