"""Generate pictures of hands with keypoint labels.

Usage:
    python tools/make_synthetic.py --out data/synthetic/hands --num 2000 --size 256 --seed 0
    python tools/make_synthetic.py --out data/synthetic/photo --num 20000 --backgrounds photographs --preview a.png
    python tools/make_synthetic.py --out data/synthetic/layers --num 100000 --size 224 --layers --preview b.png \\
        --rig rigs/hand_r.gltf rigs/generic.glb --poses poses.npz

Writes ``OUT/images/*.jpg`` and ``OUT/annotations/{train,val,test}.json`` (COCO keypoints with 3D, camera, visibility,
handedness and gesture). The same seed gives the same labels, however many processes work. After an interruption the
same command goes on where it stopped.

With ``--layers`` nothing is put behind the hands: ``OUT/shards/*.zip`` hold the colours (``000000.jpg``, which go on
beyond the hand's edge) and the alpha (``000000.png``) of each, uncompressed, a thousand to a file. ``LoadHandImage``
reads them as pictures of four channels, and ``HandCompositor`` puts another background behind each time one is used.

Beside the package's own hand, rigged hands (``--rig``) are used, each as often; poses come from named gestures,
letters, folded fists, pinches and free curls, and from recordings (``--poses``). Some hands hold a thing, wear a ring
or watch, are partly behind a thing, or have another hand beside them: annotations say so (``held``, ``in_front``,
``other_hand``), and keypoints always are those of the main hand; with ``--alone`` there is none of this. Shares are
constants of ``synthetic/scene.py``, ``views.py`` and ``lights.py``.
"""

import argparse
import json
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from handkp_plugins.engine.tool import run_tool
from handkp_plugins.images import over, read_image, read_layers, write_image
from handkp_plugins.shards import is_shard_address
from handkp_plugins.synthetic.generate import Recipe, Result, generate
from handkp_plugins.visualization import draw_hand, tile

_PREVIEW_IMAGES = 48
_PREVIEW_COLUMNS = 8
_CHECK = 12  # pixels of a field of the checkerboard
_SCORE_OF_VISIBILITY = np.array([0.0, 0.1, 1.0])  # hidden keypoints are drawn faint, those outside not at all


def main(
    out: str | Path,
    num: int = 2000,
    size: int = 256,
    seed: int = 0,
    workers: int | None = None,
    backgrounds: str | Path | None = None,
    layers: bool = False,
    shard: int = 1000,
    alone: bool = False,
    one_shape: bool = False,
    rig: Sequence[str | Path] = (),
    poses: Sequence[str | Path] = (),
    preview: str | Path | None = None,
) -> Result:
    """Make or complete a set; see :func:`handkp_plugins.synthetic.generate.generate` for arguments and errors.

    Args:
        workers: processes; None for one per usable core.
        layers: keep alpha and put nothing behind the hands; see the top of this file.
        shard: hands in each file of a set in layers.
        alone: no second hand, and nothing held, worn or in front.
        one_shape: every hand has the mean hand's proportions.
        rig: glTF files of rigged hands to use beside the procedural one.
        poses: files of recorded poses, which tools/fit_poses.py writes.
        preview: PNG to write a contact sheet with drawn keypoints to.
    """
    out = Path(out)
    recipe = Recipe(
        num,
        size,
        seed,
        str(backgrounds) if backgrounds else None,
        layers,
        shard,
        alone,
        one_shape,
        rigs=tuple(map(str, rig)),
        poses=tuple(map(str, poses)),
    )
    with tqdm(total=num, unit='image', desc='hands', smoothing=0.05) as bar:
        result = generate(out, recipe, workers or len(os.sched_getaffinity(0)), bar.update)
    counts = ', '.join(f'{count} {name}' for name, count in result.splits.items())
    if result.made:
        print(f'{result.made} images made, {result.kept} were there already: {counts}, in {out}')
    else:
        print(f'{out} is complete already: {counts}; nothing to do')
    if preview:
        write_image(preview, contact_sheet(out))
    print(f'look at {preview or out / ("shards" if layers else "images")}')
    return result


def contact_sheet(out: Path) -> np.ndarray:
    """BGR picture of the first test images with their keypoints; layers over a checkerboard."""
    coco = json.loads((out / 'annotations' / 'test.json').read_text())
    names = {image['id']: image['file_name'] for image in coco['images']}
    drawn = []
    for annotation in coco['annotations'][:_PREVIEW_IMAGES]:
        keypoints = np.array(annotation['keypoints']).reshape(-1, 3)
        image = _read(str(out / names[annotation['image_id']]))
        drawn.append(draw_hand(image, keypoints[:, :2], scores=_SCORE_OF_VISIBILITY[keypoints[:, 2].astype(int)]))
    return tile(drawn, columns=_PREVIEW_COLUMNS)


def _read(path: str) -> np.ndarray:
    if not is_shard_address(path):
        return read_image(path)
    layers = read_layers(path)
    row, column = np.indices(layers.shape[:2]) // _CHECK
    return over(layers, np.where((row + column) % 2, 200, 120)[..., None])


def parse_args() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--out', required=True, help='folder of the set')
    parser.add_argument('--num', type=int, default=2000, help='images in all, split 8:1:1 (default %(default)s)')
    parser.add_argument('--size', type=int, default=256, help='width and height in pixels (default %(default)s)')
    parser.add_argument('--seed', type=int, default=0, help='(default %(default)s)')
    parser.add_argument('--workers', type=int, help='processes (default: one per core)')
    parser.add_argument('--backgrounds', help='folder of photographs to put behind the hands')
    parser.add_argument('--layers', action='store_true', help='keep alpha, no background; written as shards')
    parser.add_argument('--shard', type=int, default=1000, help='hands a shard, with --layers (default %(default)s)')
    parser.add_argument('--alone', action='store_true', help='no second hand, and nothing held, worn or in front')
    parser.add_argument('--one-shape', action='store_true', help='every hand has the mean proportions')
    parser.add_argument('--rig', nargs='+', default=[], help='glTF files of rigged hands, beside the procedural one')
    parser.add_argument('--poses', nargs='+', default=[], help='files of recorded poses (tools/fit_poses.py)')
    parser.add_argument('--preview', help='PNG to write a contact sheet to')
    return parser.parse_args()


if __name__ == '__main__':
    arguments = vars(parse_args())
    run_tool(lambda: main(**arguments), 'stopped; run the same command again to go on', also=(RuntimeError,))
