"""Generate images or clips of hands with keypoint labels.

    python tools/make_synthetic.py --out data/synthetic/hands --num 20000 --size 256 --backgrounds photographs
    python tools/make_synthetic.py --out data/synthetic/layers --num 50000 --size 224 --layers --preview layers.png
    python tools/make_synthetic.py --out data/synthetic/video --video --num 20 --frames 60 --mp4
    python tools/make_synthetic.py --out data/fingerspelling --video --signs letters
    python tools/make_synthetic.py --out data/tapping --video --tapping 3
    python tools/make_synthetic.py --out data/synthetic/actions --video --actions --num 50 --preview actions.png
    python tools/make_synthetic.py --out data/synthetic/scenes --scenes --num 8000
    python tools/make_synthetic.py --out data/synthetic/views --views 4 --num 2000 --preview views.png

Writes images and OUT/annotations/{train,val,test}.json: COCO keypoints with 3D, camera, visibility, handedness and
gesture, split 8:1:1. The same seed gives the same labels, whatever the number of workers. After an interruption the
same command continues. data/README.md describes each kind of dataset.
"""

import argparse
import json
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from handkp_plugins.cli.tool import run_tool
from handkp_plugins.fileio.images import alpha_composite, open_image, read_image, write_image
from handkp_plugins.structures.boxes import xywh_to_xyxy
from handkp_plugins.synthetic.clips.signing import GROUPS
from handkp_plugins.synthetic.datasets.generate import Result, generate
from handkp_plugins.synthetic.datasets.recipe import (
    ActionRecipe,
    ClipRecipe,
    Recipe,
    SceneRecipe,
    SignRecipe,
    TapRecipe,
    ViewRecipe,
)
from handkp_plugins.visualization import draw_hand, tile
from handkp_plugins.visualization.video import VideoFile

_PREVIEW_IMAGES = 48
_PREVIEW_COLUMNS = 8
_CHECK = 12  # pixels of a field of the checkerboard
_SCORE_OF_VISIBILITY = np.array([0.0, 0.1, 1.0])  # hidden keypoints are drawn faint, keypoints outside not at all


def main(
    out: str | Path,
    num: int | None = None,
    size: int | Sequence[int] | None = None,
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
    video: bool = False,
    frames: int | None = None,
    fps: float | None = None,
    mp4: bool = False,
    signs: Sequence[str] = (),
    tapping: float | None = None,
    amplitude_decrement: float | None = None,
    interval_jitter: float | None = None,
    actions: bool = False,
    hands: int | None = None,
    scenes: bool = False,
    views: int | None = None,
) -> Result:
    """Make or complete a dataset. The arguments are the options of the command line; None means a recipe's default.

    Raises:
        ValueError: Options do not go together, or one is out of range.
        FileNotFoundError: Backgrounds, a rig or a file of poses is missing.
        OSError: A file cannot be written.
        HandkpError: Rendering failed.
    """
    out = Path(out)
    kind = dict(frames=frames, fps=fps, signs=tuple(signs) or None, tapping=tapping)
    unevenness = dict(amplitude_decrement=amplitude_decrement, interval_jitter=interval_jitter)
    only_video = [
        name for name, value in (kind | dict(mp4=mp4 or None, actions=actions or None)).items() if value is not None
    ]
    only_tapping = [name for name, value in unevenness.items() if value is not None]
    kinds = [name for name, value in dict(signs=signs, tapping=tapping, actions=actions).items() if value]
    sides = [] if size is None else [size] if isinstance(size, int) else list(size)
    sets = [name for name, wanted in dict(scenes=scenes, video=video, views=views is not None).items() if wanted]
    if len(sets) > 1:
        raise ValueError(f'scenes, video, views: expected one of them, got {" and ".join(sets)}')
    if only_video and not video:
        raise ValueError(f'{only_video[0]}: expected with video only, got without it')
    if only_tapping and tapping is None:
        raise ValueError(f'{only_tapping[0]}: expected with tapping only, got without it')
    if hands is not None and not actions:
        raise ValueError('hands: expected with actions only, got without it')
    if len(kinds) > 1:
        raise ValueError(f'signs, tapping, actions: expected one of them, got {" and ".join(kinds)}')
    if len(sides) > (2 if video else 1):
        raise ValueError(f'size: expected one number, or with video width and height, got {sides}')
    options = dict(
        **kind,
        **unevenness,
        hands=hands,
        views=views,
        num=num,
        size=sides[0] if sides else None,
        height=sides[-1] if sides and video else None,
        seed=seed,
        backgrounds=str(backgrounds) if backgrounds else None,
        layers=layers,
        shard=shard,
        alone=alone,
        one_shape=one_shape,
        rigs=tuple(map(str, rig)),
        poses=tuple(map(str, poses)),
    )
    of_kind = dict(signs=SignRecipe, tapping=TapRecipe, actions=ActionRecipe)
    clips = of_kind[kinds[0]] if kinds else ClipRecipe
    of_set = dict(scenes=SceneRecipe, video=clips, views=ViewRecipe)
    recipe_class = of_set[sets[0]] if sets else Recipe
    recipe = recipe_class(**{name: value for name, value in options.items() if value is not None})
    with tqdm(total=recipe.num_images, unit='image', desc='hands', smoothing=0.05) as bar:
        result = generate(out, recipe, workers or len(os.sched_getaffinity(0)), bar.update)
    counts = ', '.join(f'{count} {name}' for name, count in result.splits.items())
    if result.made:
        print(f'{result.made} images made, {result.kept} existed already: {counts}, in {out}')
    else:
        print(f'{out} is complete already: {counts}; nothing to do')
    if preview:
        write_image(preview, contact_sheet(out))
    if mp4:
        _write_videos(out, recipe)
    print(f'look at {preview or out / ("mp4" if mp4 else recipe.folder)}')
    return result


