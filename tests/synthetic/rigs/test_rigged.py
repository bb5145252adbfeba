"""Rigs of any rest pose, side, size and axes become hands that pose as ours do."""

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.tube_hand import RADIUS, tube_hand, write_tube_hand

from handkp_plugins.synthetic.hand.pose import HandPose
from handkp_plugins.synthetic.hand.shape import MEAN_ROOTS, MEAN_SEGMENTS, HandShape, random_shape
from handkp_plugins.synthetic.hand.skin import SkinLook
from handkp_plugins.synthetic.poses.gestures import GESTURES
from handkp_plugins.synthetic.rigs.joints import OPTIONAL, ROLES
from handkp_plugins.synthetic.rigs.rigged import RiggedHand, load_rig

REAL_RIGS = [
    'godot_xr_hands/hand_r.gltf',
    'godot_xr_hands/hand_l.gltf',
    'godot_xr_hands/Hand_Nails_low_L.gltf',
    'webxr_generic_hand/generic-hand_left.glb',
    'webxr_generic_hand/generic-hand_right.glb',
]


@pytest.fixture(scope='module')
def rig(tmp_path_factory: pytest.TempPathFactory) -> RiggedHand:
    return load_rig(write_tube_hand(tmp_path_factory.mktemp('rig') / 'hand.gltf'))


@pytest.fixture(scope='module')
def textured(tmp_path_factory: pytest.TempPathFactory) -> RiggedHand:
    """The same hand, left, with other joint names and stripes."""
    path = tmp_path_factory.mktemp('rig') / 'hand.gltf'
    return load_rig(write_tube_hand(path, handedness='left', kind='WebXR generic hand', textured=True))


