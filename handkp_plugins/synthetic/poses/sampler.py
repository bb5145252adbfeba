"""Draws poses: named gestures, letters, mixtures, free curls, folded hands, pinches and recorded poses."""

import zipfile
from collections.abc import Callable, Mapping, Sequence, Set
from functools import partial
from pathlib import Path

import numpy as np

from handkp_plugins.structures.skeleton import FINGERS, LONG_FINGERS

from ..hand.pose import ANGLE_NAMES, LIMITS, THUMB_ANGLES, HandPose
from ..hand.proxies import pose_penetration
from ..hand.shape import HandShape
from .fingerspelling import LETTERS
from .gestures import GESTURES, THUMB_OVER_TWO
from .thumbs import random_pinch, sample_thumb_before, sample_thumb_under

SHARES: dict[str, float] = dict(named=0.17, letter=0.17, mixed=0.14, random=0.17, folded=0.22, pinched=0.13)
"""Share of each source among poses where none are recorded."""
RECORDED_SHARE = 0.35  # share of recorded poses where there are any; the others keep their proportions

_SOURCES = (*SHARES, 'recorded')

MAX_PENETRATION = 0.005  # metres by which one finger may enter another or the palm
_TRIES = 16
_UNDER_SHARE = 0.25  # share of folded hands whose thumb lies under some of the fingers
_BEFORE_SHARE = 0.35  # share of folded hands whose thumb rests anywhere before the fingers
_UPRIGHT_SHARE = 0.4  # share of those that are upright, where the index finger is folded
_KNUCKLE_ALONE_SHARE = 0.15  # share of random fingers that are bent at the knuckle alone, or everywhere but there

Draw = Callable[[], HandPose]

_THUMBS = {  # flexion, abduction, rotation, MCP and IP of thumbs beside, across and inside folded fingers
    'out': (-14, -8, -5, -2, -6),
    'side': (18, -16, 5, 8, 14),
    'over': (16, 14, 15, 41, 62),
    'over_far': (26, 18, 16, 50, 59),
    'over_high': THUMB_OVER_TWO,
    'in': (32, 2, 28, 56, 74),
}


class PoseSampler:
    """Draws poses from several sources in set shares.

    The name that comes with a pose is the gesture's or letter's, else the source's: 'mixed' (two named ones, each
    finger its own share of the way), 'random' (free curls), 'folded' (two or more fingers folded; the thumb out,
    beside, over, under or inside them), 'pinched' (the thumb's pad on one or two fingers' pads) or 'recorded'. Each
    pose is jittered and gets a random wrist. Where one finger passes through another or the palm, the same gesture or
    recorded pose is jittered again, so that tight ones do not become rare; after many draws the best one is taken.

    Shares are weights, 0 where a source is not named; None means :data:`SHARES` and, of recorded poses where there are
    any, :data:`RECORDED_SHARE`.
    """

    def __init__(self, recorded: Sequence[HandPose] | None = None, shares: Mapping[str, float] | None = None) -> None:
        self.recorded = list(recorded or [])
        if shares is None:
            others = 1 - RECORDED_SHARE if self.recorded else 1.0
            shares = {name: others * share for name, share in SHARES.items()} | {'recorded': 1 - others}
        unknown = sorted(set(shares) - set(_SOURCES))
        if unknown:
            raise ValueError(f'shares: expected sources {sorted(_SOURCES)}, got {unknown[0]!r}')
        weights = np.array([shares.get(name, 0.0) for name in _SOURCES], dtype=float)
        if not (np.isfinite(weights).all() and (weights >= 0).all() and weights.sum() > 0):
            raise ValueError(f'shares: expected numbers of 0 or more, one of them positive, got {dict(shares)}')
        if shares.get('recorded') and not self.recorded:
            raise ValueError(f"shares: expected 'recorded' with recorded poses only, got {dict(shares)}")
        self.shares: dict[str, float] = dict(zip(_SOURCES, (weights / weights.sum()).tolist(), strict=True))

    def sample(self, rng: np.random.Generator, shape: HandShape) -> tuple[str, HandPose]:
        """Draw the name of a gesture and a pose that suits a hand of this shape."""
        name, draw = self._choose(rng, shape)
        angles = _draw_without_penetration(draw, shape).angles.copy()
        angles[-2:] = rng.normal([-5, 5], [22, 10])  # the wrist
        return name, HandPose.clip(angles)

    def _choose(self, rng: np.random.Generator, shape: HandShape) -> tuple[str, Draw]:
        """The name of a gesture or source, and a function that draws poses of it."""
        source = str(rng.choice(list(self.shares), p=list(self.shares.values())))
        if source in ('named', 'letter'):
            poses = GESTURES if source == 'named' else LETTERS
            name = str(rng.choice(list(poses)))
            return name, lambda: jitter_pose(poses[name], 4.0, rng)
        if source == 'recorded':
            pose = self.recorded[rng.integers(len(self.recorded))]
            # more with each draw: keypoints say nothing of thickness, so thumbs are often fitted inside fingers
            degrees = iter(np.linspace(2.5, 10, _TRIES))
            return source, lambda: jitter_pose(pose, next(degrees), rng)
        if source == 'folded':
            return source, _choose_folded(rng, shape)
        draws = {'mixed': _mix_named, 'random': _random_curls, 'pinched': partial(random_pinch, shape=shape)}
        return source, partial(draws[source], rng)


