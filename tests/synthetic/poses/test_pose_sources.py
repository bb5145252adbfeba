"""Poses drawn from several sources, pinches, and pose files."""

import numpy as np
import pytest

from handkp_plugins.structures.skeleton import LONG_FINGERS
from handkp_plugins.synthetic.hand.kinematics import hand_keypoints
from handkp_plugins.synthetic.hand.pose import ANGLE_NAMES, HandPose
from handkp_plugins.synthetic.hand.proxies import pose_penetration
from handkp_plugins.synthetic.hand.shape import HandShape, random_shape
from handkp_plugins.synthetic.poses import sampler as pose_sources
from handkp_plugins.synthetic.poses.fingerspelling import LETTERS
from handkp_plugins.synthetic.poses.gestures import GESTURES, gesture
from handkp_plugins.synthetic.poses.sampler import MAX_PENETRATION, SHARES, PoseSampler, jitter_pose, load_poses
from handkp_plugins.synthetic.poses.thumbs import close_pinch, pad_gaps

SHAPE = HandShape()
RECORDED = HandPose.of(index_mcp=33, middle_pip=44, thumb_abduction=11)


def draw(sampler: PoseSampler, count: int, seed: int = 0) -> tuple[list[str], np.ndarray]:
    """Names and angles (N, 24) for hands of random shape."""
    rng = np.random.default_rng(seed)
    names, poses = zip(*(sampler.sample(rng, random_shape(rng)) for _ in range(count)), strict=True)
    return list(names), np.stack([pose.angles for pose in poses])


def draw_mean(sampler: PoseSampler, count: int, seed: int = 0) -> np.ndarray:
    """Angles (N, 24) for the mean hand."""
    rng = np.random.default_rng(seed)
    return np.stack([sampler.sample(rng, SHAPE)[1].angles for _ in range(count)])


def folded(angles: np.ndarray) -> np.ndarray:
    """(N,) how many fingers' middle joints are bent by more than 75 degrees."""
    return np.sum([angles[:, ANGLE_NAMES.index(f'{finger}_pip')] > 75 for finger in LONG_FINGERS], axis=0)


def source_of(name: str) -> str:
    return 'named' if name in GESTURES else 'letter' if name in LETTERS else name


@pytest.fixture(scope='module')
def drawn() -> tuple[list[str], np.ndarray]:
    return draw(PoseSampler([RECORDED]), 250)


def test_every_source_has_its_share(drawn):
    names, _ = drawn
    expected = {name: 0.65 * share for name, share in SHARES.items()} | {'recorded': 0.35}
    assert PoseSampler([RECORDED]).shares == pytest.approx(expected)
    for source, share in expected.items():
        found = sum(source_of(name) == source for name in names)
        assert abs(found - 250 * share) < 3.5 * np.sqrt(250 * share * (1 - share)), source
    assert sum(PoseSampler().shares.values()) == pytest.approx(1) and PoseSampler().shares['recorded'] == 0


def test_many_have_folded_fingers(drawn):
    assert (folded(drawn[1]) >= 2).mean() > 0.2
    assert (folded(draw(PoseSampler(), 80)[1]) >= 2).mean() > 0.25
    names, angles = draw(PoseSampler(shares={'folded': 1}), 40)
    assert set(names) == {'folded'} and (folded(angles) >= 2).mean() > 0.9 and (folded(angles) == 4).mean() > 0.3
    thumb = angles[:, ANGLE_NAMES.index('thumb_mcp')]
    assert (thumb < 20).any() and (thumb > 40).any()  # out or beside, over or inside


def test_the_wrist_bends_in_all_of_them(drawn):
    wrist = drawn[1][:, [ANGLE_NAMES.index('wrist_flexion'), ANGLE_NAMES.index('wrist_deviation')]]
    assert (wrist.std(0) > [15, 6]).all()


def test_fingers_do_not_pass_through_each_other():
    depths = pose_penetration(draw_mean(PoseSampler(), 80, seed=1), SHAPE)
    assert (depths < MAX_PENETRATION).mean() > 0.95 and depths.max() < 0.009


def test_fists_are_not_drawn_less_often_for_being_tight():
    # drawn anew together with the name, they would be: most of them touch too deeply at first
    names, _ = draw(PoseSampler(shares={'named': 1}), 160)
    tight = sum(name.startswith('fist') for name in names)
    assert tight >= 5  # 13.7 of 160 expected


