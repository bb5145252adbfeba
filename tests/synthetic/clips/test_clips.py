"""Clips: smooth, of one hand each, and on disk whole clips with the ids that metrics need."""

import json
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from mmpose.registry import DATASETS
from scipy.spatial.transform import Rotation

from handkp_plugins.synthetic.clips import clip as video
from handkp_plugins.synthetic.clips.clip import Clip, ClipMaker, plan_clip
from handkp_plugins.synthetic.clips.motion import CameraPath
from handkp_plugins.synthetic.datasets import generate as module
from handkp_plugins.synthetic.datasets.generate import generate
from handkp_plugins.synthetic.datasets.recipe import ClipRecipe, Recipe
from handkp_plugins.synthetic.hand.model import ProceduralHand
from handkp_plugins.synthetic.hand.shape import HandShape
from handkp_plugins.synthetic.poses.sampler import PoseSampler
from handkp_plugins.synthetic.rendering.camera import Camera
from handkp_plugins.synthetic.scenes.sample import Sample
from handkp_plugins.synthetic.scenes.scene import random_scene
from handkp_plugins.synthetic.scenes.worn import ring, watch

RECIPE = ClipRecipe(num=3, size=64, height=80, frames=4, seed=5)
CAMERA = Camera(240, 400.0, 320)
RIGID = [(0, 5), (0, 9), *((a, a + 1) for a in (1, 2, 3, 5, 7, 9, 11, 13, 15, 17, 19))]
"""Bones between keypoints that lie on one bone of the model, or at both ends of it."""


@pytest.fixture(scope='module')
def model() -> ProceduralHand:
    return ProceduralHand()


def planned(model: ProceduralHand, index: int, fps: float = 30.0) -> Clip:
    rng = np.random.default_rng([3, index])
    scene = replace(random_scene([model], 240, rng, PoseSampler()), camera=CAMERA)
    return plan_clip(scene, CAMERA, np.arange(round(1.6 * fps)) / fps, PoseSampler(), rng)


@pytest.fixture(scope='module')
def clips(model) -> list[Clip]:
    return [planned(model, i) for i in range(10)]


def pixels_of(keypoints: np.ndarray) -> np.ndarray:
    return CAMERA.project(keypoints.reshape(-1, 3)).reshape(*keypoints.shape[:2], 2)


def speeds(pixels: np.ndarray, order: int) -> float:
    return float(np.linalg.norm(np.diff(pixels, order, axis=0), axis=-1).mean())


def test_keypoints_move_and_accelerate_less_than_they_move(model, clips):
    """Independent frames accelerate by √3 times what they move, on the average of independent normal places."""
    moved, accelerated = (np.array([speeds(pixels_of(clip.keypoints), n) for clip in clips]) for n in (1, 2))
    assert moved.mean() > 1 and (accelerated < 0.75 * moved + 0.05).all()
    main = [random_scene([model], 240, np.random.default_rng(i), PoseSampler()).main for i in range(40)]
    independent = pixels_of(np.stack([hand.to_camera(hand.hand.keypoints) for hand in main]))
    assert speeds(independent, 2) > 1.5 * speeds(independent, 1) > 20 * moved.mean()


def test_acceleration_has_no_jumps(model):
    """Four times the frames a second: third differences 64 times smaller; 16 times if acceleration jumped."""
    worst = []
    for fps in (120, 480):
        pixels = pixels_of(planned(model, 2, fps).keypoints)
        worst.append(np.abs(np.diff(pixels, 3, axis=0)).max())
    assert worst[0] / worst[1] > 40


def test_hands_stay_in_the_picture_mostly(clips):
    inside = [((p >= 0) & (p <= CAMERA.extent - 1)).all(-1).mean() for p in (pixels_of(c.keypoints) for c in clips)]
    assert np.mean(inside) > 0.95 and min(inside) > 0.75
    assert min(clip.keypoints[..., 2].min() for clip in clips) > 0.1


