"""Draw the attention of each stage beside the image, the prediction and the truth (the paper's figure 5).

One PNG per image, ``OUTPUT/<name>.png``: what the network saw, the attention of each stage at the finest scale (or a
row per scale, ``--all-scales``), the predicted hand, and the true one where ``--ann`` knows it. Blue is 0, red is 1;
the attention of a stage at a scale that nothing uses does not exist and is left grey.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import handkp_plugins  # noqa: F401  registers what configs name
from handkp_plugins.engine.attention import Attention, find_attention
from handkp_plugins.engine.given_hands import make_hand_finder
from handkp_plugins.engine.inference import init_model
from handkp_plugins.engine.tool import run_tool
from handkp_plugins.images import read_image, write_image
from handkp_plugins.visualization import draw_hand, heatmap_overlay, tile

SIDE = 256  # of the larger side of each picture in a figure


def main(
    config: str,
    checkpoint: str,
    images: Sequence[str | Path],
    output: str | Path,
    bbox: Sequence[float] | None = None,
    ann: str | Path | None = None,
    whole_image: bool = False,
    all_scales: bool = False,
    device: str = 'auto',
) -> list[Path]:
    """Write the figures; returns their paths.

    Args:
        bbox: Box (x, y, w, h) in pixels, for every image.
        ann: COCO keypoint JSON with the box and the true keypoints of each image, whose first hand is taken.
        whole_image: Take the whole image as the box.

    Raises:
        FileNotFoundError: A file is missing.
        ValueError: The box is not given in exactly one way, an image is not in ``ann``, two images have one name, or
            the network has no attention.
    """
    names = [Path(i).stem for i in images]
    if len(set(names)) < len(names):
        raise ValueError(f'images: different file names are needed, received {names}')
    find_hands = make_hand_finder(None if bbox is None else [bbox], whole_image, ann, with_keypoints=True)
    model = init_model(config, checkpoint, device)
    paths = []
    for path in map(Path, images):
        image = read_image(path)
        try:
            hand = find_hands(path, image.shape[1], image.shape[0])[0]
        except ValueError as e:
            raise ValueError(f'{path}: {e}') from None
        paths.append(Path(output) / f'{path.stem}.png')
        write_image(paths[-1], figure(find_attention(model, image, hand.box), hand.keypoints, all_scales))
        print(paths[-1])
    return paths


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
        'work_dirs/pmsdsnet_3stage_onehand10k/epoch_100.pth photo.jpg --bbox 63 92 99 194 --output figures',
    )
    parser.add_argument('config')
    parser.add_argument('checkpoint')
    parser.add_argument('images', nargs='+', metavar='IMAGE')
    parser.add_argument('--output', required=True, metavar='DIR', help='folder of the figures')
    parser.add_argument('--bbox', type=float, nargs=4, metavar=tuple('XYWH'), help='box, in pixels')
    parser.add_argument('--ann', help='COCO keypoint JSON with boxes and true keypoints')
    parser.add_argument('--whole-image', action='store_true', help='take the whole image as the box')
    parser.add_argument('--all-scales', action='store_true', help='a row for each scale')
    parser.add_argument('--device', default='auto')
    arguments = vars(parser.parse_args())
    run_tool(lambda: main(**arguments))
