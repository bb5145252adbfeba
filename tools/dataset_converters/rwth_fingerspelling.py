"""Take frames of the RWTH German Fingerspelling clips, for a pose network to be tuned on and signs to be read from.

**Untested on the originals**, which could not be had; tested on a miniature. The database's page describes 35 signs
(A to Z, SCH, Ä, Ö, Ü, 1 to 5) by 20 people, each twice on two days, before two cameras, a webcam (320×240) and a
camcorder (352×288), as short clips in MPEG-4. It does not describe file names. We assume, after a public program with
similar names (35 folders, ``_cam1.mpg``), a folder for each sign and ``SIGN/PERSON_SIGN_RECORDING_camCAMERA.mpg``, all
numbers (else ``--pattern``), signs numbered in the order above (else ``--signs``), and camera 1 to be the webcam (else
``--camera``).

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

As in the MSAHP paper there are 1,160 frames of the 30 signs without movement (not J, Z, Ä, Ö and Ü): the middle frame
of each clip, and of every second clip the first or the last one at random. Clips are drawn at random until there are
enough. The paper validates on 200 images and does not say which. Here people are drawn until they have 200 or more,
so that no person is in both splits.

Ends with counts of what was found, converted and left out, with reasons.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from conversion import Conversion, make_parser, run
from tqdm import tqdm

from handkp_plugins.fileio.coco import Record, spread_evenly
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
    """Convert the clips in ``root/clips``, and return the printed account.

    Args:
        root: The dataset's folder.
        pattern: Regular expression of the clips' paths in ``clips``, with groups sign, person, recording, camera.
        signs: Names of the signs, from number 1 on.
        camera: The camera whose clips to use.
        all_signs: Use signs with movement, too.
        num: Number of frames, or all if there are fewer.
        val: Least number of validation frames.
        label: Number of frames in ``label.json``.
        seed: Seed of all random choices.

    Raises:
        FileNotFoundError: No clip matches.
        ValueError: An option is out of range, a clip's sign has no name, or no people remain to train on.
    """
    root, rng = Path(root), np.random.default_rng(seed)
    conversion = Conversion(root, 'frames')
    for name, value in (('num', num), ('val', val), ('label', label)):
        if value < 1:
            raise ValueError(f'{name}: expected an integer from 1, got {value}')
    clips = _find_clips(root / 'clips', pattern, tuple(signs), camera, conversion.tell)
    chosen = [clip for clip in clips if all_signs or clip['sign'] not in MOVING]
    conversion.tell(f'{len(clips)} clips of camera {camera}, {len(chosen)} of wanted signs')
    frames = []
    with tqdm(total=num, unit='frame') as bar:
        for i, k in enumerate(rng.permutation(len(chosen))):
            if len(frames) >= num:
                break
            ends = [str(rng.choice(['first', 'last']))] if i % 2 else []
            try:
                frames += _write_frames(root, chosen[k], ['middle', *ends][: num - len(frames)])
            except (OSError, ValueError) as e:
                conversion.tell(f'{chosen[k]["path"]}: left out: {e}')
            bar.update(len(frames) - bar.n)
    frames.sort(key=lambda f: (f[0]['person'], f[0]['video_id'], f[0]['frame_id']))
    parts = _split(frames, val, rng)
    parts['label'] = spread_evenly(parts['train'], min(label, len(parts['train'])))
    people = [f'{len({image["person"] for image, _ in records})} in {name}' for name, records in parts.items()]
    kinds = Counter(Path(image['file_name']).stem.rpartition('_')[2] for image, _ in frames)
    conversion.tell(f'people: {", ".join(people)}')
    conversion.tell('frames: ' + ', '.join(f'{count} {kind}' for kind, count in sorted(kinds.items())))
    return conversion.write(parts, 'RWTH German Fingerspelling')


def _find_clips(
    folder: Path, pattern: str, signs: tuple[str, ...], camera: int, tell: Callable[[str], None]
) -> list[dict]:
    """Return sign, person, recording and path of each clip of a camera, and tell which files do not match."""
    try:
        form = re.compile(pattern)
    except re.error as e:
        raise ValueError(f'pattern: expected a regular expression, got {pattern!r}: {e}') from None
    if missing := set(_FIELDS) - set(form.groupindex):
        raise ValueError(f'pattern: expected groups {", ".join(_FIELDS)}, got none of {", ".join(sorted(missing))}')
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
        tell(f'{len(strange)} files left out, which do not match the pattern: {", ".join(strange[:5])}')
    if not clips:
        raise FileNotFoundError(
            f'{folder}: expected clips of camera {camera} with names as {pattern}, got {len(files)} other files'
            + (f' such as {strange[0]}; see --pattern' if strange else '')
        )
    return clips


def _write_frames(root: Path, clip: dict, wanted: list[str]) -> list[Record]:
    """Write frames of a clip, and return their records."""
    images = [image for _, image in read_frames(open_video(clip['path']))]
    if not images:
        raise ValueError('no frame can be decoded')
    places = dict(first=0, middle=len(images) // 2, last=len(images) - 1)
    recording = f'{clip["person"]}_{clip["recording"]}'
    records = []
    for which in wanted:
        height, width = images[places[which]].shape[:2]
        name = f'frames/{recording}/{clip["sign"]}_{which}.jpg'
        write_image(root / name, images[places[which]])
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


def _split(frames: list[Record], val: int, rng: np.random.Generator) -> dict[str, list[Record]]:
    """Draw people for validation until they have enough frames."""
    own = Counter(image['person'] for image, _ in frames)
    validating: set[int] = set()
    for person in rng.permutation(sorted(own)).tolist():
        if sum(own[p] for p in validating) >= val:
            break
        validating.add(person)
    if len(validating) == len(own):
        raise ValueError(f'val: expected fewer than the {len(frames)} frames of all {len(own)} people, got {val}')
    return {name: [f for f in frames if (f[0]['person'] in validating) == (name == 'val')] for name in ('train', 'val')}


if __name__ == '__main__':
    parser = make_parser(__doc__, "the dataset's folder, with clips/")
    parser.add_argument('--pattern', default=PATTERN, help='of the paths in clips/; see above')
    parser.add_argument('--signs', nargs='+', default=SIGNS, metavar='NAME', help='names of signs 1, 2, …')
    parser.add_argument('--camera', type=int, default=1, help='whose clips to use (default %(default)s)')
    parser.add_argument('--all-signs', action='store_true', help='use signs with movement, too')
    parser.add_argument('--num', type=int, default=1160, help='frames (default %(default)s)')
    parser.add_argument('--val', type=int, default=200, help='least number of validation frames (default %(default)s)')
    parser.add_argument('--label', type=int, default=50, help='frames to label (default %(default)s)')
    parser.add_argument('--seed', type=int, default=0, help='seed of all random choices (default %(default)s)')
    run(main, parser)