def test_things_stay_where_they_are_worn_and_held(model, clips):
    held = next(clip for clip in (*clips, *(planned(model, i) for i in range(10, 40))) if clip.held)
    places = []
    for i in (0, 20, 40):
        scene = held.scene_at(i)
        assert scene.other is None and scene.in_front is None and scene.camera == CAMERA
        places.append((scene.held.mesh.points - scene.main.offset) @ scene.main.axes)
    assert np.allclose(places, places[0]) and (held.angles == held.angles[0]).all()

    moving = max(clips, key=lambda clip: np.ptp(clip.angles, axis=0).max())
    rng, first = np.random.default_rng(0), moving.scene_at(0)
    hand = first.main
    obj = ring(hand.hand, rng)
    scene = replace(
        first, worn=(obj.transform(hand.axes, hand.offset), watch(hand.hand, rng)[0].transform(hand.axes, hand.offset))
    )
    clip = plan_clip(scene, CAMERA, np.arange(40) / 30, PoseSampler(), np.random.default_rng(8))
    assert np.ptp(clip.angles, axis=0).max() > 30
    for i in range(0, 40, 6):
        scene = clip.scene_at(i)
        around, arm = (worn.mesh.points.mean(0) for worn in scene.worn)
        keypoints = scene.main.to_camera(scene.main.hand.keypoints)
        to_segment = [
            np.linalg.norm(np.cross(around - keypoints[a], keypoints[b] - keypoints[a]))
            / np.linalg.norm(keypoints[b] - keypoints[a])
            for a, b in ((5, 6), (9, 10), (13, 14), (17, 18))
        ]
        assert min(to_segment) < 0.004
        axis = scene.main.axes @ scene.main.hand.forearm[:3, 1]
        to_wrist = arm - scene.main.offset
        assert np.linalg.norm(to_wrist - axis * (to_wrist @ axis)) < 0.02 and to_wrist @ axis < -0.02


@pytest.mark.parametrize('size, height', [(64, 96), (96, 64)])
def test_keypoints_lie_on_the_hand_in_upright_and_wide_frames(model, size, height):
    maker = ClipRecipe(num=3, size=size, height=height, frames=3).build_maker(models=[model], size=size, height=height)
    samples = [sample for clip in range(4) for sample in maker.make_clip(1, clip)]
    inside = []
    for sample in samples:
        assert sample.image.shape == (height, size, 3) and sample.mask.shape == (height, size)
        keypoints = np.array(sample.annotation['keypoints']).reshape(21, 3)
        points, camera = np.array(sample.annotation['keypoints_3d']), np.array(sample.camera['K'])
        projected = points @ camera.T
        assert np.allclose(projected[:, :2] / projected[:, 2:], keypoints[:, :2], atol=0.1)
        mask = cv2.dilate((sample.mask > 0.3).astype(np.uint8), np.ones((3, 3)))
        inside += [mask[round(y), round(x)] > 0 for x, y, v in keypoints if v]
        x, y, w, h = sample.annotation['bbox']
        assert x >= 0 and y >= 0 and x + w <= size and y + h <= height
    assert np.mean(inside) > 0.98 and len(inside) > 0.8 * 21 * len(samples)


def test_the_wall_moves_as_the_camera_turns(model, clips, monkeypatch):
    """A dot in its middle; the camera turns right by 20 pixels, then back and down by 8; shutter shut and open."""
    maker = ClipMaker(frames=3, fps=30, size=240, height=320, models=[model])
    dot = np.zeros((512, 512, 3), np.float32)
    dot[254:258, 254:258] = 1
    monkeypatch.setattr(maker, '_background', lambda size, rng: dot)
    axes = Rotation.from_rotvec([[0, 0, 0], [0, np.arctan(20 / 400), 0], [-np.arctan(8 / 400), 0, 0]]).as_matrix()
    clip = replace(clips[0], camera_path=CameraPath(axes, np.zeros((3, 3))), offsets=clips[0].offsets[:3])
    for shutter, width in ((0.0, 4), (1.0, 24)):
        walls = maker._move_background(clip, shutter, np.random.default_rng(0))
        rows, columns = zip(*(np.nonzero(wall[..., 0] > 0.01) for wall in walls), strict=True)
        assert [c.mean() for c in columns] == pytest.approx([119.5, 99.5, 119.5], abs=0.6)
        assert [r.mean() for r in rows] == pytest.approx([159.5, 159.5, 151.5], abs=0.6)
        assert np.ptp(columns[0]) == pytest.approx(width, abs=3)


