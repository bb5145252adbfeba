"""The hands found in images, as JSON: a line for each image at once, and all together at the end.

``keypoints.jsonl`` holds the items, one a line. ``keypoints.json`` is there from the start and complete at the end:

    version          1
    source, config, checkpoint      as given; of shipped weights their config, and handkp://NAME
    detector         config and checkpoint of the detector; null if boxes were given
    keypoint_names   21 names, in the order of the keypoints
    complete         false if the run was stopped, or the video or camera ended early
    smoothing        null, or min_cutoff, beta, lag (seconds, or null if nothing moved) and delay (seconds)
    items            one per image or frame: file, frame and time (videos only; index from 0, seconds), width, height,
                     instances: [{bbox: [x, y, w, h], keypoints: [[x, y], ...], scores: [...]}]; all in pixels of the
                     image after the rotation in its EXIF data. If they are known, an instance also has track (a number
                     that the hand keeps over the frames), det_score, handedness (left or right), gesture and
                     gesture_score (the sign and its probability), and raw_keypoints (before smoothing)
                     With a network of meshes (HaMuCo) instances have, in metres in camera axes relative to keypoint 9,
                     keypoints_3d, and rotations (16×3×3), shape (10) and weak_camera (a point projects to center +
                     scale · (x, y)); meshes are in meshes/FILE_N.obj
                     With a network of clips (HTT) instances have keypoints_3d ([x, y, z] in metres, camera's frame) and
                     handedness; items have object, object_score, action, action_score (so far) and final (false where
                     the video ended before the frame's window was whole); the header has camera, the intrinsics, names
                     of actions and objects, and action and action_score of the whole
    skipped          images that could not be used: [{file, reason}]
"""

import json
from pathlib import Path
from typing import Any

from torch import nn

from handkp_plugins.apis.networks import Network
from handkp_plugins.fileio.atomic import atomic_write
from handkp_plugins.structures.skeleton import NUM_KEYPOINTS

NAME, LINES_NAME = 'keypoints.json', 'keypoints.jsonl'


def make_header(source: str | Path, network: Network, detector: Network | None, model: nn.Module) -> dict[str, Any]:
    """Return the keys before the items; ``source`` is as the user names it, ``model`` has the weights of ``network``.

    Raises ValueError if it does not have 21 keypoints.
    """
    meta = model.dataset_meta
    names = [meta['keypoint_id2name'][k] for k in range(meta['num_keypoints'])]
    if len(names) != NUM_KEYPOINTS:
        raise ValueError(f'{network.config}: expected a network of {NUM_KEYPOINTS} keypoints, got one of {len(names)}')
    return dict(
        version=1, source=str(source), config=str(network.config), checkpoint=str(network.checkpoint),
        detector=detector and dict(config=str(detector.config), checkpoint=str(detector.checkpoint)),
        keypoint_names=names, smoothing=None,
    )  # fmt: skip


class KeypointsFile:
    """Both files in a folder. A run that is killed leaves the lines of all images before.

    Args:
        folder: An existing folder.
        header: From :func:`make_header`.
        keep_items: Keep the items for :meth:`close`; without, a camera may run for days in little memory.
    """

    def __init__(self, folder: Path, header: dict[str, Any], keep_items: bool = True) -> None:
        self.path, self.lines = folder / NAME, folder / LINES_NAME
        self.header = dict(header, complete=False)
        self.items: list[dict[str, Any]] | None = [] if keep_items else None
        self.skipped: list[dict[str, str]] = []
        self.num_items = self.num_hands = self.num_empty = 0
        self._file = self.lines.open('w', buffering=1, encoding='utf-8')
        self._write()

    def add(self, item: dict[str, Any]) -> None:
        """Write an image's item."""
        self._file.write(json.dumps(item) + '\n')
        if self.items is not None:
            self.items.append(item)
        self.num_items += 1
        self.num_hands += len(item['instances'])
        self.num_empty += not item['instances']

    def skip(self, file: str, reason: str) -> None:
        """Note an image that cannot be used."""
        self.skipped.append(dict(file=file, reason=reason))

    def close(self, complete: bool, **header: Any) -> dict[str, Any]:
        """Write ``keypoints.json`` with these values in its header; returns what it holds (the items if kept)."""
        self._file.close()
        self.header.update(header, complete=complete)
        self._write()
        items = {} if self.items is None else dict(items=self.items)
        return dict(self.header, **items, skipped=self.skipped)

    def _write(self) -> None:
        with (
            atomic_write(self.path) as temporary,
            open(temporary, 'w', encoding='utf-8') as whole,
            self.lines.open(encoding='utf-8') as lines,
        ):
            whole.write('{\n')
            for key, value in self.header.items():
                whole.write(f' {json.dumps(key)}: {json.dumps(value)},\n')
            whole.write(' "items": [')
            for i, line in enumerate(lines):
                whole.write((',' if i else '') + '\n  ' + line.rstrip('\n'))
            whole.write('\n ],\n "skipped": ' + json.dumps(self.skipped, indent=1) + '\n}\n')
