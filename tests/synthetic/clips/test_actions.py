"""Clips of actions: what moves and how, what the labels say, and that one frame does not tell the verb."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from handkp_plugins.structures.skeleton import FINGER_KEYPOINTS
from handkp_plugins.synthetic.clips.action_maker import ActionMaker, plan_action
from handkp_plugins.synthetic.clips.actions import ACTIONS, FOCAL, OBJECTS, VERBS, action_of, random_person
from handkp_plugins.synthetic.datasets.recipe import ActionRecipe
from handkp_plugins.synthetic.hand.model import ProceduralHand

FRAMES, FPS = 24, 12.0


@pytest.fixture(scope='module')
def model():
    return ProceduralHand(3.0)


@pytest.fixture(scope='module')
def makers(model):
    """A maker of each number of labelled hands."""
    return {hands: ActionMaker(hands, FRAMES, FPS, models=[model], size=96, height=72) for hands in (1, 2)}


@pytest.fixture(scope='module')
def clips(makers):
    """Clips of four people, so each action once."""
    return [makers[1].plan(3, i) for i in range(len(ACTIONS))]


@pytest.fixture(scope='module')
def frames(makers):
    """Clips of two labelled hands with the renderings: (clip, [(sample, rendering), …])."""
    maker, label, shown = makers[2], makers[2]._label, []

    def keep(scene, image, rendering, index):
        shown.append(rendering)
        return label(scene, image, rendering, index)

    maker._label = keep
    made = []
    for index in (0, 10):
        shown.clear()
        samples = list(maker.make_clip(5, index))
        made.append((maker.plan(5, index), list(zip(samples, shown, strict=True))))
    del maker._label
    return made


def at_rest(clip):
    """Axes and offsets of the hand in the frame of the camera at rest."""
    path = clip.camera_path
    return path.axes @ clip.axes, np.einsum('nij,nj->ni', path.axes, clip.offsets) + path.positions


def pair(makers, verb, seed):
    """Clips of both verbs of a pair from the same random numbers."""
    maker = makers[2]
    person = random_person(maker.models, False, np.random.default_rng(seed))
    return [
        plan_action(action, person, maker.camera, maker.time, 2, maker.poses, np.random.default_rng(seed))
        for action in (VERBS.index(verb), VERBS.index(verb) ^ 1)
    ]


@pytest.mark.parametrize('verb', ['lift', 'pull', 'tip'])
def test_a_pair_is_one_path_played_in_two_directions(makers, verb):
    """So each frame of one verb is a frame of the other: hands, object, camera, light, table."""
    forward, back = pair(makers, verb, 11)
    assert (ACTIONS[forward.action], ACTIONS[back.action]) == (f'{verb} cup', f'{VERBS[VERBS.index(verb) + 1]} cup')
    for one, other in ((forward, back), (forward.other, back.other)):
        for name in ('angles', 'frames', 'axes', 'offsets', 'keypoints'):
            assert np.array_equal(getattr(one, name), getattr(other, name)[::-1]), name
        assert one.gestures == other.gestures[::-1]
        assert np.array_equal(one.camera_path.axes, other.camera_path.axes[::-1])
        assert np.array_equal(one.camera_path.positions, other.camera_path.positions[::-1])
    assert np.array_equal(forward.held.mesh.points, back.held.mesh.points)
    assert forward.view.height == back.view.height and np.array_equal(forward.view.axes, back.view.axes)
    sky = forward.base_scene.lighting.sky, back.base_scene.lighting.sky
    assert np.array_equal(*sky) and forward.base_scene.skin == back.base_scene.skin


def test_hands_move_as_the_verb_says(clips):
    for clip in clips:
        axes, offsets = at_rest(clip)
        centres = np.einsum('nij,j->ni', axes, clip.held.mesh.points.mean(0)) + offsets
        way = centres[-1] - centres[0]
        angle = np.degrees(Rotation.from_matrix(axes[-1] @ axes[0].T).magnitude())
        verb, up, away = ACTIONS[clip.action].split()[0], way @ clip.view.up, way @ clip.view.ahead
        sign = 1 if verb in ('lift', 'push') else -1
        if verb in ('lift', 'lower'):
            assert 0.05 < sign * up < 0.18 and abs(away) < 0.05
        elif verb in ('pull', 'push'):
            assert 0.05 < sign * away < 0.18 and abs(up) < 0.05
        else:
            assert 30 < angle < 100
        if verb in ('tip', 'right'):
            gone = np.degrees(Rotation.from_matrix(axes @ axes[0].T).magnitude()) / angle
        else:
            gone = (centres - centres[0]) @ way / (way @ way)
        assert max(gone[:3]) < 0.2 and min(gone[-3:]) > 0.8  # it rests before and after


def test_hands_hold_their_object_above_the_table_before_the_camera(clips):
    inside = []
    for clip in clips:
        main, points = clip.base_scene.main, clip.held.mesh.points
        assert clip.held.name == OBJECTS[clip.action // len(VERBS)]
        assert (clip.angles == main.pose.angles).all()
        tips = main.hand.keypoints[[ids[-1] for ids in FINGER_KEYPOINTS.values()]]
        distance = np.sort(np.linalg.norm(tips[:, None] - points, axis=2).min(1))
        assert distance[1] < 0.025  # of two tips, keypoint to mesh
        axes, offsets = at_rest(clip)
        spheres = np.concatenate([main.hand.spheres, np.pad(points, ((0, 0), (0, 1)))])
        heights = (clip.view.up @ axes) @ spheres[:, :3].T + (offsets @ clip.view.up)[:, None] - spheres[:, 3]
        assert -1e-6 < heights.min() + clip.view.height < 0.06
        assert clip.keypoints[..., 2].min() > 0.14 and clip.keypoints[..., 2].max() < 0.8
        pixels = clip.base_scene.camera.project(clip.keypoints.reshape(-1, 3))
        inside.append(((pixels >= 0) & (pixels <= [95, 71])).all(1).mean())
        to_fingers = axes[0] @ main.hand.forearm[:3, 1]
        assert to_fingers @ clip.view.ahead > 0  # the arm comes from the viewer
    assert np.mean(inside) > 0.95 and min(inside) > 0.7


def test_people_share_hands_and_show_each_verb(clips):
    assert [ACTIONS[clip.action].split()[0] for clip in clips] == list(VERBS) * 4
    assert sorted(clip.action for clip in clips) == list(range(24))
    assert [action_of(i) for i in range(24)] == [clip.action for clip in clips]
    for i, clip in enumerate(clips):
        first = clips[i - i % 6].base_scene
        assert (clip.base_scene.main.shape.segments == first.main.shape.segments).all()
        assert clip.base_scene.skin == first.skin and clip.base_scene.camera.focal == FOCAL * 96
    assert len({clip.base_scene.main.shape.segments.tobytes() for clip in clips}) == 4
    assert {clip.base_scene.main.hand.handedness for clip in clips} == {'right'}
    assert {clip.other is None for clip in clips} == {True, False}


def test_the_same_seed_gives_the_same_clip(makers, clips):
    assert np.array_equal(makers[1].plan(3, 7).keypoints, clips[7].keypoints)
    assert not np.allclose(makers[1].plan(4, 7).keypoints, clips[7].keypoints)


def test_either_of_two_hands_acts_and_the_hands_stay_apart(makers):
    plans = [makers[2].plan(5, i) for i in (0, 3, 6, 10)]
    assert {plan.base_scene.main.hand.handedness for plan in plans} == {'left', 'right'}
    for plan in plans:
        scene = plan.scene_at(FRAMES // 2)
        assert {hand.hand.handedness for hand in scene.hands} == {'left', 'right'}
        a, b = (hand.spheres for hand in scene.hands)
        gap = np.linalg.norm(a[:, None, :3] - b[None, :, :3], axis=2) - a[:, None, 3] - b[None, :, 3]
        assert gap.min() > -0.01


def test_labels_are_projections_with_the_camera(frames):
    for clip, made in frames:
        for i, (sample, _) in enumerate(made):
            assert [a['handedness'] for a in sample.annotations] == [
                hand.hand.handedness for hand in clip.scene_at(i).hands
            ]
            for annotation, moving in zip(sample.annotations, (clip, clip.other), strict=True):
                points = np.array(annotation['keypoints_3d'])
                assert points == pytest.approx(moving.keypoints[i], abs=1e-5)
                image = points @ np.array(sample.camera['K']).T
                pixels = np.array(annotation['keypoints']).reshape(21, 3)[:, :2]
                assert image[:, :2] / image[:, 2:] == pytest.approx(pixels, abs=0.02)
        ids = [annotation['id'] for sample, _ in made for annotation in sample.annotations]
        assert len(set(ids)) == len(ids) == 2 * FRAMES


def test_visibility_agrees_with_the_depth_of_the_rendering(frames):
    """A visible keypoint lies within a finger's thickness of the nearest surface."""
    counts = np.zeros(3, int)
    for _, made in frames:
        for sample, rendering in made[::6]:
            for annotation in sample.annotations:
                x, y, visible = np.array(annotation['keypoints']).reshape(21, 3).T
                inside = visible > 0
                assert np.array_equal(inside, (x >= -0.5) & (x < 95.5) & (y >= -0.5) & (y < 71.5))
                depth = np.array(annotation['keypoints_3d'])[:, 2]
                surface = rendering.depth[np.rint(y[inside]).astype(int), np.rint(x[inside]).astype(int)]
                behind = depth[inside] - surface
                assert (behind[visible[inside] == 2] < 0.045).all()
                assert (behind[visible[inside] == 1] > 0).all()
                counts += np.bincount(visible.astype(int), minlength=3)
    assert counts[1] > 50 and counts[2] > 50


