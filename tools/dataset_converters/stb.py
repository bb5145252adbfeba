"""Convert the Stereo Hand Pose Tracking Benchmark (STB), Bumblebee camera, to COCO keypoint JSON for ``STBDataset``.

**Untested on the originals**, which could not be had: folders, labels and calibration are those that public programs
agree on.

Usage:
    python tools/dataset_converters/stb.py data/stb
    python tools/dataset_converters/stb.py data/stb --cameras left right --test B1Counting B1Random

Input:
    data/stb/
        labels/B1Counting_BB.mat …           ``handPara`` (3, 21, 1500): x, y, z in mm before the left camera
        images/B1Counting/BB_left_0.png …    and BB_right_0.png, 640×480, for B1 to B6, Counting and Random

Output:
    data/stb/annotations/{train,test}.json

Labels are projected by the published calibration: focal length 822.79041, centre (318.47345, 250.31296), the right
camera 120.054 mm beside the left one. They mark the centre of the palm and no wrist: keypoint 0 is put on the line from
the middle finger's knuckle through the palm's centre, at twice the distance, as others do (--keep-palm keeps the
centre). Ends with the number of images found, converted and skipped. To look at the result: MMPose's
``tools/misc/browse_dataset.py CONFIG``.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import scipy.io
from conversion import Conversion, make_parser, run
from scipy.io.matlab import MatReadError
from tqdm import tqdm

from handkp_plugins.fileio.coco import Record
from handkp_plugins.structures.skeleton import to_our_order

SEQUENCES = tuple(f'B{i}{kind}' for i in range(1, 7) for kind in ('Counting', 'Random'))
CAMERAS = ('left', 'right')
FOCAL, CENTER, BASELINE = 822.79041, np.array([318.47345, 250.31296]), 120.054
_MIDDLE_KNUCKLE = 9


def main(
    root: str | Path,
    cameras: Sequence[str] = ('left',),
    test: Sequence[str] = ('B1Counting',),
    keep_palm: bool = False,
) -> str:
    """Convert the images, and return the printed account.

    Args:
        root: The dataset's folder.
        cameras: Some of :data:`CAMERAS`.
        test: The test sequences, of :data:`SEQUENCES`; one has 1,500 pairs, as the paper's test set.
        keep_palm: Keep the palm's centre as keypoint 0.

    Raises:
        FileNotFoundError: The labels of a sequence are missing.
        ValueError: Labels are malformed, or a sequence or camera is unknown.
    """
    for name, chosen, allowed in (('cameras', cameras, CAMERAS), ('test', test, SEQUENCES)):
        if not chosen or not set(chosen) <= set(allowed):
            raise ValueError(f'{name}: expected one or more of {allowed}, got {tuple(chosen)}')
    if set(test) == set(SEQUENCES):
        raise ValueError('test: expected some of the sequences, got all: none is left to train on')
    base = Path(root)
    labels = {sequence: read_labels(base / 'labels' / f'{sequence}_BB.mat', keep_palm) for sequence in SEQUENCES}
    conversion = Conversion(base)
    records: dict[str, list[Record]] = dict(train=[], test=[])
    for sequence, hands in tqdm(labels.items(), unit='sequence'):
        for i, keypoints in enumerate(hands):
            for camera in cameras:
                points = np.concatenate([project(keypoints, camera), np.ones((21, 1))], axis=1)
                record = conversion.record(f'images/{sequence}/BB_{camera}_{i}.png', points)
                if record is not None:
                    records['test' if sequence in test else 'train'].append(record)
        for camera in cameras:
            labelled = {f'BB_{camera}_{i}.png' for i in range(len(hands))}
            for path in sorted((base / 'images' / sequence).glob(f'BB_{camera}_*.png')):
                if path.name not in labelled:
                    conversion.skip(f'images/{sequence}/{path.name}', 'no label')
    conversion.report()
    return conversion.write(records, f'STB, cameras {", ".join(cameras)}')


def read_labels(path: Path, keep_palm: bool = False) -> np.ndarray:
    """Read keypoints (N, 21, 3) in mm before the left camera, in our order."""
    if not path.is_file():
        raise FileNotFoundError(
            f'{path}: no such file; labels/ is a folder of the set, with a .mat file for a sequence'
        )
    try:
        content = scipy.io.loadmat(path, variable_names=['handPara'])
    except (ValueError, TypeError, OSError, NotImplementedError, MatReadError) as e:
        raise ValueError(f'{path}: expected a MATLAB file, got one that cannot be read ({e})') from None
    array = np.asarray(content.get('handPara', np.zeros(0)))
    if array.ndim != 3 or array.shape[:2] != (3, 21) or array.dtype.kind != 'f':
        raise ValueError(f'{path}: handPara: expected numbers (3, 21, N), got {array.dtype} {array.shape}')
    wrong = np.flatnonzero(~np.isfinite(array).all((0, 1)) | ~(array[2] > 0).all(0))
    if len(wrong):
        raise ValueError(f'{path}: frame {wrong[0]}: expected finite points before the camera (z > 0), got others')
    hands = to_our_order(array.transpose(2, 1, 0), 'stb')
    if not keep_palm:
        hands[:, 0] += hands[:, 0] - hands[:, _MIDDLE_KNUCKLE]
    return hands


def project(points: np.ndarray, camera: str) -> np.ndarray:
    """Project points (..., 3) in mm before the left camera to pixels (..., 2) of a camera's image."""
    points = points - [BASELINE if camera == 'right' else 0, 0, 0]
    return FOCAL * points[..., :2] / points[..., 2:] + CENTER


if __name__ == '__main__':
    parser = make_parser(__doc__)
    parser.add_argument('--cameras', nargs='+', choices=CAMERAS, default=('left',))
    parser.add_argument('--test', nargs='+', choices=SEQUENCES, default=('B1Counting',), metavar='SEQUENCE')
    parser.add_argument('--keep-palm', action='store_true', help="keypoint 0 stays the palm's centre")
    run(main, parser)
