"""Scenes of several hands: each hand drawn has its box and is seen, people stay behind, sets go on as they began."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from mmdet.registry import DATASETS
from mmdet.utils import register_all_modules

from handkp_plugins.datasets.checks.box_files import check_box_file
from handkp_plugins.synthetic.datasets.generate import generate
from handkp_plugins.synthetic.datasets.recipe import SceneRecipe
from handkp_plugins.synthetic.hand.model import ProceduralHand
from handkp_plugins.synthetic.hand.skin import random_skin, skin_tone
from handkp_plugins.synthetic.poses.sampler import PoseSampler
from handkp_plugins.synthetic.rendering.renderer import Part
from handkp_plugins.synthetic.scenes.multi_hand import (
    MultiHandScene,
    SceneMaker,
    random_multi_hand_scene,
    visible_share,
)
from handkp_plugins.synthetic.scenes.people import bystander, owner

SIZE = 160
RECIPE = SceneRecipe(num=22, size=SIZE, seed=3)


@pytest.fixture(scope='module')
def maker() -> SceneMaker:
    return SceneMaker(size=SIZE, models=[ProceduralHand()])


@pytest.fixture(scope='module')
def scenes(maker: SceneMaker) -> list[MultiHandScene]:
    rng, poses = np.random.default_rng(0), PoseSampler()
    return [random_multi_hand_scene(maker.models, SIZE, rng, poses, alone=False, one_shape=False) for _ in range(60)]


@pytest.fixture(scope='module')
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp('sets') / 'scenes'
    assert generate(out, RECIPE, workers=1).made == 22
    return out


def drawn_hand(maker: SceneMaker, hand, camera) -> np.ndarray:
    """Coverage (H, W) of one hand without its arm."""
    posed, is_hand = hand.hand, hand.model.is_hand
    faces = posed.faces[is_hand[posed.faces].all(1)]
    points = hand.to_camera(posed.vertices)
    return maker.renderer.render([Part(points, faces, np.ones_like(points))], camera.focal).alpha


def test_each_box_is_that_of_the_hand_drawn(maker: SceneMaker, scenes: list[MultiHandScene]):
    checked = cut = 0
    for scene in [s for s in scenes if s.people][:10]:
        rendering = maker._render_multi_hand(scene, np.random.default_rng(0))
        for person in scene.people:
            for hand in person.hands:
                rows, columns = np.nonzero(drawn_hand(maker, hand, scene.camera))
                x, y, width, height = maker._labels_of(person, hand, rendering)['bbox']
                drawn = [columns.min(), rows.min(), columns.max(), rows.max()]
                beyond = np.array([x, y, x + width, y + height]) - drawn
                if min(x, y) > 0 and (np.array([x + width, y + height]) < scene.camera.extent - 1).all():
                    assert np.abs(beyond).max() < 1.6
                else:  # of a hand that the border cuts, the part outside may reach further along the border
                    assert (beyond[:2] < 1.6).all() and (beyond[2:] > -1.6).all()
                    cut += 1
                # what is drawn of all hands, arms and people covers it
                assert (rendering.alpha[rows, columns] > 0).all()
                checked += 1
    assert checked >= 12 and checked - cut >= 8


def test_none_to_four_hands_of_many_sizes(scenes: list[MultiHandScene]):
    counts = [sum(len(person.hands) for person in scene.people) for scene in scenes]
    assert set(counts) == {0, 1, 2, 3, 4}
    sizes = [
        np.ptp(scene.camera.project(hand.to_camera(hand.hand.keypoints)), axis=0).max() / scene.camera.extent.min()
        for scene in scenes
        for person in scene.people
        for hand in person.hands
    ]
    assert min(sizes) < 0.1 and max(sizes) > 0.7
    assert len({tuple(scene.camera.extent) for scene in scenes}) >= 4
    assert any(scene.objects for scene in scenes) and any(
        obj.name == 'body' for scene in scenes for person in scene.people for obj in person.worn
    )


def test_hands_are_drawn_apart_and_inside(maker: SceneMaker):
    for index in range(12):
        sample = maker.make(5, index)
        height, width = sample.image.shape[:2]
        assert max(height, width) == SIZE and sample.mask.shape == (height, width)
        boxes = np.array([a['bbox'] for a in sample.annotations]).reshape(-1, 4)
        assert (boxes >= 0).all() and (boxes[:, :2] + boxes[:, 2:] <= [width - 1, height - 1]).all()
        assert (boxes[:, 2:] > 2).all()
        assert [a['id'] for a in sample.annotations] == [4 * index + k for k in range(len(boxes))]
        assert all(a['handedness'] in ('left', 'right') and len(a['keypoints']) == 63 for a in sample.annotations)


def test_a_hand_behind_another_thing_is_not_seen(maker: SceneMaker, scenes: list[MultiHandScene]):
    scene = next(s for s in scenes if len(s.people) == 1 and s.people[0].other is None)
    person = scene.people[0]
    alone = replace(person, held=None, in_front=None, worn=())
    depth = maker._render_multi_hand(replace(scene, people=(alone,), objects=()), np.random.default_rng(0)).depth
    assert visible_share(person.main, scene.camera, depth) > 0.5
    assert visible_share(person.main, scene.camera, np.minimum(depth, 0.06)) == 0


def test_people_stay_behind_their_hand_and_share_its_skin(scenes: list[MultiHandScene]):
    rng, skin = np.random.default_rng(2), random_skin(np.random.default_rng(1))
    hands = [person.main for scene in scenes for person in scene.people]
    bodies = [(hand, owner(hand, skin, rng)) for hand in hands]
    assert sum(bool(body) for _, body in bodies) > 10
    for hand, body in bodies:
        farthest = hand.to_camera(hand.hand.keypoints)[:, 2].max()
        assert all(part.mesh.points[:, 2].min() > farthest for part in body)
    colors = np.concatenate([part.mesh.colors for part in bystander(np.array([0, 0, 2.0]), skin, rng)])
    assert (np.abs(colors - skin_tone(skin)).max(1) < 1e-6).mean() > 0.1


def contents(out: Path) -> dict[str, bytes]:
    files = [p for folder in ('annotations', 'images', 'records') for p in out.glob(f'{folder}/*')]
    return {str(p.relative_to(out)): p.read_bytes() for p in files}


def test_a_set_goes_on_after_an_interruption_and_ends_the_same(whole: Path, tmp_path: Path):
    def interrupt(done: int) -> None:
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        generate(tmp_path / 'again', RECIPE, workers=1, progress=interrupt)
    (tmp_path / 'again' / 'images' / '000021.jpg').unlink(missing_ok=True)
    assert generate(tmp_path / 'again', RECIPE, workers=1).made == 2  # those of the last record
    assert contents(tmp_path / 'again') == contents(whole)


def test_mmdetection_reads_the_set_with_its_images_of_no_hand(whole: Path):
    register_all_modules(init_default_scope=False)
    path = whole / 'annotations' / 'train.json'
    document = json.loads(path.read_text())
    dataset = DATASETS.build(
        dict(
            type='mmdet.CocoDataset',
            ann_file=str(path),
            metainfo=dict(classes=('hand',)),
            data_prefix=dict(img=f'{whole}/'),
            filter_cfg=dict(filter_empty_gt=False),
            pipeline=[],
        )
    )
    found = [len(dataset.get_data_info(i)['instances']) for i in range(len(dataset))]
    assert len(found) == 18 == len(document['images']) and 0 in found and max(found) > 1
    assert sum(found) == len(document['annotations']) == check_box_file(str(path), ('hand',))
    for image in document['images']:
        assert max(image['width'], image['height']) == SIZE and (whole / image['file_name']).is_file()


@pytest.mark.parametrize(
    'arguments, message',
    [
        ({'layers': True}, 'layers: expected False with scenes'),
        ({'size': 100}, 'size: expected 128 to 1024 .* got 100'),
    ],
)
def test_what_scenes_are_not_made_with(arguments: dict, message: str):
    with pytest.raises(ValueError, match=message):
        SceneRecipe(**arguments)
