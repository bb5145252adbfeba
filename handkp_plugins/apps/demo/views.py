"""The demo with several synchronised videos of one hand: its mesh in each view, and its keypoints in the world."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from torch import nn
from tqdm import tqdm

from handkp_plugins.apis.inference import init_model
from handkp_plugins.apis.networks import Network
from handkp_plugins.apis.view_group import ViewGroup, predict_views
from handkp_plugins.engine.stopping import deferred_interrupt
from handkp_plugins.evaluation.triangulation import projection_matrices
from handkp_plugins.fileio.calibration import CalibratedCamera, read_calibration
from handkp_plugins.structures.boxes import keypoint_box
from handkp_plugins.visualization import VideoFile, draw_hand

from .hand_pipeline import HandPipeline, HandResult
from .keypoints_file import KeypointsFile, make_header
from .mesh_drawing import MeshDrawer
from .sources import Stream

_BOX_FACTOR = 1.5  # of the keypoints' box; crops in training are about as wide


def run_views(
    sources: Sequence[str | Path],
    calibration: str | Path,
    output: Path,
    network: Network,
    make_pipelines: Callable[[nn.Module, int], list[HandPipeline]],
    device: str = 'auto',
    max_frames: int | None = None,
) -> dict[str, Any]:
    """Run a network of several views on videos that begin at the same moment; returns what ``keypoints.json`` holds.

    A frame uses the views in which a hand is found, the surest one of each. It stops with the shortest video.

    Args:
        calibration: File or folder for :func:`~handkp_plugins.fileio.calibration.read_calibration`, a camera for each
            video, in their order.
        make_pipelines: Takes the model and a number, and returns as many pipelines, which find the hand of a view each.
    """
    known = read_calibration(calibration)
    if len(known.cameras) != len(sources):
        raise ValueError(
            f'{calibration}: expected a camera for each of {len(sources)} videos, got {len(known.cameras)}'
        )
    model = init_model(*network, device)
    header = make_header(' '.join(map(str, sources)), network, None, model)
    header |= dict(views=[str(s) for s in sources], cameras=str(calibration), unit=known.unit)
    drawer, complete = MeshDrawer(), False
    with ExitStack() as stack:
        streams = [stack.enter_context(closing(Stream(source))) for source in sources]
        for stream, camera in zip(streams, known.cameras, strict=True):
            if camera.size is not None and tuple(camera.size) != stream.size:
                size = '×'.join(map(str, stream.size))
                expected = '×'.join(map(str, camera.size))
                raise ValueError(f'{stream.name}: expected frames of {expected}, as {calibration} says, got {size}')
        file = KeypointsFile(output, header)
        try:
            video = stack.enter_context(VideoFile(output / 'views.mp4', streams[0].fps))
            total = min([s.announced for s in streams if s.announced] + [max_frames or 10**9])
            bar = stack.enter_context(tqdm(total=None if total == 10**9 else total, unit='frame'))
            stopped = stack.enter_context(deferred_interrupt())
            pipelines = make_pipelines(model, len(sources))
            for moments in zip(*streams, strict=False):
                seconds = moments[0][0]
                images = [_straighten(frame, camera) for (_, frame), camera in zip(moments, known.cameras, strict=True)]
                item, drawn = _frame(model, pipelines, images, seconds, known.cameras, drawer)
                file.add(dict(frame=file.num_items, time=round(seconds, 4), **item))
                video.append(_side_by_side(drawn))
                bar.update()
                if stopped():
                    raise KeyboardInterrupt
                if file.num_items == max_frames:
                    break
            complete = file.num_items == total
        finally:
            document = file.close(complete)
    found = sum(item['keypoints_3d'] is not None for item in document['items'])
    print(f'{file.num_items} frames, in {found} of them a hand in two views or more: {output}')
    return document


def _frame(
    model: nn.Module,
    pipelines: Sequence[HandPipeline],
    images: Sequence[np.ndarray],
    seconds: float,
    cameras: Sequence[CalibratedCamera],
    drawer: MeshDrawer,
) -> tuple[dict[str, Any], list[np.ndarray]]:
    hands: list[HandResult | None] = []
    for pipeline, image in zip(pipelines, images, strict=True):
        boxes = pipeline.boxes_for(Path(), image.shape[1::-1])
        found = pipeline.process_frame(image, seconds, boxes)
        hands.append(max(found, key=lambda hand: hand.det_score or 0, default=None))
    seen = [v for v, hand in enumerate(hands) if hand is not None]
    drawn, item = [image.copy() for image in images], dict(instances=[], keypoints_3d=None, reprojection_error=None)
    if seen:
        group = _group(model, images, hands, seen, cameras)
        for v, points, mesh in zip(seen, group.keypoints, group.meshes, strict=True):
            drawn[v] = draw_hand(drawer.draw(images[v], [mesh]), points)
            x1, y1, x2, y2 = hands[v].box.tolist()
            item['instances'].append(
                dict(view=v, bbox=[x1, y1, x2 - x1, y2 - y1], keypoints=points.astype(float).round(2).tolist(),
                     scores=[1.0] * len(points)) | {k: x for k, x in mesh.as_instance().items() if k != 'keypoints_3d'}
            )  # fmt: skip
        if len(seen) > 1:
            item['keypoints_3d'] = group.keypoints_3d.round(6).tolist()
            item['reprojection_error'] = round(float(np.mean(group.errors)), 3)
    return item, drawn


def _group(
    model: nn.Module,
    images: Sequence[np.ndarray],
    hands: Sequence[HandResult | None],
    seen: Sequence[int],
    cameras: Sequence[CalibratedCamera],
) -> ViewGroup:
    used = [cameras[v] for v in seen]
    rotations = np.stack([camera.rotation for camera in used])
    matrices = (np.stack([getattr(camera, name) for camera in used]) for name in ('intrinsics', 'translation'))
    intrinsics, translations = matrices
    boxes = np.stack([keypoint_box(hands[v].keypoints, _BOX_FACTOR) for v in seen])
    projections = projection_matrices(intrinsics, rotations, translations)
    return predict_views(model, [images[v] for v in seen], boxes, rotations, projections)


def _straighten(image: np.ndarray, camera: CalibratedCamera) -> np.ndarray:
    """Remove the lens distortion."""
    return cv2.undistort(image, camera.intrinsics, camera.distortion) if len(camera.distortion) else image


def _side_by_side(images: Sequence[np.ndarray]) -> np.ndarray:
    height = min(image.shape[0] for image in images)
    fitting = [cv2.resize(i, (round(i.shape[1] * height / i.shape[0]), height)) for i in images]
    return np.hstack(fitting)