def test_recorded_poses_are_not_drawn_less_often_for_being_tight():
    # as keypoints tell nothing of thickness, a thumb across fingers or under them is often recorded as inside them
    tight = gesture((15, 7, 15, 41, 64), *[(84, 0, 106, 64)] * 4, 6)
    depths = [pose_penetration(jitter_pose(tight, 2.5, np.random.default_rng(i)), SHAPE) for i in range(40)]
    assert np.mean(np.array(depths) < MAX_PENETRATION) < 0.2  # so it would rarely be drawn
    _, angles = draw(PoseSampler([tight, RECORDED], shares={'recorded': 1}), 60)
    is_tight = folded(angles) == 4
    assert 18 <= is_tight.sum() <= 42
    assert settled_share(tight) > 0.6
    # 10 mm inside: loosened by 2.5° each time, 3 of 40 would settle
    assert settled_share(tight.replace({'thumb_flexion': 24, 'thumb_abduction': 6})) > 0.3


def settled_share(pose: HandPose) -> float:
    """Share of drawings of a recorded pose in which no finger enters another."""
    angles = draw_mean(PoseSampler([pose], shares={'recorded': 1}), 40)
    return float((pose_penetration(angles, SHAPE) < MAX_PENETRATION).mean())


def folded_keypoints(count: int) -> np.ndarray:
    """(N, 21, 3) of folded hands in metres; z falls away from the palm."""
    return hand_keypoints(draw_mean(PoseSampler(shares={'folded': 1}), count), SHAPE)


def test_some_thumbs_lie_under_folded_fingers(monkeypatch):
    def thumbs_under() -> float:
        points = folded_keypoints(60)
        tip, knuckle, bent = points[:, 4], points[:, 17], points[:, 6:8]
        return float(((tip[:, 1] > knuckle[:, 1]) & (tip[:, 2] > bent[..., 2].min(1))).mean())

    monkeypatch.setattr(pose_sources, '_UNDER_SHARE', 0.0)
    without = thumbs_under()
    monkeypatch.setattr(pose_sources, '_UNDER_SHARE', 1.0)
    assert thumbs_under() > max(0.9, without + 0.5)


def test_some_thumbs_stand_before_folded_fingers(monkeypatch):
    def before_the_index_finger() -> int:
        points = folded_keypoints(80)
        tip, bent = points[:, 4], points[:, 6]
        return int(((tip[:, :2] > bent[:, :2]).all(1) & (tip[:, 2] < bent[:, 2])).sum())

    monkeypatch.setattr(pose_sources, '_UNDER_SHARE', 0.0)
    some = before_the_index_finger()
    monkeypatch.setattr(pose_sources, '_BEFORE_SHARE', 0.0)
    assert some > before_the_index_finger() + 3


def test_some_fingers_are_bent_at_the_knuckle_alone():
    _, angles = draw(PoseSampler(shares={'random': 1}), 150)
    mcp, pip = (angles[:, [ANGLE_NAMES.index(f'{f}_{joint}') for f in LONG_FINGERS]] for joint in ('mcp', 'pip'))
    assert ((mcp > 50) & (pip < 25)).mean() > 0.02


def test_recorded_poses_appear_loosened(drawn):
    names, angles = drawn
    off = (angles[np.array(names) == 'recorded'] - RECORDED.angles)[:, :-2]
    assert len(off) > 50 and 1 < np.sqrt((off**2).mean()) < 6
    assert np.abs(off[:, ANGLE_NAMES.index('index_mcp')].mean()) < 1.5


def test_the_same_seed_draws_the_same():
    first, again, other = (draw(PoseSampler([RECORDED]), 12, seed) for seed in (4, 4, 5))
    assert first[0] == again[0] and (first[1] == again[1]).all()
    assert (first[1] != other[1]).any()


def test_shares_that_make_no_sense():
    with pytest.raises(ValueError, match="got 'dreams'"):
        PoseSampler(shares={'dreams': 1})
    for shares in ({'named': -1, 'letter': 2}, {'named': 0}, {'named': float('nan')}, {}):
        with pytest.raises(ValueError, match='0 or more, one of them positive'):
            PoseSampler(shares=shares)
    with pytest.raises(ValueError, match='recorded poses only'):
        PoseSampler(shares={'recorded': 1})
    assert PoseSampler(shares={'named': 3, 'letter': 1}).shares['letter'] == 0.25


