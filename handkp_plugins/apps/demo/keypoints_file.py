"""What was found in pictures, as JSON: a line for each picture as soon as it is done, and all together at the end.

``keypoints.jsonl`` holds the items, one a line. ``keypoints.json``, there from the start and whole at the end:

    version          1
    source, config, checkpoint      as given; of shipped weights their config, and handkp://NAME
    detector         config and checkpoint of the detector; null where boxes were given
    keypoint_names   21 names, in the order of the keypoints
    complete         false where the run was stopped, or the video or camera ended early
    smoothing        null, or min_cutoff, beta, lag (seconds, or null where nothing moved) and delay (seconds)
    items            one per image or frame: file, frame and time (videos only; index from 0, seconds), width, height,
                     instances: [{bbox: [x, y, w, h], keypoints: [[x, y], ...], scores: [...]}]; all in pixels of the
                     image after the rotation that its EXIF data ask for. Where they are known, an instance also has
                     track (a number that the hand keeps over the frames), det_score, handedness (left or right),
                     gesture and gesture_score, the sign and its probability; where keypoints are smoothed, also
                     raw_keypoints
    skipped          images that gave nothing: [{file, reason}]
"""

import json
from pathlib import Path
from typing import Any

from torch import nn

from handkp_plugins.apis.networks import Network
from handkp_plugins.fileio.atomic import replaced_whole
from handkp_plugins.structures.skeleton import NUM_KEYPOINTS

NAME, LINES_NAME = 'keypoints.json', 'keypoints.jsonl'


def make_header(source: str | Path, network: Network, detector: Network | None, model: nn.Module) -> dict[str, Any]:
    """What stands before the items.

    Args:
        source: as the user names it.
        network: whose weights ``model`` has.
        detector: None where boxes are given.

    Raises:
        ValueError: the network is not one of 21 keypoints.
    """
    meta = model.dataset_meta
    names = [meta['keypoint_id2name'][k] for k in range(meta['num_keypoints'])]
    if len(names) != NUM_KEYPOINTS:
        wanted = f'a network of {NUM_KEYPOINTS} keypoints'
        raise ValueError(f'{network[0]}: expected {wanted}, got one of {len(names)}')
    return dict(
        version=1, source=str(source), config=str(network[0]), checkpoint=str(network[1]),
        detector=detector and dict(config=str(detector[0]), checkpoint=str(detector[1])), keypoint_names=names,
        smoothing=None,
    )  # fmt: skip


class KeypointsFile:
    """Both files in a folder. What a run that is killed leaves is every line up to then.

    Args:
        folder: must exist.
        header: of :func:`make_header`.

    Raises:
        OSError: a file cannot be written.
    """

    def __init__(self, folder: Path, header: dict[str, Any]) -> None:
        self.path, self.lines = folder / NAME, folder / LINES_NAME
        self.header = dict(header, complete=False)
        self.skipped: list[dict[str, str]] = []
        self.num_items = self.num_hands = self.num_empty = 0
        self._file = self.lines.open('w', buffering=1, encoding='utf-8')
        self._write()

    def add(self, item: dict[str, Any]) -> None:
        """Write a picture's item."""
        self._file.write(json.dumps(item) + '\n')
        self.num_items += 1
        self.num_hands += len(item['instances'])
        self.num_empty += not item['instances']

    def skip(self, file: str, reason: str) -> None:
        """Note a picture that gave nothing."""
        self.skipped.append(dict(file=file, reason=reason))

    def close(self, complete: bool, **header: Any) -> None:
        """Write ``keypoints.json``, with these values in its header."""
        self._file.close()
        self.header.update(header, complete=complete)
        self._write()

    def read(self) -> dict[str, Any]:
        """What ``keypoints.json`` holds."""
        return json.loads(self.path.read_text(encoding='utf-8'))

    def _write(self) -> None:
        with (
            replaced_whole(self.path) as temporary,
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