def load_poses(path: Path) -> list[HandPose]:
    """Read the poses of a file that ``tools/fit_poses.py`` writes: ``.npz`` with ``angles`` (N, 24) in degrees."""
    if not path.is_file():
        raise FileNotFoundError(f'poses: expected an existing .npz file, got {path}')
    try:
        with np.load(path) as file:
            angles = file['angles']
    except (KeyError, ValueError, OSError, IndexError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path}: expected an .npz file with the array 'angles' ({error})") from error
    if angles.ndim != 2 or angles.shape[1] != len(ANGLE_NAMES) or not len(angles) or angles.dtype.kind not in 'fiu':
        expected, found = f'numbers of shape (1 or more, {len(ANGLE_NAMES)})', f'{angles.dtype} {angles.shape}'
        raise ValueError(f'{path}: angles: expected {expected}, got {found}')
    poses = []
    for row, values in enumerate(angles):
        try:
            poses.append(HandPose(values))
        except ValueError as error:
            raise ValueError(f'{path}: row {row}: {error}') from error
    return poses


def jitter_without_penetration(pose: HandPose, degrees: float, rng: np.random.Generator, shape: HandShape) -> HandPose:
    """Jitter a pose so that no finger is inside another, where that is possible."""
    return _draw_without_penetration(lambda: jitter_pose(pose, degrees, rng), shape)


def jitter_pose(pose: HandPose, degrees: float, rng: np.random.Generator) -> HandPose:
    """Move each angle a little, and each finger's curl as a whole."""
    angles = pose.angles + rng.normal(0, degrees, len(ANGLE_NAMES))
    for finger in LONG_FINGERS:
        bent = [ANGLE_NAMES.index(f'{finger}_{joint}') for joint in ('mcp', 'pip', 'dip')]
        angles[bent] += rng.normal(0, 1.2 * degrees) * np.array([0.7, 1.0, 0.7])
    return HandPose.clip(angles)


def _draw_without_penetration(draw: Draw, shape: HandShape) -> HandPose:
    """The first pose in which no finger passes through another or the palm, else the best of some."""
    best, least = HandPose(), np.inf
    for _ in range(_TRIES):
        pose = draw()
        depth = pose_penetration(pose, shape)
        if depth < least:
            best, least = pose, depth
        if depth < MAX_PENETRATION:
            break
    return best


def _mix_named(rng: np.random.Generator) -> HandPose:
    """Mix two named poses; each finger goes its own share of the way, so that parts of gestures meet."""
    poses = [*GESTURES.values(), *LETTERS.values()]
    a, b = (poses[i] for i in rng.choice(len(poses), 2, replace=False))
    shares = {part: np.clip(rng.uniform(-0.2, 1.2), 0, 1) for part in (*FINGERS, 'palm', 'wrist')}
    return jitter_pose(a.mix(b, np.array([shares[name.split('_')[0]] for name in ANGLE_NAMES])), 5.0, rng)


