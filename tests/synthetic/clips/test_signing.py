"""Clips of signs: who shows what, and how it looks."""

import numpy as np
import pytest

from handkp_plugins.synthetic.clips.signing import SignMaker, sign_names
from handkp_plugins.synthetic.datasets.recipe import SignRecipe
from handkp_plugins.synthetic.hand.model import ProceduralHand
from handkp_plugins.synthetic.poses.fingerspelling import LETTERS

NAMES = ('letter_b', 'letter_g', 'letter_v')


@pytest.fixture(scope='module')
def clips():
    """Clips of six people, three signs each."""
    maker = SignMaker(NAMES, 3, 5.0, models=[ProceduralHand()], size=96, height=64)
    return [maker.plan(4, i) for i in range(18)]


def test_a_person_shows_every_sign_with_one_hand(clips):
    for i, clip in enumerate(clips):
        hand, first = clip.base_scene.main, clips[i - i % 3].base_scene.main
        assert clip.gestures == [NAMES[i % 3]] * 3 and clip.base_scene.camera.extent.tolist() == [96, 64]
        assert (hand.shape.segments == first.shape.segments).all()
        assert hand.hand.handedness == first.hand.handedness
        assert not clip.base_scene.objects and clip.base_scene.other is None
    assert len({clip.base_scene.main.shape.segments.tobytes() for clip in clips}) == 6
    assert {clip.base_scene.main.hand.handedness for clip in clips} == {'left', 'right'}


def test_hands_show_the_sign_and_move_a_little(clips):
    for i, clip in enumerate(clips):
        off = np.abs(clip.angles - LETTERS[NAMES[i % 3]].angles)
        assert off.mean() < 6 and off.max() < 25
        pixels = clip.base_scene.camera.project(clip.keypoints.reshape(-1, 3)).reshape(3, 21, 2)
        moved = np.linalg.norm(np.diff(pixels, axis=0), axis=-1).mean()
        assert 0.05 < moved < 6
    assert np.mean([_inside(clip) for clip in clips]) > 0.97


def _inside(clip):
    pixels = clip.base_scene.camera.project(clip.keypoints.reshape(-1, 3))
    return ((pixels >= 0) & (pixels <= clip.base_scene.camera.extent - 1)).all(1).mean()


def test_palm_to_the_camera_and_g_to_the_side(clips):
    for i, clip in enumerate(clips):
        up = clip.axes[0] @ [0, 1, 0]  # of the palm's frame, wrist to middle finger
        side = {'right': 1, 'left': -1}[clip.base_scene.main.hand.handedness]
        if NAMES[i % 3] == 'letter_g':
            assert side * up[0] > 0.5
        else:
            assert up[1] < -0.6
        assert (clip.axes[0] @ [0, 0, 1])[2] > 0.4  # the palm's normal, away from the palm


def test_the_recipe_counts_people():
    recipe = SignRecipe(num=10, signs=('letters',), frames=4)
    assert recipe.num_images == 10 * 26 * 4 and len(recipe.batches) == 260
    people = {name: {i // 104 for i in ids} for name, ids in recipe.splits.items()}
    assert {name: len(p) for name, p in people.items()} == dict(train=8, val=1, test=1)
    assert len(set.union(*people.values())) == 10 and sum(map(len, recipe.splits.values())) == recipe.num_images
    assert recipe.extra_keys(105)['image'] == dict(video_id=26, frame_id=1, person=1)
    assert len(sign_names(['gestures', 'letter_a'])) > 25
    with pytest.raises(ValueError, match='num: expected 3 or more people'):
        SignRecipe(num=2)
