"""Convert FreiHAND (single images of right hands, with meshes) to files of views for ``HandViewDataset``.

**Untested on the originals**, which are for research only: tree and files are those that their authors describe.

Usage:
    python tools/dataset_converters/freihand.py data/freihand

Input (https://lmb.informatik.uni-freiburg.de/projects/freihand/):
    data/freihand/
        training/rgb/00000000.jpg …     224×224, 32,560 poses before 4 backgrounds: image i shows pose i mod 32,560
        evaluation/rgb/00000000.jpg …   3,960
        {training,evaluation}_K.json    N×3×3 intrinsics
        {training,evaluation}_xyz.json  N×21×3 metres before the camera
        evaluation_verts.json           N×778×3, MANO's vertices

Output:
    data/freihand/annotations/{train,test}.json, annotations/test_vertices.npy

Each image is a frame with one view. The 2D labels are the projected joints, with confidence 1.

Ends with the number of images found, converted and skipped.
"""

from pathlib import Path

import numpy as np
from conversion import Account, make_parser, run
from tqdm import tqdm
from view_records import SIZE, Records, read_numbers, view_record, write_views

from handkp_plugins.codecs.pixel_depth import project
from handkp_plugins.fileio.atomic import atomic_write
from handkp_plugins.fileio.images import read_image

SPLITS = {'train': 'training', 'test': 'evaluation'}


def main(root: str | Path) -> str:
    """Convert the set, and return the printed account.

    Raises:
        FileNotFoundError: A file or folder is missing.
        ValueError: A file is not of the form above; the message names it.
    """
    account = Account(Path(root), 'images')
    converted = {split: _convert(account, name) for split, name in SPLITS.items()}
    account.report()
    for split, (records, _) in converted.items():
        write_views(account, split, records, f'FreiHAND, {split}')
    _, poses = converted['test']
    meshes = read_numbers(account.root / 'evaluation_verts.json', (None, 778, 3))
    if len(meshes) <= max(poses):
        path = account.root / 'evaluation_verts.json'
        raise ValueError(f'{path}: expected {max(poses) + 1} meshes, got {len(meshes)}')
    path = account.root / 'annotations' / 'test_vertices.npy'
    with atomic_write(path) as temporary, open(temporary, 'wb') as file:
        np.save(file, meshes[poses].astype(np.float32))
    account.tell(f'{path}: {len(poses)} meshes')
    return '\n'.join(account.lines)


def _convert(account: Account, name: str) -> tuple[list[Records], list[int]]:
    """Return the records of a part, and the pose that each shows."""
    cameras = read_numbers(account.root / f'{name}_K.json', (None, 3, 3))
    points = read_numbers(account.root / f'{name}_xyz.json', (len(cameras), 21, 3))
    files = sorted((account.root / name / 'rgb').glob('*.jpg'))
    if not files:
        raise FileNotFoundError(f'{account.root / name / "rgb"}: no images; they come with the set')
    size = read_image(files[0]).shape
    if size[:2] != (SIZE, SIZE):
        raise ValueError(f'{files[0]}: expected {SIZE}×{SIZE} pixels, got {size[1]}×{size[0]}')
    records, poses = [], []
    for path in tqdm(files, unit='image', desc=name):
        pose = int(path.stem) % len(points)
        if (points[pose][:, 2] <= 0).any():
            account.skip(path.name, 'a joint behind the camera')
            continue
        labels = np.concatenate([project(points[pose], cameras[pose])[:, :2], np.ones((21, 1))], 1)
        camera = dict(K=cameras[pose])
        records.append(view_record(f'{name}/rgb/{path.name}', int(path.stem), 0, camera, labels, points[pose]))
        poses.append(pose)
        account.converted += 1
    return records, poses


if __name__ == '__main__':
    run(main, make_parser(__doc__))
