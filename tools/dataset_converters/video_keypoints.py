"""Convert videos with keypoints for each frame to the COCO keypoint JSON that ``HandVideoDataset`` reads.

Usage:
    python tools/dataset_converters/video_keypoints.py data/hand_video --labels "by people"
    python tools/dataset_converters/video_keypoints.py data/hand_video --labels "by MediaPipe" --direct --split test

Input:
    data/hand_video/
        videos/clip.mp4 …         .avi .m4v .mkv .mov .mp4 .webm
        keypoints/clip.csv …      of the same name, or clip.json; pixels of the frame, one hand a frame

    A CSV has the header frame,x0,y0,v0,…,x20,y20,v20 and a line for each frame with a hand: the frame's index from 0,
    and x, y and visibility (0 not labelled, 1 labelled or hidden, 2 visible) of each keypoint: the wrist, then thumb to
    little finger, each from its root to its tip. A JSON is a list with, for each frame, 21 lists x, y or x, y, z (not
    used), or null where there is no hand; all keypoints count as labelled. The order is that of MediaPipe, whose shares
    of the picture must be multiplied by its width and height.

Output:
    data/hand_video/
        annotations/{train,val,test}.json    each image record has video_id (clip) and frame_id (the frame's index)
        frames/clip/000000.jpg …             or, with --direct, no files: the JSON names videos/clip.mp4#000000 …
        preview.jpg                          some frames with their keypoints

Three videos or more are split 8:1:1 by video, with a fixed seed. Of one or two the frames are split: the first 8 tenths
of each to train, the next to val, the last to test. Neighbouring frames look alike, so that such a split says little of
other videos. --split test puts everything into test.json.

--direct needs a constant frame rate, and reading in random order then takes a good deal longer than from JPEG files.

A frame that cannot be decoded or has no keypoints, and keypoints without a frame, are skipped and counted; a video that
cannot be used at all is named with its reason. Decoding ends at the first frame that fails, for those after it mostly
say only what changes. Damage that the decoder patches up from the picture's other parts goes unnoticed: look at
preview.jpg.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from frame_keypoints import TABLE_SUFFIXES, read_frame_keypoints
from tqdm import tqdm

from handkp_plugins.cli.tool import run_tool
from handkp_plugins.fileio.coco import CocoRecorder, split_8_1_1, write_coco
from handkp_plugins.fileio.images import read_image, write_image
from handkp_plugins.fileio.videos import VIDEO_SUFFIXES, FrameList, list_frames, video_address
from handkp_plugins.visualization import draw_hand, tile

SPLITS = ('8:1:1', 'test')
_PREVIEW_FRAMES, _PREVIEW_COLUMNS, _PREVIEW_CELL = 12, 4, (320, 320)
Record = tuple[dict, dict]


def main(root: str, labels: str, direct: bool = False, split: str = '8:1:1', seed: int = 0) -> str:
    """Convert the videos of ``root``; see the module's docstring. Returns the account that is printed.

    Args:
        root: the set's folder.
        labels: who made them, for the JSON's info.
        direct: name the frames of the videos, and write no JPEG files.
        split: one of :data:`SPLITS`.
        seed: of the split by video.

    Raises:
        FileNotFoundError: there are no videos.
        ValueError: a table of keypoints is not of the format above, or no video could be converted.
    """
    base = Path(root)
    if split not in SPLITS:
        raise ValueError(f'split: expected one of {SPLITS}, got {split!r}')
    files = sorted((base / 'videos').glob('*'))
    videos = [path for path in files if path.suffix.lower() in VIDEO_SUFFIXES]
    if not videos:
        raise FileNotFoundError(
            f'{base / "videos"}: expected one video or more ({", ".join(VIDEO_SUFFIXES)}), found none'
        )
    names = {video.stem for video in videos}
    if len(names) < len(videos):
        raise ValueError(f'{base / "videos"}: expected names that differ in more than their suffix')

    recorder, records = CocoRecorder(base), {}
    lines = [f'{path}: left out: no video by its suffix' for path in files if path not in videos]
    tables = sorted(path for path in (base / 'keypoints').glob('*') if path.suffix in TABLE_SUFFIXES)
    lines += [f'{path}: left out: no video of this name' for path in tables if path.stem not in names]
    for video in videos:
        table = _table(base, video)
        try:
            with tqdm(desc=video.name, unit='frame') as bar:
                frames = list_frames(video, bar.update)
            if direct and not frames.regular:
                raise ValueError('its frame rate varies, so that --direct cannot find a frame; leave that out')
            if table is None:
                raise ValueError(
                    f'no keypoints/{video.stem}.csv or .json; keypoints must be in pixels (metric ones, without a '
                    'place in the picture, cannot be converted)'
                )
        except ValueError as e:
            lines.append(f'{video}: left out: {e}')
            continue
        if frames.lost:
            lines.append(f'{video}: {len(frames.lost)} frames cannot be decoded: {_ranges(frames.lost)}')
        missing = set(frames.lost)
        for index in sorted(missing | set(table) - set(frames.indices)):
            reason = (
                'frame cannot be decoded' if index in missing else 'keypoints of a frame after the end of the video'
            )
            recorder.skip(_address(video, index), reason)
        converted = list(_convert(recorder, video, frames, table, direct))
        lines.append(f'{video}: {len(frames.indices)} frames decoded, {len(converted)} converted')
        if converted:
            records[video.stem] = converted
    lines += [recorder.report('frames'), f'found {len(videos)} videos, converted {len(records)}']
    print('\n'.join(lines))
    for name, part in _split(records, split, seed).items():
        path = base / 'annotations' / f'{name}.json'
        write_coco(path, part, f'Frames of videos with one hand each, {name}; keypoints {labels}')
        lines.append(f'{path}: {len(part)} frames of {len({image["video_id"] for image, _ in part})} videos')
        print(lines[-1])
    write_image(base / 'preview.jpg', _preview(base, [record for part in records.values() for record in part]))
    lines.append(f'look at {base / "preview.jpg"}')
    print(lines[-1])
    return '\n'.join(lines)


def _table(base: Path, video: Path) -> dict[int, np.ndarray] | None:
    candidates = [base / 'keypoints' / f'{video.stem}{suffix}' for suffix in TABLE_SUFFIXES]
    found = [path for path in candidates if path.is_file()]
    if len(found) > 1:
        raise ValueError(f'{video}: expected one table of keypoints, got {found[0]} and {found[1]}')
    return read_frame_keypoints(found[0]) if found else None


def _address(video: Path, index: int) -> str:
    return video_address(f'videos/{video.name}', index)


def _convert(
    recorder: CocoRecorder, video: Path, frames: FrameList, table: dict[int, np.ndarray], direct: bool
) -> Iterator[Record]:
    """The records of the frames, whose JPEG files it writes; those without keypoints are skipped."""
    pictures = ((index, None) for index in frames.indices) if direct else frames.pictures()
    for index, picture in tqdm(pictures, desc=f'{video.stem}: convert', unit='frame', total=len(frames.indices)):
        name = _address(video, index)
        if index not in table:
            recorder.skip(name, 'no keypoints')
            continue
        if picture is not None:
            name = f'frames/{video.stem}/{index:06d}.jpg'
            write_image(recorder.root / name, picture)
        record = recorder.record(name, table[index], picture)
        if record is not None:
            yield dict(record[0], video_id=video.stem, frame_id=index), record[1]


def _ranges(indices: list[int]) -> str:
    """Rising indices as ``3-5, 9``."""
    runs = np.split(indices, np.flatnonzero(np.diff(indices) > 1) + 1)
    return ', '.join(f'{run[0]}-{run[-1]}' if len(run) > 1 else str(run[0]) for run in runs)


def _split(records: dict[str, list[Record]], split: str, seed: int) -> dict[str, list[Record]]:
    if split == 'test':
        return dict(test=[record for part in records.values() for record in part])
    if len(records) >= 3:
        by_video = split_8_1_1(records, seed)
        return {name: [record for key in keys for record in records[key]] for name, keys in by_video.items()}
    parts: dict[str, list[Record]] = dict(train=[], val=[], test=[])
    for frames in records.values():
        n = max(1, round(len(frames) / 10))
        for name, stretch in zip(parts, (frames[: -2 * n], frames[-2 * n : -n], frames[-n:]), strict=True):
            parts[name] += stretch
    return parts


def _preview(base: Path, records: list[Record]) -> np.ndarray:
    shown = [
        records[i] for i in np.linspace(0, len(records) - 1, min(len(records), _PREVIEW_FRAMES)).round().astype(int)
    ]
    drawn = []
    for image, annotation in shown:
        keypoints = np.reshape(annotation['keypoints'], (-1, 3))
        drawn.append(draw_hand(read_image(base / image['file_name']), keypoints[:, :2], keypoints[:, 2]))
    captions = [video_address(image['video_id'], image['frame_id']) for image, _ in shown]
    return tile(drawn, _PREVIEW_COLUMNS, captions, _PREVIEW_CELL)


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('root', help="the set's folder, with videos/ and keypoints/; the rest is written there")
    parser.add_argument(
        '--labels', required=True, help='who made the keypoints, for the JSON: "by people", "by MediaPipe"'
    )
    parser.add_argument('--direct', action='store_true', help='name the frames of the videos, and write no JPEG files')
    parser.add_argument('--split', choices=SPLITS, default=SPLITS[0], help='(default %(default)s)')
    parser.add_argument('--seed', type=int, default=0, help='of the split by video (default %(default)s)')
    arguments = vars(parser.parse_args())
    run_tool(lambda: main(**arguments))
