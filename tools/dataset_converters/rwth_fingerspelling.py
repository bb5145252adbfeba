"""Take frames of the RWTH German Fingerspelling clips, for a pose network to be tuned on and signs to be read from.

**Untested on the originals**, which could not be had; it was tried on a miniature. The database's page says: 35 signs
(A to Z, SCH, Ä, Ö, Ü, 1 to 5) by 20 people, each twice on two days, before two cameras, a webcam (320×240) and a
camcorder (352×288), as short clips in MPEG-4. It does not say how files are named. Assumed here, after a public program
with names that end alike (35 folders, ``_cam1.mpg``), is a folder a sign and
``SIGN/PERSON_SIGN_RECORDING_camCAMERA.mpg``, all of them numbers; ``--pattern`` says otherwise. Assumed, too, are the
signs' numbers, in the order above (``--signs``), and that camera 1 is the webcam (``--camera``).

Usage:
    python tools/dataset_converters/rwth_fingerspelling.py data/fingerspelling
    python tools/dataset_converters/rwth_fingerspelling.py data/fingerspelling --all-signs --camera 2 \\
        --pattern "(?P<person>\\d+)/(?P<recording>\\d+)/(?P<sign>\\d+)_cam(?P<camera>\\d)\\.avi"

Input:
    data/fingerspelling/clips/1/12_1_2_cam1.mpg …     sign 1, person 12, recording 2

Output:
    data/fingerspelling/
        frames/12_2/A_middle.jpg, A_first.jpg …         by person and recording
        annotations/{train,val}.json                    COCO: the whole frame as the box, gesture, person, video_id
        annotations/label.json                          some of train.json's frames, for you to label: put their
                                                        keypoints and num_keypoints in, with any tool for COCO files

As in the MSAHP paper there are 1,160 frames of the 30 signs without movement (J, Z, Ä, Ö and Ü are left out): the
middle frame of each clip, and of every second clip the first or the last by lot, 2:1. Clips are drawn at random, as
many as give that number. The paper validates on 200 images and does not say which; here people are drawn until theirs
are 200 or more, so that nobody is on both sides.

Ends with what was found, converted and left out, and why.
"""

import argparse
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from handkp_plugins.cli.tool import run_tool
from handkp_plugins.fileio.coco import spread_evenly, write_coco
from handkp_plugins.fileio.images import write_image
from handkp_plugins.fileio.videos import open_video, read_frames

