"""The arrays of a hand model, and where they come from: the open hand of this package, or the user's MANO file."""

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from handkp_plugins.fileio.restricted_pickle import read_plain_pickle
from handkp_plugins.structures.skeleton import NUM_KEYPOINTS

from .mano import MANO_STAND_INS, mano_arrays

OPEN_HAND = Path(__file__).with_name('open_hand.npz')
NUM_BONES, NUM_SHAPES = 16, 10


@dataclass(frozen=True)
class HandArrays:
    """A hand model with P points, the first V of which are vertices. Lengths are in metres.

    Bones are in MANO's order: the wrist, then three each of index, middle, little, ring finger and thumb.
    """

    points: np.ndarray  # (P, 3) at rest
    shape_basis: np.ndarray  # (P, 3, 10)
    pose_basis: np.ndarray | None  # (P, 3, 135), of the rotations of bones 1 to 15 less the identity
    weights: np.ndarray  # (P, 16) of skinning
    joints: np.ndarray  # (16, 3) at rest
    joint_basis: np.ndarray  # (16, 3, 10)
    keypoints: np.ndarray  # (21, P): keypoints are these means of posed points
    faces: np.ndarray  # (F, 3) vertex ids
    mean_pose: np.ndarray  # (15, 3) rotation vectors
    num_vertices: int  # V
    adds_vectors: bool  # a mean pose adds to rotation vectors (MANO), or its rotations come before others

    def __post_init__(self) -> None:
        p = len(self.points)
        shapes = dict(
            points=(p, 3), shape_basis=(p, 3, NUM_SHAPES), pose_basis=(p, 3, 9 * (NUM_BONES - 1)),
            weights=(p, NUM_BONES), joints=(NUM_BONES, 3), joint_basis=(NUM_BONES, 3, NUM_SHAPES),
            keypoints=(NUM_KEYPOINTS, p), mean_pose=(NUM_BONES - 1, 3),
        )  # fmt: skip
        for name, shape in shapes.items():
            value = getattr(self, name)
            if value is not None and (value.shape != shape or not np.isfinite(value).all()):
                raise ValueError(f'{name}: expected finite numbers of shape {shape}, got {value.shape}')


def load_hand_arrays(hand: str | Path) -> HandArrays:
    """Load the arrays of a hand.

    Args:
        hand: ``'open'``, or the path of a MANO file of a right hand: ``MANO_RIGHT.pkl`` as its makers give it out, or
            an ``.npz`` with the same entries.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is of another form. Nothing that it names is run.
    """
    if hand == 'open':
        return read_open_hand(OPEN_HAND)
    path = Path(hand)
    if path.suffix not in ('.pkl', '.npz'):
        raise ValueError(f"hand: expected 'open' or a file of MANO, .pkl or .npz, got {str(hand)!r}")
    if not path.is_file():
        raise FileNotFoundError(f"hand: expected 'open' or a file of MANO, got {path}, which does not exist")
    data = _read_npz(path) if path.suffix == '.npz' else read_plain_pickle(path, MANO_STAND_INS)
    try:
        return HandArrays(**mano_arrays(data))
    except (KeyError, TypeError, ValueError, IndexError) as error:
        what = f'no {error}' if isinstance(error, KeyError) else str(error)
        raise ValueError(f'{path}: expected the right hand of MANO, got a file with {what}') from None


def read_open_hand(path: Path) -> HandArrays:
    """Read the open hand, as ``tools/make_open_hand.py`` writes it."""
    data = _read_npz(path)
    entries = {f.name: data.get(f.name) for f in fields(HandArrays) if f.name not in ('num_vertices', 'adds_vectors')}
    return HandArrays(**entries, num_vertices=int(data['num_vertices']), adds_vectors=False)


def _read_npz(path: Path) -> dict[str, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as file:
            return dict(file)
    except (ValueError, OSError, EOFError) as error:
        raise ValueError(f'{path}: expected a .npz of arrays, got {error}') from None
