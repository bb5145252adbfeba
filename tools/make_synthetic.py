"""Generate pictures or clips of hands with keypoint labels.

Usage:
    python tools/make_synthetic.py --out data/synthetic/hands --num 2000 --size 256 --seed 0
    python tools/make_synthetic.py --out data/synthetic/photo --num 20000 --backgrounds photographs --preview a.png
    python tools/make_synthetic.py --out data/synthetic/layers --num 100000 --size 224 --layers --preview b.png \\
        --rig rigs/hand_r.gltf rigs/generic.glb --poses poses.npz
    python tools/make_synthetic.py --out data/synthetic/video --video --num 20 --frames 60 --seed 0 --mp4
    python tools/make_synthetic.py --out data/fingerspelling --video --signs letters --num 30
    python tools/make_synthetic.py --out data/tapping --video --tapping 3 --num 10 --mp4
    python tools/make_synthetic.py --out data/synthetic/scenes --scenes --num 8000 --preview c.png

Writes ``OUT/images/*.jpg`` and ``OUT/annotations/{train,val,test}.json`` (COCO keypoints with 3D, camera, visibility,
handedness and gesture). The same seed gives the same labels, however many processes work. After an interruption the
same command goes on where it stopped.

With ``--layers`` nothing is put behind the hands: ``OUT/shards/*.zip`` hold the colours (``000000.jpg``, which go on
beyond the hand's edge) and the alpha (``000000.png``) of each, uncompressed, a thousand to a file. ``LoadHandImage``
reads them as pictures of four channels, and ``HandCompositor`` puts another background behind each time one is used.

With ``--video`` there are ``--num`` clips of ``--frames`` frames, ``OUT/clips/00000/000000.jpg``, split as wholes: a
hand that moves smoothly before a camera that may move, too. Each image's record then has ``video_id`` and ``frame_id``.

With ``--signs letters`` (``gestures``, or names of some of either) each clip shows one sign, which its annotations name
as ``gesture``, and ``--num`` people show each sign once, with nothing in or on their hands. The set is split by people;
image records have ``person``, too. Of J and Z, which are movements, there is the handshape alone.

With ``--tapping HZ`` each clip, of ten seconds, shows a hand whose thumb and index finger tap at that rate (taps a
second, 0.2 to a quarter of the frame rate); ``--amplitude-decrement`` is the share of the opening that is lost at the
end of a clip, ``--interval-jitter`` the deviation of the intervals as a share of their mean. The annotations'
``videos`` say for each clip the ``tap_times`` in seconds. Above 3 taps a second the hand opens in proportion less.

With ``--scenes`` pictures are as photographs are: none to four hands of several sizes, of one or several people, among
people and limbs without hands, in frames of several shapes whose longer side is ``--size`` (default 480). Each hand has
an annotation. Its ``bbox`` is that of the whole hand up to the wrist, hidden parts too, cut at the frame's border; its
``area`` is the box's. Hands of which more than 70 % of the side towards the camera is hidden do not occur. Shares are
constants of ``synthetic/staging.py``.

Beside the package's own hand, rigged hands (``--rig``) are used, each as often; poses come from named gestures,
letters, folded fists, pinches and free curls, and from recordings (``--poses``). Some hands hold a thing, wear a ring
or watch, are partly behind a thing, or have another hand beside them: annotations say so (``held``, ``in_front``,
``other_hand``), and keypoints always are those of the main hand; with ``--alone`` there is none of this. Shares are
constants of ``synthetic/scene.py``, ``views.py`` and ``lights.py``, and of ``motion.py`` and ``hand_motion.py``.
"""

import argparse
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from handkp_plugins.cli.tool import run_tool
from handkp_plugins.fileio.images import alpha_composite, open_image, read_image, write_image
from handkp_plugins.synthetic.clips.signing import GROUPS
from handkp_plugins.synthetic.datasets.generate import Result, generate
from handkp_plugins.synthetic.datasets.recipe import ClipRecipe, Recipe, SignRecipe
from handkp_plugins.synthetic.datasets.scene_recipe import SceneRecipe
from handkp_plugins.synthetic.datasets.tap_recipe import TapRecipe
from handkp_plugins.visualization import draw_hand, tile
from handkp_plugins.visualization.video import VideoFile