def windings(points: np.ndarray, vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """How often the surface goes round each point: 1 or more inside, 0 outside."""
    found = []
    for point in points:
        a, b, c = (vertices[faces[:, i]].astype(float) - point for i in range(3))
        la, lb, lc = (np.linalg.norm(v, axis=1) for v in (a, b, c))
        over = (a * np.cross(b, c)).sum(1)
        under = la * lb * lc + (a * b).sum(1) * lc + (b * c).sum(1) * la + (c * a).sum(1) * lb
        found.append(np.arctan2(over, under).sum() / (2 * np.pi))
    return np.array(found)


def off_axis(hand: RiggedHand, place: float = 1.0) -> np.ndarray:
    """Greatest distance in metres, across and up, of each finger's flesh from the line that it should lie around."""
    vertices = hand.pose(HandPose(), HandShape()).vertices
    distance = []
    for i in range(1, 5):
        own = vertices[(hand.template.finger == i) & (hand.template.place > place)]
        distance.append(np.abs(own - MEAN_ROOTS[i])[:, [0, 2]].max())
        assert own[:, 1].max() == pytest.approx(MEAN_ROOTS[i, 1] + MEAN_SEGMENTS[i].sum(), abs=0.002)
    return np.array(distance)


def test_zero_angles_are_straight_fingers_of_our_length(rig):
    assert off_axis(rig).max() < 1.2 * RADIUS


def test_size_axes_side_and_names_do_not_matter(rig, textured):
    """One rig is right, the other left, so that their forearms' seams differ; the fingers must not."""
    for finger in range(5):
        own, other = (h.resting[(h.template.finger == finger) & (h.template.place > 1)] for h in (rig, textured))
        assert np.allclose(own.mean(0), other.mean(0), atol=2e-4) and np.allclose(own.max(0), other.max(0), atol=5e-4)


def test_flexing_one_knuckle_moves_that_finger_towards_the_palm(rig):
    flat, bent = (rig.pose(pose, HandShape()) for pose in (HandPose(), HandPose.of(index_mcp=90)))
    moved = np.linalg.norm(bent.vertices - flat.vertices, axis=1)
    finger, place = rig.template.finger, rig.template.place
    assert moved[(finger == 1) & (place > 2)].min() > 0.05
    assert moved[np.isin(finger, [0, 2, 3, 4]) & (place > 0.5)].max() < 0.001
    tip, knuckle = bent.keypoints[8], bent.keypoints[5]
    assert tip[2] - knuckle[2] < -0.08 and abs(tip[1] - knuckle[1]) < 0.003
    own = bent.vertices[(finger == 1) & (place > 1)]
    assert own[:, 2].min() == pytest.approx(tip[2], abs=0.008) and np.abs(own[:, 1] - tip[1]).max() < 1.4 * RADIUS


@pytest.mark.parametrize('gesture', ['open', 'fist'])
def test_left_is_the_mirror_of_right(rig, gesture):
    right, left = (rig.pose(GESTURES[gesture], HandShape(), side) for side in ('right', 'left'))
    for name in ('vertices', 'normals', 'keypoints'):
        assert np.allclose(getattr(left, name), getattr(right, name) * [-1, 1, 1], atol=1e-7), name
    assert np.array_equal(left.faces, right.faces[:, ::-1])


@pytest.mark.parametrize('gesture', ['relaxed', 'ok', 'claw'])
def test_keypoints_lie_inside_their_tubes(textured, gesture):
    hand = textured.pose(GESTURES[gesture], random_shape(np.random.default_rng(1)), 'left')
    assert windings(hand.keypoints, hand.vertices, hand.faces).min() > 0.9


def test_a_longer_finger_moves_alone(rig):
    segments = HandShape().segments
    segments[2] *= 1.2
    mean, longer = (rig.pose(HandPose(), shape).vertices for shape in (HandShape(), HandShape(segments=segments)))
    moved = np.linalg.norm(longer - mean, axis=1)
    finger, place = rig.template.finger, rig.template.place
    assert moved[(finger == 2) & (place > 2.5)].min() > 0.01
    assert moved[np.isin(finger, [0, 1, 3, 4]) & (place > 0.7)].max() < 0.003


def test_a_forearm_is_welded_on(rig):
    faces = rig.template.faces
    edges = np.sort(faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    assert (np.unique(edges, axis=0, return_counts=True)[1] == 2).all()
    assert rig.resting[:, 1].min() < -0.4 and rig.template.weights.sum(1) == pytest.approx(1, abs=1e-5)
    hand = rig.pose(HandPose.of(wrist_flexion=60), HandShape())
    arm = hand.vertices[~rig.is_hand]
    end = arm[np.linalg.norm(arm, axis=1) > 0.35].mean(0)
    assert end[2] < -0.3 and np.dot(end, hand.forearm[:3, 1]) < -0.35


def test_textures_show_in_every_tone_and_fade_towards_the_arm(textured, rig):
    for tone in (0.0, 1.0):
        striped, plain = (h.colors(SkinLook(tone=tone, wrinkles=w)) for h, w in ((textured, 1.0), (textured, 0.0)))
        ratio = (striped / plain).mean(1)
        index = (textured.template.finger == 1) & (textured.template.place > 1) & (textured.template.place < 2)
        assert ratio[index].max() > 1.05 and ratio[index].min() < 0.9
        height = textured.resting[:, 1]
        near_weld = (height > -0.014) & (height < -0.011)
        assert near_weld.any() and np.abs(ratio[near_weld] - 1).max() < 0.06
        assert np.abs(ratio[height < -0.05] - 1).max() < 1e-6
    light, dark = (textured.colors(SkinLook(tone=tone)).mean() for tone in (0.0, 1.0))
    assert light > 2 * dark and rig.colors(SkinLook()).shape == rig.resting.shape


def test_a_normal_map_tilts_the_normals_of_the_hand_alone(rig, tmp_path):
    bumpy = load_rig(write_tube_hand(tmp_path / 'hand.gltf', bumpy=True))
    assert np.array_equal(bumpy.resting, rig.resting)
    own, plain = bumpy.template.normals, rig.template.normals
    cosine, height = (own * plain).sum(1), rig.resting[:, 1]
    assert np.linalg.norm(own, axis=1) == pytest.approx(1, abs=1e-5)
    assert np.degrees(np.arccos(np.median(cosine[rig.template.finger == 2]))) == pytest.approx(53, abs=4)
    assert cosine[height < -0.05].min() > 1 - 1e-6
    posed, without = (hand.pose(GESTURES['relaxed'], HandShape()) for hand in (bumpy, rig))
    assert np.abs(posed.normals - without.normals).max() > 0.5 and np.array_equal(posed.vertices, without.vertices)


def test_an_unknown_rig_is_told_about_by_a_table_beside_it(tmp_path):
    document = tube_hand()
    names = {node['name']: f'joint{i}' for i, node in enumerate(document['nodes'][:25])}
    for node in document['nodes'][:25]:
        node['name'] = names[node['name']]
    path = tmp_path / 'own.gltf'
    path.write_text(json.dumps(document))
    with pytest.raises(ValueError, match=r"own\.gltf: .*\['joint0', .*own\.joints\.json, .*'wrist', 'thumb_cmc'"):
        load_rig(path)
    table = dict(zip(ROLES, names.values(), strict=True))
    beside = tmp_path / 'own.joints.json'
    beside.write_text(json.dumps({role: name for role, name in table.items() if role not in OPTIONAL}))
    assert off_axis(load_rig(path)).max() < 1.2 * RADIUS
    for content, message in (
        ('{', 'own.joints.json: expected a JSON object from roles to joint names in JSON'),
        ('["wrist"]', 'own.joints.json: expected a JSON object from roles to joint names'),
        ('{"elbow": "joint1"}', r"own.joints.json: expected roles .* got \['elbow'\]"),
        ('{"wrist": "joint1"}', r'its joints are those of no rig known \(own.joints.json\)'),
    ):
        beside.write_text(content)
        with pytest.raises(ValueError, match=message):
            load_rig(path)


def _without_outline(document: dict[str, Any]) -> None:
    document['accessors'][4]['count'] = 60  # a few triangles of the palm


def _without_thumb(document: dict[str, Any]) -> None:
    document['skins'][0]['joints'][4] = document['skins'][0]['joints'][0]
    document['nodes'][4]['name'] = 'other'


def _all_joints_at_one_place(document: dict[str, Any]) -> None:
    matrices = np.tile(np.eye(4, dtype='<f4'), (25, 1, 1))
    document['buffers'].append(
        {'byteLength': matrices.nbytes, 'uri': 'data:;base64,' + base64.b64encode(matrices.tobytes()).decode()}
    )
    document['bufferViews'][5] = {'buffer': 1, 'byteLength': matrices.nbytes}


def _far_away(document: dict[str, Any]) -> None:
    blob = bytearray(base64.b64decode(document['buffers'][0]['uri'].partition(',')[2]))
    blob[:4] = np.array([1e30], '<f4').tobytes()
    document['buffers'][0]['uri'] = 'data:;base64,' + base64.b64encode(blob).decode()


@pytest.mark.parametrize(
    ('damage', 'message'),
    [
        (_far_away, 'a point of its mesh lies .* m away'),
        (_without_outline, 'the mesh has no simple outline between'),
        (_without_thumb, 'its joints are those of no rig known'),
        (_all_joints_at_one_place, 'joints wrist and thumb_cmc lie at one place'),
    ],
)
def test_meshes_that_are_no_hand(tmp_path, damage, message):
    document = tube_hand()
    damage(document)
    path = tmp_path / 'part.gltf'
    path.write_text(json.dumps(document))
    with pytest.raises(ValueError, match=rf'part\.gltf: {message}'):
        load_rig(path)


def test_the_palm_cups_without_metacarpals_of_its_own(rig):
    flat, cupped = (rig.pose(HandPose.of(palm_arch=a), HandShape()).vertices for a in (0, 20))
    moved = np.linalg.norm(cupped - flat, axis=1)
    template = rig.template
    palm = (template.finger < 0) & (rig.resting[:, 1] > 0.07) & (rig.resting[:, 0] > 0.028)
    assert palm.any() and moved[palm].min() > 0.01
    assert moved[(template.finger == 1) & (template.place > 0.5)].max() < 1e-6


def test_wrong_handedness(rig):
    with pytest.raises(ValueError, match="expected 'left' or 'right', got 'both'"):
        rig.pose(HandPose(), HandShape(), 'both')


@pytest.mark.parametrize('name', REAL_RIGS)
def test_public_rigs(real_data: Path, name: str):
    if not (real_data / name).is_file():
        pytest.skip(f'no {name} there')
    hand = load_rig(real_data / name)
    assert 15_000 < len(hand.resting) < 45_000
    assert off_axis(hand).max() < 0.0125
    for seed, gesture in enumerate(['fist', 'ok', 'hook']):
        posed = hand.pose(GESTURES[gesture], random_shape(np.random.default_rng(seed)))
        assert windings(posed.keypoints, posed.vertices, posed.faces).min() > 0.9
    colors = hand.colors(SkinLook(tone=0.9))
    palm, back = hand.painter.palmar > 0.9, hand.painter.palmar < 0.1
    assert colors[palm].mean() > 1.2 * colors[back].mean()