PATTERN = r'(?P<sign>\d+)/(?P<person>\d+)_(?P=sign)_(?P<recording>\d+)_cam(?P<camera>\d+)\.mpg'
SIGNS = (*'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'SCH', 'Ä', 'Ö', 'Ü', *'12345')
MOVING = ('J', 'Z', 'Ä', 'Ö', 'Ü')
_FIELDS = ('sign', 'person', 'recording', 'camera')


def main(
    root: str | Path,
    pattern: str = PATTERN,
    signs: Sequence[str] = SIGNS,
    camera: int = 1,
    all_signs: bool = False,
    num: int = 1160,
    val: int = 200,
    label: int = 50,
    seed: int = 0,
) -> str:
    """Convert the clips in ``root/clips``; see the top of this file. Returns the account that is printed.

    Args:
        pattern: regular expression of the clips' paths below ``clips``, with groups sign, person, recording, camera.
        signs: names of the signs, from number 1 on.
        camera: whose clips to take.
        all_signs: take those that move, too.
        num: frames, or all of them where there are fewer.
        val: at least so many of them validate.
        label: how many frames go to ``label.json``.
        seed: of what is drawn.

    Raises:
        FileNotFoundError: no clip matches.
        ValueError: an option is out of range, or a clip's number of a sign is none; or no people remain to train.
    """
    root, rng = Path(root), np.random.default_rng(seed)
    for name, value in (('num', num), ('val', val), ('label', label)):
        if value < 1:
            raise ValueError(f'{name}: expected an integer from 1, got {value}')
    lines: list[str] = []
    clips = _find(root / 'clips', pattern, tuple(signs), camera, lines)
    chosen = [clip for clip in clips if all_signs or clip['sign'] not in MOVING]
    lines.append(f'{len(clips)} clips of camera {camera}, {len(chosen)} of signs that are taken')
    frames = []
    with tqdm(total=num, unit='frame') as bar:
        for i, k in enumerate(rng.permutation(len(chosen))):
            if len(frames) >= num:
                break
            ends = [str(rng.choice(['first', 'last']))] if i % 2 else []
            try:
                frames += _take(root, chosen[k], ['middle', *ends][: num - len(frames)])
            except (OSError, ValueError) as e:
                lines.append(f'{chosen[k]["path"]}: left out: {e}')
            bar.update(len(frames) - bar.n)
    frames.sort(key=lambda f: (f[0]['person'], f[0]['video_id'], f[0]['frame_id']))
    parts = _split(frames, val, rng)
    parts['label'] = spread_evenly(parts['train'], min(label, len(parts['train'])))
    for name, records in parts.items():
        path = root / 'annotations' / f'{name}.json'
        write_coco(path, records, f'RWTH German Fingerspelling, {name}')
        people = {image['person'] for image, _ in records}
        lines.append(f'{path}: {len(records)} frames of {len(people)} people')
    kinds = Counter(Path(image['file_name']).stem.rpartition('_')[2] for image, _ in frames)
    lines.append('frames: ' + ', '.join(f'{count} {kind}' for kind, count in sorted(kinds.items())))
    print('\n'.join(lines))
    return '\n'.join(lines)


def _find(folder: Path, pattern: str, signs: tuple[str, ...], camera: int, lines: list[str]) -> list[dict]:
    """The clips of a camera: sign, person, recording and path; what does not match is told."""
    try:
        form = re.compile(pattern)
    except re.error as e:
        raise ValueError(f'pattern: expected a regular expression, got {pattern!r}: {e}') from None
    if missing := set(_FIELDS) - set(form.groupindex):
        raise ValueError(f'pattern: expected groups {", ".join(_FIELDS)}, missing: {", ".join(sorted(missing))}')
    files = sorted(path for path in folder.rglob('*') if path.is_file())
    clips, strange = [], []
    for path in files:
        match = form.fullmatch(path.relative_to(folder).as_posix())
        if match is None:
            strange.append(path.relative_to(folder).as_posix())
        elif int(match['camera']) == camera:
            number = int(match['sign'])
            if not 1 <= number <= len(signs):
                raise ValueError(f'{path}: expected a sign from 1 to {len(signs)}, got {number}')
            clips.append(dict(match.groupdict(), sign=signs[number - 1], path=path))
    if strange:
        lines.append(f'{len(strange)} files left out, which do not match the pattern: {", ".join(strange[:5])}')
    if not clips:
        raise FileNotFoundError(
            f'{folder}: expected clips of camera {camera} named as {pattern}; of {len(files)} files none is'
            + (f', for instance {strange[0]}; see --pattern' if strange else '')
        )
    return clips


def _take(root: Path, clip: dict, wanted: list[str]) -> list[tuple[dict, dict]]:
    """Write frames of a clip; returns their records."""
    pictures = [picture for _, picture in read_frames(open_video(clip['path']))]
    if not pictures:
        raise ValueError('no frame can be decoded')
    places = dict(first=0, middle=len(pictures) // 2, last=len(pictures) - 1)
    recording = f'{clip["person"]}_{clip["recording"]}'
    records = []
    for which in wanted:
        picture = pictures[places[which]]
        height, width = picture.shape[:2]
        name = f'frames/{recording}/{clip["sign"]}_{which}.jpg'
        write_image(root / name, picture)
        image = dict(
            file_name=name,
            width=width,
            height=height,
            video_id=f'{recording}_{clip["sign"]}',
            frame_id=places[which],
            person=int(clip['person']),
        )
        unlabelled = dict(keypoints=[0] * 63, num_keypoints=0, iscrowd=0, category_id=1, area=float(width * height))
        records.append((image, dict(unlabelled, bbox=[0.0, 0.0, width, height], gesture=clip['sign'])))
    return records


def _split(frames: list[tuple[dict, dict]], val: int, rng: np.random.Generator) -> dict[str, list[tuple[dict, dict]]]:
    """People are drawn to validate until their frames are enough."""
    own = Counter(image['person'] for image, _ in frames)
    validating: set[int] = set()
    for person in rng.permutation(sorted(own)).tolist():
        if sum(own[p] for p in validating) >= val:
            break
        validating.add(person)
    if len(validating) == len(own):
        raise ValueError(f'val: expected fewer than the {len(frames)} frames of all {len(own)} people, got {val}')
    return {name: [f for f in frames if (f[0]['person'] in validating) == (name == 'val')] for name in ('train', 'val')}


def parse_args() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('root', help="the set's folder, with clips/")
    parser.add_argument('--pattern', default=PATTERN, help='of the paths below clips/; see above')
    parser.add_argument('--signs', nargs='+', default=SIGNS, metavar='NAME', help='names of signs 1, 2, …')
    parser.add_argument('--camera', type=int, default=1, help='whose clips to take (default %(default)s)')
    parser.add_argument('--all-signs', action='store_true', help='those that move, too')
    parser.add_argument('--num', type=int, default=1160, help='frames (default %(default)s)')
    parser.add_argument('--val', type=int, default=200, help='frames that validate, at least (default %(default)s)')
    parser.add_argument('--label', type=int, default=50, help='frames to label (default %(default)s)')
    parser.add_argument('--seed', type=int, default=0, help='of what is drawn (default %(default)s)')
    return parser.parse_args()


if __name__ == '__main__':
    arguments = vars(parse_args())
    run_tool(lambda: main(**arguments))
