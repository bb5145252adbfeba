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
    little finger, each from its root to its tip. A JSON is a list with 21 lists x, y or x, y, z (not used) for each
    frame, or null for a frame without a hand; all keypoints count as labelled. The order is that of MediaPipe, whose
    coordinates from 0 to 1 must be multiplied by the image's width and height first.

Output:
    data/hand_video/
        annotations/{train,val,test}.json    each image record has video_id (clip) and frame_id (the frame's index)
        frames/clip/000000.jpg …             or, with --direct, no files: the JSON names videos/clip.mp4#000000 …
        preview.jpg                          some frames with their keypoints

Three or more videos are split 8:1:1 by video, with a fixed seed. One or two videos are split by frames: the first 80 %
of each are train, the next 10 % val, the last 10 % test. Neighbouring frames look alike, so such a split says little
about other videos. --split test puts everything into test.json.

--direct needs a constant frame rate. Reading in random order is then much slower than from JPEG files.

Frames that cannot be decoded or have no keypoints, and keypoints without a frame, are skipped and counted; a video that
cannot be used is listed with the reason. Decoding ends at the first frame that fails, because later frames depend on
it. Damage that the decoder conceals is not found: look at preview.jpg.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from conversion import Conversion, make_parser, run
from frame_keypoints import TABLE_SUFFIXES, read_frame_keypoints
from tqdm import tqdm

from handkp_plugins.fileio.coco import SPLITS, Record, split_8_1_1, spread_evenly
from handkp_plugins.fileio.images import read_image, write_image
from handkp_plugins.fileio.videos import VIDEO_SUFFIXES, FrameList, list_frames, video_address
from handkp_plugins.visualization import draw_hand, tile

WAYS = ('8:1:1', 'test')
_PREVIEW_FRAMES, _PREVIEW_COLUMNS, _PREVIEW_CELL = 12, 4, (320, 320)


def main(root: str, labels: str, direct: bool = False, split: str = '8:1:1', seed: int = 0) -> str:
    """Convert the videos, and return the printed account.

    Args:
        root: The dataset's folder.
        labels: Who made the keypoints, for the JSON's info.
        direct: Name the frames of the videos, and write no JPEG files.
        split: One of :data:`WAYS`.
        seed: Seed of the split by video.

    Raises:
        FileNotFoundError: There are no videos.
        ValueError: A table of keypoints is malformed, or no video could be converted.
    """
    base = Path(root)
    if split not in WAYS:
        raise ValueError(f'split: expected one of {WAYS}, got {split!r}')
    files = sorted((base / 'videos').glob('*'))
    videos = [path for path in files if path.suffix.lower() in VIDEO_SUFFIXES]
    if not videos:
        raise FileNotFoundError(
            f'{base / "videos"}: expected one or more videos ({", ".join(VIDEO_SUFFIXES)}), got none'
        )
    names = {video.stem for video in videos}
    if len(names) < len(videos):
        raise ValueError(f'{base / "videos"}: expected names that differ without their suffix, got equal ones')

    conversion, records = Conversion(base, 'frames'), {}
    for path in files:
        if path not in videos:
            conversion.tell(f'{path}: left out: no video by its suffix')
    for path in sorted((base / 'keypoints').glob('*')):
        if path.suffix in TABLE_SUFFIXES and path.stem not in names:
            conversion.tell(f'{path}: left out: no video of this name')
    for video in videos:
        table = _read_table(base, video)
        try:
            with tqdm(desc=video.name, unit='frame') as bar:
                frames = list_frames(video, bar.update)
            if direct and not frames.regular:
                raise ValueError('its frame rate varies, so that --direct cannot find its frames')
            if table is None:
                raise ValueError(
                    f'no keypoints/{video.stem}.csv or .json; keypoints must be in pixels (metric ones, without a '
                    'place in the image, cannot be converted)'
                )
        except ValueError as e:
            conversion.tell(f'{video}: left out: {e}')
            continue
        if frames.lost:
            conversion.tell(f'{video}: {len(frames.lost)} frames cannot be decoded: {_ranges(frames.lost)}')
        missing = set(frames.lost)
        for index in sorted(missing | set(table) - set(frames.indices)):
            reason = (
                'frame cannot be decoded' if index in missing else 'keypoints of a frame after the end of the video'
            )
            conversion.skip(_address(video, index), reason)
        converted = list(_convert(conversion, video, frames, table, direct))
        conversion.tell(f'{video}: {len(frames.indices)} frames decoded, {len(converted)} converted')
        if converted:
            records[video.stem] = converted
    conversion.report()
    conversion.tell(f'found {len(videos)} videos, converted {len(records)}')
    conversion.write(_split(records, split, seed), f'Frames of videos with one hand each, keypoints {labels}')
    write_image(base / 'preview.jpg', _preview(base, [record for part in records.values() for record in part]))
    conversion.tell(f'look at {base / "preview.jpg"}')
    return '\n'.join(conversion.lines)


def _read_table(base: Path, video: Path) -> dict[int, np.ndarray] | None:
    candidates = [base / 'keypoints' / f'{video.stem}{suffix}' for suffix in TABLE_SUFFIXES]
    found = [path for path in candidates if path.is_file()]
    if len(found) > 1:
        raise ValueError(f'{video}: expected one table of keypoints, got {found[0]} and {found[1]}')
    return read_frame_keypoints(found[0]) if found else None


def _address(video: Path, index: int) -> str:
    return video_address(f'videos/{video.name}', index)


def _convert(
    conversion: Conversion, video: Path, frames: FrameList, table: dict[int, np.ndarray], direct: bool
) -> Iterator[Record]:
    """Yield the records of the frames that have keypoints, and write their JPEG files unless ``direct``."""
    images = ((index, None) for index in frames.indices) if direct else frames.images()
    for index, image in tqdm(images, desc=f'{video.stem}: convert', unit='frame', total=len(frames.indices)):
        name = _address(video, index)
        if index not in table:
            conversion.skip(name, 'no keypoints')
            continue
        if image is not None:
            name = f'frames/{video.stem}/{index:06d}.jpg'
            write_image(conversion.root / name, image)
        record = conversion.record(name, table[index], image)
        if record is not None:
            yield dict(record[0], video_id=video.stem, frame_id=index), record[1]


def _ranges(indices: list[int]) -> str:
    """Write rising indices as ``3-5, 9``."""
    runs = np.split(indices, np.flatnonzero(np.diff(indices) > 1) + 1)
    return ', '.join(f'{run[0]}-{run[-1]}' if len(run) > 1 else str(run[0]) for run in runs)


def _split(records: dict[str, list[Record]], split: str, seed: int) -> dict[str, list[Record]]:
    if split == 'test':
        return dict(test=[record for part in records.values() for record in part])
    if len(records) >= 3:
        by_video = split_8_1_1(records, seed)
        return {name: [record for key in keys for record in records[key]] for name, keys in by_video.items()}
    parts: dict[str, list[Record]] = {name: [] for name in SPLITS}
    for frames in records.values():
        n = max(1, round(len(frames) / 10))
        for name, stretch in zip(SPLITS, (frames[: -2 * n], frames[-2 * n : -n], frames[-n:]), strict=True):
            parts[name] += stretch
    return parts


def _preview(base: Path, records: list[Record]) -> np.ndarray:
    shown = spread_evenly(records, min(len(records), _PREVIEW_FRAMES))
    drawn = []
    for image, annotation in shown:
        keypoints = np.reshape(annotation['keypoints'], (-1, 3))
        drawn.append(draw_hand(read_image(base / image['file_name']), keypoints[:, :2], keypoints[:, 2]))
    captions = [video_address(image['video_id'], image['frame_id']) for image, _ in shown]
    return tile(drawn, _PREVIEW_COLUMNS, captions, _PREVIEW_CELL)


if __name__ == '__main__':
    parser = make_parser(__doc__, "the dataset's folder, with videos/ and keypoints/; the rest is written there")
    parser.add_argument(
        '--labels', required=True, help='who made the keypoints, for the JSON: "by people", "by MediaPipe"'
    )
    parser.add_argument('--direct', action='store_true', help='name the frames of the videos, and write no JPEG files')
    parser.add_argument('--split', choices=WAYS, default=WAYS[0], help='(default %(default)s)')
    parser.add_argument('--seed', type=int, default=0, help='seed of the split by video (default %(default)s)')
    run(main, parser)