@pytest.mark.parametrize('fingers', [['index'], ['little'], ['index', 'middle']])
def test_a_pinch_closes(fingers):
    pose = GESTURES['relaxed'].replace({'thumb_flexion': 25, 'thumb_abduction': 25, 'thumb_rotation': 30})
    before = np.linalg.norm(pad_gaps(pose.angles[None], fingers, SHAPE).reshape(-1, 3), axis=1)
    closed = close_pinch(pose, fingers, SHAPE)
    after = np.linalg.norm(pad_gaps(closed.angles[None], fingers, SHAPE).reshape(-1, 3), axis=1)
    assert before.min() > 0.015 and after.max() < 0.002
    still = [i for i, name in enumerate(ANGLE_NAMES) if name.split('_')[0] not in ('thumb', 'palm', *fingers)]
    assert (closed.angles[still] == pose.angles[still]).all()


def test_drawn_pinches_are_closed():
    angles = draw_mean(PoseSampler(shares={'pinched': 1}), 12)
    gaps = np.min([np.linalg.norm(pad_gaps(angles, [finger], SHAPE), axis=1) for finger in LONG_FINGERS], axis=0)
    assert np.median(gaps) < 0.001 and gaps.max() < 0.008  # of two fingers the edges of the pads


def keypoints(letter: str) -> np.ndarray:
    return hand_keypoints(LETTERS[f'letter_{letter}'].angles, SHAPE)


def test_letters_are_what_they_should_be():
    assert sorted(LETTERS) == [f'letter_{chr(97 + i)}' for i in range(26)]
    tips, knuckles = [8, 12, 16, 20], [5, 9, 13, 17]
    straight = dict(b=4, d=1, f=3, i=1, l=1, u=2, v=2, w=3, y=1, z=1, a=0, s=0, t=0, m=0, n=0, e=0)
    for letter, count in straight.items():
        points = keypoints(letter)
        assert (points[tips, 1] - points[knuckles, 1] > 0.055).sum() == count, letter
    assert keypoints('l')[4, 0] < -0.08 and keypoints('y')[4, 0] < -0.08  # the thumb away from the hand
    v, u = (np.linalg.norm(keypoints(letter)[8] - keypoints(letter)[12]) for letter in 'vu')
    assert v > 0.03 > 0.025 > u
    assert keypoints('r')[8, 0] > keypoints('r')[12, 0]  # crossed
    # the thumb's tip under three, two and one finger; it rises above the knuckles of those beside it
    assert keypoints('m')[4, 0] > keypoints('n')[4, 0] > keypoints('t')[4, 0] > keypoints('a')[4, 0]
    for letter, knuckle in zip('tnm', (9, 13, 17), strict=True):
        points = keypoints(letter)
        assert points[4, 1] > points[knuckle, 1] + 0.01, letter
    for finger, within in ((8, 0.018), (12, 0.03)):
        assert np.linalg.norm(keypoints('o')[4] - keypoints('o')[finger]) < within
    assert all(pose_penetration(pose, SHAPE) < MAX_PENETRATION for pose in LETTERS.values())


def test_pose_files(tmp_path):
    path = tmp_path / 'poses.npz'
    angles = np.stack([GESTURES['fist'].angles, GESTURES['open'].angles]).astype(np.float32)
    np.savez(path, angles=angles, names=np.array(['a', 'b']))
    poses = load_poses(path)
    assert len(poses) == 2 and np.allclose(poses[1].angles, angles[1])
    with pytest.raises(FileNotFoundError, match='none.npz'):
        load_poses(tmp_path / 'none.npz')
    too_far = angles.copy()
    too_far[1, 0] = 120
    for arrays, message in (
        (dict(angles=too_far), r'poses\.npz: row 1: index_mcp: expected -25 to 92 degrees, got 120'),
        (dict(angles=angles[:, :5]), r'poses\.npz: angles: expected numbers of shape .* got float32 \(2, 5\)'),
        (dict(other=angles), "expected an .npz file with the array 'angles'"),
        (dict(angles=np.array([{}], dtype=object)), "expected an .npz file with the array 'angles'"),
    ):
        np.savez(path, **arrays)
        with pytest.raises(ValueError, match=message):
            load_poses(path)
    for data in (b'', b'PK no zip', b'nonsense'):
        path.write_bytes(data)
        with pytest.raises(ValueError, match="expected an .npz file with the array 'angles'"):
            load_poses(path)