def _write_videos(out: Path, recipe: ClipRecipe) -> None:
    for clip, frames in enumerate(tqdm(recipe.batches, unit='clip', desc='mp4')):
        with VideoFile(out / 'mp4' / f'{clip:05d}.mp4', recipe.fps) as file:
            for index in frames:
                file.append(read_image(out / recipe.file_name(index)))


def contact_sheet(out: Path) -> np.ndarray:
    """Draw the first test images with their keypoints, layers over a checkerboard, boxes if images have several
    hands, and the views of a frame in a row; BGR.
    """
    coco = json.loads((out / 'annotations' / 'test.json').read_text())
    views = 1 + max(image.get('view_id', 0) for image in coco['images'])
    images = coco['images'][: _PREVIEW_IMAGES // views * views]
    hands: dict[int, list[dict]] = {image['id']: [] for image in images}
    for annotation in coco['annotations']:
        if annotation['image_id'] in hands:
            hands[annotation['image_id']].append(annotation)
    with_boxes = any(len(found) != 1 for found in hands.values())
    drawn = []
    for record in images:
        image = _read(str(out / record['file_name']))
        for annotation in hands[record['id']]:
            keypoints = np.array(annotation['keypoints']).reshape(-1, 3)
            image = draw_hand(
                image,
                keypoints[:, :2],
                scores=_SCORE_OF_VISIBILITY[keypoints[:, 2].astype(int)],
                bbox=xywh_to_xyxy(annotation['bbox']) if with_boxes else None,
            )
        drawn.append(image)
    return tile(drawn, columns=views if views > 1 else _PREVIEW_COLUMNS)


def _read(path: str) -> np.ndarray:
    image = open_image(path)
    if image.shape[2] == 3:
        return image
    row, column = np.indices(image.shape[:2]) // _CHECK
    return alpha_composite(image, np.where((row + column) % 2, 200, 120)[..., None])


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--out', required=True, help='folder of the dataset')
    parser.add_argument(
        '--num',
        type=int,
        help='images (default 2000), frames (views 500), clips (100; tapping 10) or people (signs 30, actions 50)',
    )
    size = (
        'pixels (default 256; views 224); scenes: longer side (480); clips: W H (240 320; tapping 256; actions 192 144)'
    )
    parser.add_argument('--size', type=int, nargs='+', metavar='PX', help=size)
    parser.add_argument('--seed', type=int, default=0, help='(default 0)')
    parser.add_argument('--workers', type=int, metavar='N', help='processes (default: one per core)')
    parser.add_argument('--preview', metavar='PNG', help='write a contact sheet')

    look = parser.add_argument_group('hands and backgrounds')
    look.add_argument('--backgrounds', metavar='DIR', help='photographs behind the hands (default: generated)')
    look.add_argument('--rig', nargs='+', default=[], metavar='GLTF', help='rigged hands, beside the procedural one')
    look.add_argument('--poses', nargs='+', default=[], metavar='NPZ', help='recorded poses (tools/fit_poses.py)')
    look.add_argument('--alone', action='store_true', help='no second hand, and nothing held, worn or in front')
    look.add_argument('--one-shape', action='store_true', help='the mean proportions for every hand')

    images = parser.add_argument_group('kinds of images (default: one main hand, with a background)')
    images.add_argument('--layers', action='store_true', help='no background: colours and alpha, in OUT/shards/*.zip')
    images.add_argument('--shard', type=int, default=1000, metavar='N', help='images in a shard (default 1000)')
    images.add_argument('--scenes', action='store_true', help='none to four hands among people, with boxes')
    images.add_argument('--views', type=int, metavar='V', help='a right hand before 1 to 8 calibrated cameras at once')

    clips = parser.add_argument_group('clips')
    clips.add_argument('--video', action='store_true', help='clips of a moving hand, OUT/clips/00000/000000.jpg')
    clips.add_argument(
        '--frames', type=int, metavar='N', help='frames of a clip (default 60; signs 3; tapping 301; actions 32)'
    )
    clips.add_argument('--fps', type=float, help='frames per second (default 30; signs 5; actions 15)')
    clips.add_argument('--mp4', action='store_true', help='write OUT/mp4/*.mp4, too')
    signs = f'one sign in each clip: {", ".join(GROUPS)} or some of them'
    clips.add_argument('--signs', nargs='+', default=[], metavar='NAME', help=signs)
    clips.add_argument('--tapping', type=float, metavar='HZ', help='thumb and index finger tap at this rate')
    clips.add_argument('--amplitude-decrement', type=float, metavar='SHARE', help='opening lost at the end of a clip')
    clips.add_argument('--interval-jitter', type=float, metavar='SHARE', help='deviation of tap intervals over mean')
    clips.add_argument('--actions', action='store_true', help='hands that lift, pull, tip … objects, seen from above')
    clips.add_argument('--hands', type=int, metavar='N', help='of actions: hands with labels, 1 (default) or 2')
    return parser.parse_args()


if __name__ == '__main__':
    arguments = vars(parse_args())
    run_tool(lambda: main(**arguments), 'stopped; run the same command again to continue')