def _random_curls(rng: np.random.Generator) -> HandPose:
    """Curls that neighbouring fingers half share, joints of one finger that bend together, and a free thumb."""
    common, spread = rng.beta(0.7, 0.9), rng.uniform(-0.2, 1)
    values: dict[str, float] = {}
    for finger in LONG_FINGERS:
        curl = np.clip(0.55 * common + 0.45 * rng.beta(0.6, 0.8) + rng.normal(0, 0.08), 0, 1)
        alone = rng.random() < _KNUCKLE_ALONE_SHARE
        knuckle = rng.uniform(-0.1, 1) if alone else np.clip(curl + rng.normal(0, 0.22), -0.15, 1)
        values[f'{finger}_mcp'] = 90 * knuckle
        values[f'{finger}_pip'] = 105 * np.clip(curl + rng.normal(0, 0.12), 0, 1)
        values[f'{finger}_dip'] = values[f'{finger}_pip'] * rng.uniform(0.4, 0.7)
        limit = LIMITS[f'{finger}_abd'][1]
        values[f'{finger}_abd'] = (limit * spread + rng.normal(0, 3)) * (1 - 0.8 * max(knuckle, 0))
    values['middle_abd'] = rng.normal(0, 3)
    across = rng.beta(0.8, 0.9)
    values['thumb_flexion'] = -20 + 66 * np.clip(across + rng.normal(0, 0.15), 0, 1)
    values['thumb_abduction'] = -18 + 55 * rng.beta(1.2, 1.2)
    values['thumb_rotation'] = -8 + 40 * np.clip(across + rng.normal(0, 0.15), 0, 1)
    values['thumb_mcp'] = -5 + 50 * rng.beta(0.8, 1.2)
    values['thumb_ip'] = -18 + 85 * rng.beta(0.8, 1.4)
    values['palm_arch'] = 16 * rng.beta(0.8, 2)
    return HandPose.clip(values)


def _choose_folded(rng: np.random.Generator, shape: HandShape) -> Draw:
    """Two, three or all four fingers folded, tightly or loosely; the others straight or half bent."""
    count = int(rng.choice([2, 3, 4], p=[0.2, 0.25, 0.55]))
    folded = set(rng.choice(LONG_FINGERS, count, replace=False))
    one, other = (np.array(_THUMBS[name]) for name in rng.choice(list(_THUMBS), 2))
    kind = rng.random()
    if kind < _UNDER_SHARE:
        over = int(rng.integers(1, 4))
        place_thumb = partial(sample_thumb_under, over=over, rng=rng, shape=shape)
        return lambda: _fold_around(place_thumb, folded, one, rng) or LETTERS[f'letter_{"tnm"[over - 1]}']
    if kind < _UNDER_SHARE + _BEFORE_SHARE:
        upright = 'index' in folded and rng.random() < _UPRIGHT_SHARE
        place_thumb = partial(sample_thumb_before, upright=upright, rng=rng, shape=shape)
        return lambda: _fold_around(place_thumb, folded, one, rng) or _fold(folded, one, rng)
    between = rng.choice([0.0, rng.uniform(0, 1)])  # one kind of thumb, or a mixture of two
    return lambda: _fold(folded, one + (other - one) * between, rng)


def _fold_around(
    place_thumb: Callable[[HandPose], HandPose | None], folded: Set[str], thumb: np.ndarray, rng: np.random.Generator
) -> HandPose | None:
    """A folded hand whose thumb is placed by a function; None where it found no place in some draws."""
    return next((pose for _ in range(_TRIES) if (pose := place_thumb(_fold(folded, thumb, rng)))), None)


def _fold(folded: Set[str], thumb: np.ndarray, rng: np.random.Generator) -> HandPose:
    tightness = rng.beta(1.2, 0.8)
    values: dict[str, float] = {}
    for finger in LONG_FINGERS:
        if finger in folded:
            tight = np.clip(tightness + rng.normal(0, 0.12), 0, 1)
            mcp, pip, dip = 48 + 38 * tight, 80 + 28 * tight, 30 + 36 * tight
        else:
            mcp = rng.uniform(-6, 12) + 45 * rng.beta(0.6, 2.5)
            pip = 70 * rng.beta(0.5, 2.5)
            dip = 0.6 * pip
            values[f'{finger}_abd'] = rng.uniform(-2, 10)
        values |= {f'{finger}_mcp': mcp, f'{finger}_pip': pip, f'{finger}_dip': dip}
    values['palm_arch'] = rng.uniform(0, 10)
    values |= dict(zip(THUMB_ANGLES, thumb, strict=True))
    return jitter_pose(HandPose.clip(values), 4.0, rng)