def test_the_recipe_splits_by_people_and_names_actions():
    recipe = ActionRecipe(num=10)
    assert recipe.num_images == 10 * 6 * 32 and len(recipe.batches) == 60
    people, videos = [], []
    for split in ('train', 'val', 'test'):
        sections = recipe.extra_sections(split)
        assert sections['actions'][:2] == ['lift cup', 'lower cup'] and sections['objects'] == list(OBJECTS)
        videos += sections['videos']
        people.append({video['person'] for video in sections['videos']})
    assert [len(p) for p in people] == [8, 1, 1] and len(set.union(*people)) == 10
    assert sorted(video['id'] for video in videos) == list(range(60))
    for video in videos:
        assert sections['actions'][video['action']].endswith(sections['objects'][video['object']])
    assert recipe.extra_keys(6 * 32 + 33) == {'image': {'video_id': 7, 'frame_id': 1, 'person': 1}}


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'num': 2}, r'num: expected 3 or more people \(split 8:1:1\), got 2'),
        ({'hands': 3}, 'hands: expected 1 to 2, got 3'),
        ({'frames': 7}, 'frames: expected 8 or more, got 7'),
        ({'alone': True}, 'alone: expected False with actions, which have objects, got True'),
    ],
)
def test_arguments_out_of_range(options, message):
    with pytest.raises(ValueError, match=message):
        ActionRecipe(**options)
