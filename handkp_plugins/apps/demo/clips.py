"""The demo with a network of clips (HTT): a video or camera frame by frame, with hands in space, object and action."""

from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from handkp_plugins.apis.clip_stream import ClipStream, StreamedFrame
from handkp_plugins.apis.inference import init_model
from handkp_plugins.apis.networks import Network
from handkp_plugins.engine.checkpoint.reading import read_checkpoint
from handkp_plugins.engine.stopping import deferred_interrupt
from handkp_plugins.structures.skeleton import NUM_KEYPOINTS
from handkp_plugins.visualization import VideoFile, Window, draw_hand, draw_hands_3d, draw_label

from .keypoints_file import KeypointsFile, make_header
from .sources import Stream

_VIEW = 0.34  # side of the view in space, as a share of the image's shorter side


def run_clips(
    source: str | Path,
    output: Path,
    network: Network,
    camera: Sequence[float],
    device: str = 'auto',
    max_frames: int | None = None,
    show: bool = False,
) -> dict[str, Any]:
    """Run a network of clips on a video or camera; returns what ``keypoints.json`` holds, of a camera without items.

    A frame is drawn and written when its window of frames is whole, because no later frame changes it then; the last
    ones, whose window stays incomplete, at the end, with ``final`` false. The window on the screen shows each frame at
    once, so provisional results.

    Args:
        camera: fx, fy, cx, cy in pixels of the source.
        show: Show a window.
    """
    model = init_model(*network, device)
    names = _names(str(network.checkpoint), model.head.num_actions, model.head.num_objects)
    clips = model.cfg.test_dataloader.dataset
    fx, fy, cx, cy = camera
    matrix = np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]])
    stream = ClipStream(model, matrix, clips.clip_length, clips.spacing)
    header = make_header(source, network, None, model) | dict(camera=matrix.tolist(), **names)
    complete = False
    with closing(Stream(source)) as video:
        file = KeypointsFile(output, header, keep_items=not video.is_camera)
        try:
            complete = _frames(video, stream, file, output, tuple(clips.hands), names, max_frames, show)
        finally:
            best = int(np.nan_to_num(stream.action_scores).argmax())
            action = dict(action=names['actions'][best], action_score=_score(stream.action_scores[best]))
            document = file.close(complete, **action)
    print(f'{file.num_items} frames, {action["action"]} ({action["action_score"]:.2f}): {output}')
    return document


def _frames(
    video: Stream,
    stream: ClipStream,
    file: KeypointsFile,
    output: Path,
    hands: tuple[str, ...],
    names: dict[str, list[str]],
    max_frames: int | None,
    show: bool,
) -> bool:
    """Process the frames; returns whether these were all that were wanted."""
    waiting: dict[int, tuple[float, np.ndarray]] = {}
    found: dict[int, StreamedFrame] = {}
    stem = video.name.replace(':', '_') if video.is_camera else Path(video.name).stem
    with ExitStack() as stack:
        drawings = stack.enter_context(VideoFile(output / f'{stem}.mp4', video.fps))
        window = Window(video.name) if show else None
        if window:
            stack.callback(window.close)
        stopped = stack.enter_context(deferred_interrupt())
        bar = stack.enter_context(tqdm(total=max_frames or video.announced or None, unit='frame'))

        def write(index: int) -> None:
            seconds, image = waiting.pop(index)
            item = _item(
                Path(video.name).name, index, seconds, image, found.pop(index), stream.action_scores, hands, names
            )
            file.add(item)
            drawings.append_until(_draw(image, item), seconds if video.is_camera else 0.0)

        try:
            for seconds, image in video:
                index = stream.count
                waiting[index] = seconds, image
                found |= {result.frame: result for result in stream.push(image)}
                bar.update()
                quits = False
                if window:
                    name = Path(video.name).name
                    item = _item(name, index, seconds, image, found[index], stream.action_scores, hands, names)
                    quits = not window.show(_draw(image, item))
                while file.num_items in found and found[file.num_items].final:
                    write(file.num_items)
                if stopped() and not video.is_camera:
                    raise KeyboardInterrupt
                if stream.count == max_frames or quits or stopped():
                    return video.is_camera or stream.count == video.announced
        finally:
            for index in sorted(waiting):
                write(index)
    return video.is_camera or stream.count >= video.announced


def _names(checkpoint: str, num_actions: int, num_objects: int) -> dict[str, list[str]]:
    """Names of actions and objects, as the checkpoint's training set had them; numbers where it does not tell."""
    known = (read_checkpoint(checkpoint).get('meta') or {}).get('dataset_meta') or {}
    return dict(
        actions=list(known.get('classes') or map(str, range(num_actions))),
        objects=list(known.get('objects') or map(str, range(num_objects))),
    )


def _item(
    file: str,
    index: int,
    seconds: float,
    image: np.ndarray,
    result: StreamedFrame,
    actions: np.ndarray,
    hands: tuple[str, ...],
    names: dict[str, list[str]],
) -> dict[str, Any]:
    height, width = image.shape[:2]
    pixels = result.keypoints.reshape(-1, NUM_KEYPOINTS, 2).astype(float)
    points = result.keypoints_3d.reshape(-1, NUM_KEYPOINTS, 3).astype(float)
    instances = [
        dict(
            bbox=np.concatenate([p.min(0), np.ptp(p, axis=0)]).round(2).tolist(),
            keypoints=p.round(2).tolist(),
            scores=[1.0] * NUM_KEYPOINTS,
            keypoints_3d=x.round(5).tolist(),
            handedness=hand,
        )
        for hand, p, x in zip(hands, pixels, points, strict=True)
    ]
    thing, action = int(result.object_scores.argmax()), int(actions.argmax())
    return dict(
        frame=index, time=round(seconds, 4), file=file, width=width, height=height, instances=instances,
        object=names['objects'][thing], object_score=_score(result.object_scores[thing]),
        action=names['actions'][action], action_score=_score(actions[action]), final=result.final,
    )  # fmt: skip


def _score(value: float) -> float:
    return round(float(value), 4)


def _draw(image: np.ndarray, item: dict[str, Any]) -> np.ndarray:
    """Draw hands, a view of them in space in the upper right corner, object and action."""
    canvas = image.copy()
    for hand in item['instances']:
        canvas = draw_hand(canvas, np.array(hand['keypoints']))
    height, width = image.shape[:2]
    side = max(32, int(_VIEW * min(height, width)))
    canvas[:side, -side:] = draw_hands_3d(np.array([hand['keypoints_3d'] for hand in item['instances']]), side)[
        :, -width:
    ]
    text = f'{item["action"]} {item["action_score"]:.2f}, {item["object"]} {item["object_score"]:.2f}'
    if not item['final']:
        text += ' (provisional)'
    return draw_label(canvas, text, np.array([4, height - 4, width / 2, height - 2]))
