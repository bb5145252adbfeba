"""Draw what a network attends to in an image, beside its prediction and, with ``--ann``, the truth.

Writes one PNG per image, ``OUTPUT/<name>.png``.

P-MSDSNet (the paper's figure 5): the crop, the attention of each stage at the finest scale (or a row per scale,
``--all-scales``), the predicted hand, the true one. Blue is 0, red is 1; grey marks a stage and scale that the network
does not have.

Networks with a TransformerNeck: two rows for each of ``--keypoints``, a column per layer. The dependency map shows what
the token at the predicted keypoint takes from every token (its row of the attention); the affected area shows what
every token takes from that one (its column). Blue is 0, red is the largest value of the map.

Example:
    python tools/analysis/attention.py configs/pmsdsnet/pmsdsnet_3stage_onehand10k.py \\
        work_dirs/pmsdsnet_3stage_onehand10k/epoch_100.pth photo.jpg --bbox 63 92 99 194 --output figures
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import handkp_plugins  # noqa: F401  registers what configs name
from handkp_plugins.apis.attention import attention_figure, has_tokens
from handkp_plugins.apis.hand_boxes import make_hand_finder
from handkp_plugins.apis.inference import init_model
from handkp_plugins.cli.tool import run_tool
from handkp_plugins.fileio.images import read_image, write_image


def main(
    config: str,
    checkpoint: str,
    images: Sequence[str | Path],
    output: str | Path,
    bbox: Sequence[float] | None = None,
    ann: str | Path | None = None,
    whole_image: bool = False,
    all_scales: bool = False,
    keypoints: Sequence[int] | None = None,
    layers: Sequence[int] | None = None,
    heads: Sequence[int] | None = None,
    device: str = 'auto',
) -> list[Path]:
    """Write the figures for the arguments of the command line; return their paths.

    Raises:
        FileNotFoundError: A file is missing.
        ValueError: The box is not given in exactly one way, an image is not in ``ann``, two images have the same name,
            the network has no attention or no such keypoint, layer or head, or an option is for another kind of
            network.
    """
    names = [Path(i).stem for i in images]
    if len(set(names)) < len(names):
        raise ValueError(f'images: expected different file names, got {names}')
    find_hands = make_hand_finder(None if bbox is None else [bbox], whole_image, ann, with_keypoints=True)
    model = init_model(config, checkpoint, device)
    options = dict(all_scales=all_scales, keypoints=keypoints, layers=layers, heads=heads)
    allowed = ('keypoints', 'layers', 'heads') if has_tokens(model) else ('all_scales',)
    useless = [name for name, value in options.items() if value and name not in allowed]
    if useless:
        raise ValueError(f'options: expected with this network {allowed}, got {useless}')
    paths = []
    for path in map(Path, images):
        image = read_image(path)
        try:
            hand = find_hands(path, image.shape[1], image.shape[0])[0]
        except ValueError as e:
            raise ValueError(f'{path}: {e}') from None
        paths.append(Path(output) / f'{path.stem}.png')
        write_image(paths[-1], attention_figure(model, image, hand.box, hand.keypoints, **options))
        print(paths[-1])
    return paths


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config')
    parser.add_argument('checkpoint')
    parser.add_argument('images', nargs='+', metavar='IMAGE')
    parser.add_argument('--output', required=True, metavar='DIR', help='folder for the figures')
    parser.add_argument('--bbox', type=float, nargs=4, metavar=tuple('XYWH'), help='box in pixels, for every image')
    parser.add_argument(
        '--ann', help='COCO keypoint JSON with boxes and true keypoints; takes the first hand of an image'
    )
    parser.add_argument('--whole-image', action='store_true', help='use the whole image as the box')
    parser.add_argument('--all-scales', action='store_true', help='P-MSDSNet: a row for each scale')
    parser.add_argument(
        '--keypoints', type=int, nargs='+', help='TransformerNeck: ids of keypoints, 0 to 20; default: the fingertips'
    )
    parser.add_argument('--layers', type=int, nargs='+', help='TransformerNeck: from 1; default: all')
    parser.add_argument('--heads', type=int, nargs='+', help='TransformerNeck: from 1; default: the mean of all')
    parser.add_argument('--device', default='auto')
    arguments = vars(parser.parse_args())
    run_tool(lambda: main(**arguments))