def test_exposure_is_set_once_a_clip_and_drifts(model, monkeypatch):
    """Where no hand is, a grey wall shows the drift alone."""
    exposures, pictures = [], []
    maker = ClipMaker(frames=8, fps=30, height=64, models=[model], size=64)
    monkeypatch.setattr(maker, '_background', lambda size, rng: np.full((size, size, 3), 0.5, np.float32))
    monkeypatch.setattr(video, 'exposure', lambda light, rng: exposures.append(light) or 1.0)
    nothing = np.zeros((64, 64, 3), np.uint8)
    monkeypatch.setattr(video, 'apply_camera', lambda image, look, rng: pictures.append(image) or nothing)
    masks = [sample.mask for index in range(3) for sample in maker.make_clip(2, index)]
    assert len(exposures) == 3
    drift = np.log([np.median(p[mask == 0]) / 0.5 for p, mask in zip(pictures, masks, strict=True)]).reshape(3, 8)
    assert (np.ptp(drift, axis=1) > 1e-4).all() and np.abs(drift).max() < 0.3
    assert np.abs(np.diff(drift, axis=1)).max() < 0.02 and np.abs(np.diff(drift, 2, axis=1)).max() < 1e-3


@pytest.fixture(scope='module')
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp('sets') / 'clips'
    result = generate(out, RECIPE, workers=1)
    assert (result.made, result.kept) == (12, 0) and result.splits == {'train': 4, 'val': 4, 'test': 4}
    return out


def contents(out: Path) -> dict[str, bytes]:
    return {str(p.relative_to(out)): p.read_bytes() for p in out.rglob('*') if p.is_file()}


def splits(out: Path) -> dict[str, dict]:
    return {name: json.loads((out / 'annotations' / f'{name}.json').read_text()) for name in ('train', 'val', 'test')}


def test_a_clip_is_in_one_split_whole_with_consecutive_frames(whole):
    seen = []
    for coco in splits(whole).values():
        (video,) = {image['video_id'] for image in coco['images']}
        seen.append(video)
        assert [image['frame_id'] for image in coco['images']] == [0, 1, 2, 3]
        assert [image['file_name'] for image in coco['images']] == [f'clips/{video:05d}/{i:06d}.jpg' for i in range(4)]
        assert {(image['width'], image['height']) for image in coco['images']} == {(64, 80)}
        assert cv2.imread(str(whole / coco['images'][0]['file_name'])).shape == (80, 64, 3)
        assert coco['info']['fps'] == 30
        assert len({annotation['handedness'] for annotation in coco['annotations']}) == 1
    assert sorted(seen) == [0, 1, 2]


def test_bones_keep_their_length_within_a_clip_and_differ_between_clips(whole):
    lengths = []
    for coco in splits(whole).values():
        points = np.array([annotation['keypoints_3d'] for annotation in coco['annotations']])
        bones = np.stack([np.linalg.norm(points[:, a] - points[:, b], axis=1) for a, b in RIGID], axis=1)
        assert np.ptp(bones, axis=0).max() < 4e-5  # coordinates are rounded to 1e-5 m
        lengths.append(bones[0])
    assert np.abs(lengths[0] - lengths[1]).max() > 1e-3


