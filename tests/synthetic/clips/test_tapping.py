"""Clips of tapping: what moves, when, and what the annotations say."""

import numpy as np
import pytest

from handkp_plugins.structures.skeleton import INDEX_TIP, THUMB_TIP
from handkp_plugins.synthetic.clips.tapping import openness, tap_times
from handkp_plugins.synthetic.datasets.recipe import TapRecipe
from handkp_plugins.synthetic.hand.model import ProceduralHand

FPS = 240.0  # so many that a frame is near each tap


@pytest.fixture(scope='module')
def model():
    return ProceduralHand()


def plans(model, clips=4, **options):
    recipe = TapRecipe(size=96, height=80, fps=FPS, frames=481, **options)
    maker = recipe.build_maker(models=[model], **recipe.size_args)
    return recipe, maker.time, [maker.plan(recipe.seed, i) for i in range(clips)]


def distance(clip):
    """Of the tips, in metres."""
    return np.linalg.norm(clip.keypoints[:, THUMB_TIP] - clip.keypoints[:, INDEX_TIP], axis=1)


@pytest.mark.parametrize('rate, jitter', [(1.0, 0.0), (3.0, 0.2), (6.0, 0.1)])
def test_the_tips_touch_at_the_tap_times_and_only_there(model, rate, jitter):
    recipe, time, clips = plans(model, tapping=rate, interval_jitter=jitter, seed=3)
    for i, clip in enumerate(clips):
        d, taps = distance(clip), recipe.taps(i)
        lowest = np.flatnonzero((d[1:-1] < d[:-2] - 1e-9) & (d[1:-1] <= d[2:])) + 1  # it rests at first, but for 1e-17
        assert time[lowest] == pytest.approx(taps, abs=1.01 / FPS)
        assert len(taps) == int(2 * rate) and (d[lowest] < 0.02).all()
        between = [d[(time > a) & (time < b)].max() for a, b in zip(taps[:-1], taps[1:], strict=True)]
        assert min(between, default=1) > (0.05 if rate < 4 else 0.03)
        assert clip.gestures == ['tapping'] * 481 and not clip.base_scene.objects and clip.base_scene.other is None


def test_both_tips_stay_in_the_picture_and_the_hand_moves_smoothly(model):
    moved = []
    for clip in plans(model, clips=8, tapping=2.0)[2]:
        camera = clip.base_scene.camera
        pixels = camera.project(clip.keypoints.reshape(-1, 3)).reshape(-1, 21, 2)
        tips = pixels[:, [THUMB_TIP, INDEX_TIP]]
        assert ((tips > 0) & (tips < camera.extent - 1)).all()
        seen = np.linalg.norm(tips[:, 0] - tips[:, 1], axis=1)
        assert np.ptp(seen) > 0.2 * np.linalg.norm(pixels[:, 0] - pixels[:, 9], axis=1).mean()
        wrist = np.linalg.norm(np.diff(pixels[:, 0], axis=0), axis=1)
        assert wrist.max() < 1
        moved.append(wrist.sum())
    assert np.mean(moved) > 1


def test_the_opening_falls(model):
    _, time, clips = plans(model, tapping=4.0, amplitude_decrement=0.8)
    for clip in clips:
        d = distance(clip)
        first, last = (np.ptp(d[(time > a) & (time < a + 0.5)]) for a in (0, 1.5))
        assert last < 0.5 * first


def test_times_have_the_rate_and_the_jitter():
    rng = np.random.default_rng(0)
    taps = tap_times(3.0, 0.2, 10.0, rng)
    assert len(taps) == 30 and taps[0] >= 1 / 6 - 1e-9 and taps[-1] <= 10 - 1 / 6 + 1e-9
    assert 29 / (taps[-1] - taps[0]) == pytest.approx(3.0)
    assert np.diff(taps).std() * 3 == pytest.approx(0.2, rel=0.3)
    assert np.diff(tap_times(2.5, 0.0, 9.9, rng)) == pytest.approx(np.full(23, 0.4))


def test_openness_by_hand():
    time = np.linspace(0, 4, 9)
    assert openness(time, np.array([1.0, 2.0, 3.0]), 0.0) == pytest.approx([1, 1, 0, 1, 0, 1, 0, 1, 1])
    assert openness(time, np.array([1.0, 2.0, 3.0]), 0.5)[[1, 3, 5, 7]] == pytest.approx(1 - 0.125 * time[[1, 3, 5, 7]])


def test_the_same_seed_gives_the_same_clip_and_another_does_not(model):
    (one,), (same,), (other,) = (plans(model, clips=1, tapping=3.0, interval_jitter=0.2, seed=s)[2] for s in (1, 1, 2))
    assert (one.keypoints == same.keypoints).all() and not np.allclose(one.keypoints, other.keypoints)


def test_the_annotations_tell_the_taps():
    recipe = TapRecipe(num=10, tapping=3.0, interval_jitter=0.1, amplitude_decrement=0.2)
    videos = [video for split in ('train', 'val', 'test') for video in recipe.extra_sections(split)['videos']]
    assert sorted(video['id'] for video in videos) == list(range(10))
    assert len(recipe.extra_sections('train')['videos']) == 8
    for video in videos:
        assert video['frequency'] == 3.0 and video['amplitude_decrement'] == 0.2
        assert video['tap_times'] == pytest.approx(recipe.taps(video['id']), abs=1e-5)
    assert len({tuple(video['tap_times']) for video in videos}) == 10


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'tapping': 7.6}, 'tapping: expected 0.2 to 7.5 taps per second, a quarter of the frame rate, got 7.6'),
        ({'tapping': 0.1}, 'tapping: expected 0.2 to 7.5 .* got 0.1'),
        ({'frames': 20}, 'frames: expected 21 or more, for two taps, got 20'),
        ({'amplitude_decrement': 1.0}, 'amplitude_decrement: expected 0 to 0.95, got 1.0'),
        ({'interval_jitter': 0.4}, 'interval_jitter: expected 0 to 0.3, got 0.4'),
    ],
)
def test_arguments_out_of_range(options, message):
    with pytest.raises(ValueError, match=message):
        TapRecipe(**options)
