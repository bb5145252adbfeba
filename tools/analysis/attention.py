"""Draw the attention of each stage beside the image, the prediction and the truth (the paper's figure 5).

One PNG per image, ``OUT/<name>.png``: what the network saw, the attention of each stage at the finest scale (or a row
per scale, ``--all-scales``), the predicted hand, and the true one where ``--ann`` knows it. Blue is 0, red is 1; the
attention of a stage at a scale that nothing uses does not exist and is left grey.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import handkp_plugins  # noqa: F401  registers what configs name
from handkp_plugins.datasets.annotation_check import check_annotation_file
from handkp_plugins.engine.attention import Attention, find_attention
from handkp_plugins.engine.inference import init_model
from handkp_plugins.visualization import draw_hand, heatmap_overlay, tile
from handkp_plugins.visualization.files import read_image, write_image

SIDE = 256  # of the larger side of each picture in a figure
Hand = tuple[np.ndarray, np.ndarray | None]
"""Box (x1, y1, x2, y2) and true keypoints (x, y, visibility), [21, 3]."""


def main(
    config: str,
    checkpoint: str,
    images: Sequence[str | Path],
    out: str | Path,
    bbox: Sequence[float] | None = None,
    ann: str | Path | None = None,
    whole_image: bool = False,
    all_scales: bool = False,
    device: str = 'auto',
) -> list[Path]:
    """Write the figures; returns their paths.

    Args:
        bbox: Box (x, y, w, h) in pixels, for every image.
        ann: COCO keypoint JSON with the box and the true keypoints of each image.
        whole_image: Take the whole image as the box.

    Raises:
        FileNotFoundError: A file is missing.
        ValueError: The box is not given in exactly one way, an image is not in ``ann``, two images have one name, or
            the network has no attention.
    """
    if (bbox is not None) + (ann is not None) + whole_image != 1:
        raise ValueError('the box of the hand is needed, in one way: --bbox X,Y,W,H, --ann FILE or --whole-image')
    names = [Path(i).stem for i in images]
    if len(set(names)) < len(names):
        raise ValueError(f'images: different file names are needed, received {names}')
    hands = read_hands(Path(ann)) if ann else {}
    model = init_model(config, checkpoint, device)
    paths = []
    for path in map(Path, images):
        image = read_image(path)
        if ann:
            box, truth = find_hand(hands, path, ann)
        else:
            x, y, w, h = (0, 0, image.shape[1], image.shape[0]) if whole_image else bbox
            box, truth = np.array([x, y, x + w, y + h]), None
        paths.append(Path(out) / f'{path.stem}.png')
        write_image(paths[-1], figure(find_attention(model, image, box), truth, all_scales))
        print(paths[-1])
    return paths


def read_hands(ann: Path) -> dict[str, Hand]:
    """The first hand of each image of a COCO keypoint file, by the image's ``file_name``."""
    check_annotation_file(ann)
    document = json.loads(ann.read_text())
    names = {image['id']: image['file_name'] for image in document['images']}
    hands: dict[str, Hand] = {}
    for annotation in document['annotations']:
        x, y, w, h = annotation['bbox']
        keypoints = np.array(annotation['keypoints'], float).reshape(-1, 3)
        hands.setdefault(names[annotation['image_id']], (np.array([x, y, x + w, y + h]), keypoints))
    return hands


def find_hand(hands: dict[str, Hand], path: Path, ann: str | Path) -> Hand:
    """The hand of the image whose ``file_name`` in the annotations ends the path."""
    for parts in range(len(path.parts), 0, -1):
        name = Path(*path.parts[-parts:]).as_posix()
        if name in hands:
            return hands[name]
    raise ValueError(f'{path}: {ann} has no image of this name; it has, for instance, {list(hands)[:3]}')


def figure(found: Attention, truth: np.ndarray | None, all_scales: bool = False) -> np.ndarray:
    """Columns image, stages, prediction, truth; a row for each scale, the pictures beside the maps in the first."""
    num_stages, num_scales = len(found.maps), len(found.maps[0]) if all_scales else 1
    blank = np.full_like(found.crop, 255)
    missing = np.full_like(found.crop, 190)
    pictures, captions = [], []
    for s in range(num_scales):
        first = s == 0
        scale = f', scale {s + 1}' if all_scales else ''
        pictures.append(found.crop if first else blank)
        captions.append('image' if first else '')
        for m in range(num_stages):
            attention = found.maps[m][s]
            shown = missing if attention is None else heatmap_overlay(found.crop, attention, 0.6, (0, 1))
            pictures.append(shown)
            captions.append(f'stage {m + 1}{scale}')
        pictures.append(draw_hand(found.crop, found.keypoints, found.scores) if first else blank)
        captions.append('prediction' if first else '')
        if truth is not None:
            pictures.append(draw_hand(found.crop, found.to_crop(truth[:, :2]), truth[:, 2]) if first else blank)
            captions.append('truth' if first else '')
    h, w = found.crop.shape[:2]
    cell = (round(SIDE * w / max(h, w)), round(SIDE * h / max(h, w)))
    return tile(pictures, len(pictures) // num_scales, captions, cell)


if __name__ == '__main__':
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog='example: python tools/analysis/attention.py configs/pmsdsnet/pmsdsnet_3stage_onehand10k.py '
        'work_dirs/pmsdsnet_3stage_onehand10k/epoch_100.pth photo.jpg --bbox 63,92,99,194 --out figures',
    )
    parser.add_argument('config')
    parser.add_argument('checkpoint')
    parser.add_argument('images', nargs='+', metavar='IMAGE')
    parser.add_argument('--out', required=True, help='folder of the figures')
    parser.add_argument(
        '--bbox', type=lambda text: [float(v) for v in text.split(',')], metavar='X,Y,W,H', help='box, in pixels'
    )
    parser.add_argument('--ann', help='COCO keypoint JSON with boxes and true keypoints')
    parser.add_argument('--whole-image', action='store_true', help='take the whole image as the box')
    parser.add_argument('--all-scales', action='store_true', help='a row for each scale')
    parser.add_argument('--device', default='auto')
    arguments = vars(parser.parse_args())
    if arguments['bbox'] is not None and len(arguments['bbox']) != 4:
        parser.error(f'--bbox: allowed X,Y,W,H, received {arguments["bbox"]}')
    main(**arguments)