def test_two_workers_give_the_same_and_another_seed_does_not(whole, tmp_path):
    generate(tmp_path / 'two', RECIPE, workers=2)
    assert contents(tmp_path / 'two') == contents(whole)
    generate(tmp_path / 'other', replace(RECIPE, seed=6), workers=1)
    assert not set(contents(tmp_path / 'other').values()) & set(contents(whole).values())


def test_it_goes_on_with_the_clips_that_are_missing(whole, tmp_path):
    out, calls = tmp_path / 'broken', iter(range(100))

    def interrupt(done: int) -> None:
        if next(calls) == 1:  # after the first clip
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        generate(out, RECIPE, workers=1, progress=interrupt)
    assert not list(out.glob('annotations/*.json'))
    (out / 'clips' / '00000' / '000002.jpg').unlink()
    stamps = {p: p.stat().st_mtime_ns for p in out.glob('records/*') if p.name != '00000.json'}
    result = generate(out, RECIPE, workers=1)
    assert result.made + result.kept == 12 and result.made >= 4
    assert contents(out) == contents(whole)
    assert stamps == {p: p.stat().st_mtime_ns for p in stamps}
    with pytest.raises(ValueError, match='made with frames=4, got frames=5'):
        generate(out, replace(RECIPE, frames=5), workers=1)


def test_the_data_set_of_generated_hands_reads_clips(whole):
    dataset = DATASETS.build(
        dict(
            type='SyntheticHandDataset',
            ann_file='annotations/val.json',
            data_root=str(whole),
            data_prefix=dict(img=''),
            pipeline=[],
        )
    )
    assert len(dataset) == 4 and dataset[0]['keypoints'].shape == (1, 21, 2) and dataset[0]['camera'].shape == (3, 3)
    assert cv2.imread(dataset[3]['img_path']).shape == (80, 64, 3)


def test_a_failing_frame_is_named(tmp_path, monkeypatch):
    class Maker:
        def make_clip(self, seed: int, index: int) -> Iterator[Sample]:
            yield Sample(np.zeros((80, 64, 3), np.uint8), np.zeros((80, 64)), {}, {})
            raise ZeroDivisionError('no hand')

    monkeypatch.setitem(module._WORKER, 'maker', Maker())
    with pytest.raises(RuntimeError, match=r'clip 2, frame 1 \(seed 5\) failed: ZeroDivisionError: no hand'):
        module._make_batch(tmp_path, RECIPE, RECIPE.batches[2])
    assert not list(tmp_path.glob('records/*'))


@pytest.mark.parametrize(
    'arguments, message',
    [
        ({'num': 2}, 'num: expected 3 or more clips .* got 2'),
        ({'height': 8}, 'height: expected 64 to 1024 .* got 8'),
        ({'frames': 2}, 'frames: expected 3 or more, got 2'),
        ({'fps': 0.0}, 'fps: expected 5 to 240 .* got 0.0'),
        ({'layers': True}, 'layers: expected False with clips'),
    ],
)
def test_arguments_out_of_range(arguments, message):
    with pytest.raises(ValueError, match=message):
        ClipRecipe(**arguments)


def test_pictures_do_not_take_the_place_of_clips(tmp_path):
    clips = replace(RECIPE, num=10)
    module._prepare_folder(tmp_path, clips)
    before = contents(tmp_path)
    pictures = Recipe(**{field.name: getattr(clips, field.name) for field in fields(Recipe)})
    with pytest.raises(ValueError, match='has a dataset made with (height|frames|fps)='):
        generate(tmp_path, pictures, workers=1)
    assert contents(tmp_path) == before


def test_hands_of_one_shape_and_alone(model):
    maker = ClipRecipe().build_maker(models=[model], size=64, height=64, one_shape=True, alone=True)
    points = [np.array(next(maker.make_clip(0, i)).annotation['keypoints_3d']) for i in range(2)]
    lengths = [np.linalg.norm(p[5] - p[6]) for p in points]
    assert lengths == pytest.approx([0.96 * HandShape().segments[1, 0]] * 2, abs=2e-5)