_PREVIEW_IMAGES = 48
_PREVIEW_COLUMNS = 8
_CHECK = 12  # pixels of a field of the checkerboard
_SCORE_OF_VISIBILITY = np.array([0.0, 0.1, 1.0])  # hidden keypoints are drawn faint, those outside not at all


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
    scenes: bool = False,
) -> Result:
    """Make or complete a set; see :func:`handkp_plugins.synthetic.datasets.generate.generate` for arguments and errors.

    Args:
        num: images, clips or people; None for what :class:`Recipe` or the recipe of that kind of clips says, as for
            size, frames and fps.
        size: width and height, or of clips both in this order.
        workers: processes; None for one per usable core.
        layers: keep alpha and put nothing behind the hands; see the top of this file.
        shard: hands in each file of a set in layers.
        alone: no second hand, and nothing held, worn or in front.
        one_shape: every hand has the mean hand's proportions.
        rig: glTF files of rigged hands to use beside the procedural one.
        poses: files of recorded poses, which tools/fit_poses.py writes.
        preview: PNG to write a contact sheet with drawn keypoints to.
        video: make clips.
        frames, fps: of each clip.
        mp4: write each clip as a video, too.
        signs: make clips of one sign each, of these names, 'letters' or 'gestures'.
        tapping, amplitude_decrement, interval_jitter: make clips of tapping; see :class:`TapRecipe`.
        scenes: make pictures of none to four hands, each with its box.

    Raises:
        ValueError: an option of clips is given without ``video``, or one of pictures with it.
    """
    out = Path(out)
    if scenes and video:
        raise ValueError('scenes, video: expected one of both, got both')
    recipe = _recipe(
        SceneRecipe if scenes else Recipe,
        video,
        mp4,
        dict(
            num=num,
            size=size,
            frames=frames,
            fps=fps,
            signs=tuple(signs) or None,
            tapping=tapping,
            amplitude_decrement=amplitude_decrement,
            interval_jitter=interval_jitter,
        ),
        dict(
            seed=seed,
            backgrounds=str(backgrounds) if backgrounds else None,
            layers=layers,
            shard=shard,
            alone=alone,
            one_shape=one_shape,
            rigs=tuple(map(str, rig)),
            poses=tuple(map(str, poses)),
        ),
    )
    with tqdm(total=recipe.num_images, unit='image', desc='hands', smoothing=0.05) as bar:
        result = generate(out, recipe, workers or len(os.sched_getaffinity(0)), bar.update)
    counts = ', '.join(f'{count} {name}' for name, count in result.splits.items())
    if result.made:
        print(f'{result.made} images made, {result.kept} were there already: {counts}, in {out}')
    else:
        print(f'{out} is complete already: {counts}; nothing to do')
    if preview:
        write_image(preview, contact_sheet(out))
    if mp4:
        _write_videos(out, recipe)
    print(f'look at {preview or out / ("mp4" if mp4 else recipe.folder)}')
    return result


def _recipe(pictures: type[Recipe], video: bool, mp4: bool, of_kind: dict[str, Any], shared: dict[str, Any]) -> Recipe:
    """The recipe for options of which None means its default; ``pictures`` is its class where it is not of clips."""
    given = {name: value for name, value in of_kind.items() if value is not None}
    of_clips = [name for name in ('frames', 'fps', 'signs', 'tapping') if name in given] + ['mp4'] * mp4
    if not video and of_clips:
        wrong = of_clips[0]
        raise ValueError(f'{wrong}: expected with video only, got without it')
    of_tapping = [name for name in ('amplitude_decrement', 'interval_jitter') if name in given]
    if of_tapping and 'tapping' not in given:
        raise ValueError(f'{of_tapping[0]}: expected with tapping only, got without it')
    if 'tapping' in given and 'signs' in given:
        raise ValueError('signs, tapping: expected one of the two, got both')
    sides = given.pop('size', [])
    sides = [sides] if isinstance(sides, int) else list(sides)
    if len(sides) > (2 if video else 1):
        raise ValueError(f'size: expected one number, or with video width and height, got {sides}')
    if sides:
        given |= {'size': sides[0], 'height': sides[-1]} if video else {'size': sides[0]}
    kind = SignRecipe if 'signs' in given else TapRecipe if 'tapping' in given else ClipRecipe
    return (kind if video else pictures)(**given, **shared)


def _write_videos(out: Path, recipe: ClipRecipe) -> None:
    for clip, frames in enumerate(tqdm(recipe.batches, unit='clip', desc='mp4')):
        with VideoFile(out / 'mp4' / f'{clip:05d}.mp4', recipe.fps) as file:
            for index in frames:
                file.append(read_image(out / recipe.file_name(index)))


def contact_sheet(out: Path) -> np.ndarray:
    """BGR picture of the first test images with their keypoints, and boxes where hands may be several; layers over a
    checkerboard."""
    coco = json.loads((out / 'annotations' / 'test.json').read_text())
    hands: dict[int, list[dict]] = {image['id']: [] for image in coco['images'][:_PREVIEW_IMAGES]}
    for annotation in coco['annotations']:
        if annotation['image_id'] in hands:
            hands[annotation['image_id']].append(annotation)
    with_boxes = any(len(found) != 1 for found in hands.values())
    drawn = []
    for record in coco['images'][:_PREVIEW_IMAGES]:
        image = _read(str(out / record['file_name']))
        for annotation in hands[record['id']]:
            keypoints = np.array(annotation['keypoints']).reshape(-1, 3)
            box = np.array(annotation['bbox'])
            image = draw_hand(
                image,
                keypoints[:, :2],
                scores=_SCORE_OF_VISIBILITY[keypoints[:, 2].astype(int)],
                bbox=[*box[:2], *(box[:2] + box[2:])] if with_boxes else None,
            )
        drawn.append(image)
    return tile(drawn, columns=_PREVIEW_COLUMNS)


def _read(path: str) -> np.ndarray:
    layers = open_image(path)
    if layers.shape[2] == 3:
        return layers
    row, column = np.indices(layers.shape[:2]) // _CHECK
    return alpha_composite(layers, np.where((row + column) % 2, 200, 120)[..., None])


def parse_args() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--out', required=True, help='folder of the set')
    parser.add_argument(
        '--num', type=int, help='images, clips or people, split 8:1:1 (default 2000, 100, 30, of tapping 10)'
    )
    parser.add_argument(
        '--size',
        type=int,
        nargs='+',
        help='pixels; of clips W H (default 256, of scenes 480, of clips 240 320, of tapping 256)',
    )
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
    parser.add_argument('--video', action='store_true', help='clips of moving hands')
    parser.add_argument(
        '--signs', nargs='+', default=[], help=f'clips of one sign: {", ".join(GROUPS)} or some of them'
    )
    parser.add_argument('--scenes', action='store_true', help='frames with none to four hands, to detect them')
    parser.add_argument('--tapping', type=float, metavar='HZ', help='clips of thumb and index finger that tap')
    parser.add_argument('--amplitude-decrement', type=float, metavar='SHARE', help='of the opening, lost in a clip')
    parser.add_argument('--interval-jitter', type=float, metavar='SHARE', help='deviation of the intervals over mean')
    parser.add_argument('--frames', type=int, help='of each clip (default 60; of signs 3; of tapping 301)')
    parser.add_argument('--fps', type=float, help='frames a second of clips (default 30; of signs 5)')
    parser.add_argument('--mp4', action='store_true', help='write OUT/mp4/*.mp4 of the clips, too, to look at')
    return parser.parse_args()


if __name__ == '__main__':
    arguments = vars(parse_args())
    run_tool(lambda: main(**arguments), 'stopped; run the same command again to go on')
