"""Turns a rig into a :class:`HandTemplate`: a rigged hand of any origin, brought to the bones of the mean hand.

The rig's mesh is turned into the palm's frame, refined, and skinned once by the rig's own weights from the rig's bones
to ours at rest. After that it has our bone lengths and straight fingers, whatever its own rest pose was, and poses,
shapes, keypoints and collision spheres mean on it what they mean on the procedural hand. Its flesh stays its own.
"""

from dataclasses import dataclass, replace

import numpy as np

from .gestures import GESTURES
from .gltf import SkinnedMesh
from .kinematics import FINGER_ROLL, FRAME_INDEX, joint_frames, keypoints_from_frames, rotation, unit
from .pose import LONG_FINGERS
from .rig_joints import PARTS, THUMB_PARTS
from .shape import MEAN_ROOTS, MEAN_SEGMENTS, HandShape
from .surface import merged, quartered, subdivided
from .template import REST_POSE, HandTemplate, finger_attributes, hand_over_to_arm, smoothed, smoothstep, vertex_normals

FINGERS = ('thumb', *LONG_FINGERS)
BONES: tuple[str, ...] = (
    'palm',
    *(f'{finger}_metacarpal' for finger in LONG_FINGERS),
    *(f'{finger}_{i}' for finger in FINGERS for i in range(3)),
)
_BONE = {name: i for i, name in enumerate(BONES)}
_VERTICES = 12_000  # refined until there are at least so many
_MERGE_WITHIN = 1e-5  # of the hand's size
_WEIGHT_SMOOTHING = 4
_SLAB = 0.1  # half the thickness, in lengths of the bone before it, of the slice around a joint that tells its middle
_WRIST_SHARE = 0.1
"""Rigs have their wrist nearer to the elbow than people mark it: this share of the way to the middle knuckle."""


@dataclass(frozen=True)
class RiggedMesh:
    """A rig in the palm's frame of a right hand, metres, at its own rest pose.

    Args:
        points: (V, 3).
        faces: (F, 3).
        weights: (V, B) by :data:`BONES`.
        joints: by role, (3,).
        corner_uv: (F, 3, 2) places in the texture, None where there are none.
    """

    points: np.ndarray
    faces: np.ndarray
    weights: np.ndarray
    joints: dict[str, np.ndarray]
    corner_uv: np.ndarray | None


def bone_of_role(role: str) -> str:
    """The bone that starts at a joint."""
    finger, _, part = role.partition('_')
    if role == 'wrist':
        return 'palm'
    if part == 'metacarpal':
        return role
    order = THUMB_PARTS if finger == 'thumb' else PARTS[1:]
    return f'{finger}_{min(order.index(part), 2)}'


def in_palm_frame(mesh: SkinnedMesh, roles: dict[str, int]) -> RiggedMesh:
    """Scale, turn and, if it is a left hand, mirror a rig; joints of no role go with the palm."""
    chain = ['wrist'] + [f'{f}_{p}' for f in FINGERS for p in (THUMB_PARTS if f == 'thumb' else PARTS[1:])]
    joints = {role: mesh.joints[i, :3, 3] for role, i in roles.items()}
    theirs = np.stack([joints[role] for role in chain])
    # a bent hand is no mirror image of itself: the better fit tells left from right
    bent = keypoints_from_frames(joint_frames(GESTURES['relaxed'], HandShape()), HandShape())
    is_left = _similarity(theirs, bent, mirrored=True)[1] < _similarity(theirs, bent, mirrored=False)[1]
    palm = [0, 1, 5, 9, 13, 17]
    matrix, _ = _similarity(theirs[palm], np.concatenate([np.zeros((1, 3)), MEAN_ROOTS]), is_left)
    joints['wrist'] = joints['wrist'] + _WRIST_SHARE * (joints['middle_mcp'] - joints['wrist'])

    weights = np.zeros((len(mesh.points), len(BONES)))
    bone = {i: bone_of_role(role) for role, i in roles.items()}
    for i in range(len(mesh.joint_names)):
        weights[:, _BONE[bone.get(i, 'palm')]] += mesh.weights[:, i]
    points = _apply(matrix, mesh.points)
    ids, first, solid = merged(points, mesh.faces, _MERGE_WITHIN)
    faces = ids[mesh.faces][solid]
    corner_uv = None if mesh.uv is None else mesh.uv[mesh.faces[solid]].astype(np.float32)
    if is_left:
        faces = faces[:, ::-1]
        corner_uv = None if corner_uv is None else corner_uv[:, ::-1]
    return RiggedMesh(
        points[first],
        faces,
        weights[first],
        {role: _apply(matrix, p[None])[0] for role, p in joints.items()},
        corner_uv,
    )


def _similarity(source: np.ndarray, target: np.ndarray, mirrored: bool) -> tuple[np.ndarray, float]:
    """(3, 4) matrix that brings points (N, 3) nearest to others by turning, scaling and moving, and the error left.

    Source: Umeyama, *Least-squares estimation of transformation parameters between two point patterns*, 1991.
    """
    a, b = source - source.mean(0), target - target.mean(0)
    u, s, vt = np.linalg.svd(b.T @ a)
    signs = np.ones(3)
    if (np.linalg.det(u @ vt) < 0) != mirrored:
        signs[2] = -1
    linear = (u * signs) @ vt * ((s * signs).sum() / (a**2).sum())
    error = np.sqrt((((a @ linear.T) - b) ** 2).sum(1).mean())
    return np.concatenate([linear, (target.mean(0) - linear @ source.mean(0))[:, None]], 1), float(error)


def _apply(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    return points @ matrix[:, :3].T + matrix[:, 3]


def refined(rig: RiggedMesh) -> RiggedMesh:
    """Loop's subdivision until there are enough vertices for smooth colours and outlines."""
    while len(rig.points) < _VERTICES:
        matrix, faces = subdivided(rig.faces, len(rig.points))
        uv = rig.corner_uv
        if uv is not None:
            uv = quartered(uv, 0.5 * (uv + np.roll(uv, -1, axis=1)))
        rig = replace(rig, points=matrix @ rig.points, weights=matrix @ rig.weights, faces=faces, corner_uv=uv)
    return rig


def _bone_ends(joints: dict[str, np.ndarray]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    ends = {f'{f}_metacarpal': (joints['wrist'], joints[f'{f}_mcp']) for f in LONG_FINGERS}
    for finger in FINGERS:
        order = THUMB_PARTS if finger == 'thumb' else PARTS[1:]
        for i in range(3):
            ends[f'{finger}_{i}'] = joints[f'{finger}_{order[i]}'], joints[f'{finger}_{order[i + 1]}']
    return ends


def _frame(start: np.ndarray, end: np.ndarray, dorsal: np.ndarray) -> np.ndarray:
    along = (end - start) / np.linalg.norm(end - start)
    across = np.cross(along, dorsal)
    across /= np.linalg.norm(across)
    frame = np.eye(4)
    frame[:3, :3], frame[:3, 3] = np.stack([across, along, np.cross(across, along)], 1), start
    return frame


def _dorsal_references(rig: RiggedMesh) -> dict[str, np.ndarray]:
    """Roughly out of the back of each bone of a rig at rest."""
    up = np.array([0.0, 0, 1])
    references = {f'{f}_metacarpal': up for f in LONG_FINGERS}
    for finger, roll in zip(LONG_FINGERS, FINGER_ROLL, strict=True):
        references |= {f'{finger}_{i}': rotation(np.array([0, 1.0, 0]), roll) @ up for i in range(3)}
    thumb = _flat_side(rig, 'thumb_2')
    return references | {f'thumb_{i}': thumb for i in range(3)}


def _flat_side(rig: RiggedMesh, bone: str) -> np.ndarray:
    """The direction in which an end segment is thinnest: out of its nail."""
    start, end = _bone_ends(rig.joints)[bone]
    expected = joint_frames(REST_POSE, HandShape())[FRAME_INDEX[bone]][:3, 2]
    frame = _frame(start, end, expected)
    own = rig.points[rig.weights[:, _BONE[bone]] > 0.9]
    local = (own - start) @ frame[:3, :3]
    local = local[(local[:, 1] > 0.2 * np.linalg.norm(end - start))][:, [0, 2]]
    _, _, axes = np.linalg.svd(local - local.mean(0), full_matrices=False)
    thin = axes[1] * np.sign(axes[1, 1])
    return frame[:3, [0, 2]] @ thin


def unbent(rig: RiggedMesh) -> RiggedMesh:
    """A rig brought to our bones at :data:`REST_POSE` by linear blend skinning with its own weights."""
    frames = joint_frames(REST_POSE, HandShape())
    rig = _centred(rig)
    theirs, references = _bone_ends(rig.joints), _dorsal_references(rig)
    transforms = np.zeros((len(BONES), 4, 4))
    for bone, (start, end) in theirs.items():
        finger, _, part = bone.partition('_')
        length = np.linalg.norm(end - start)
        if part == 'metacarpal':
            i = LONG_FINGERS.index(finger) + 1
            ours, goal = _frame(np.zeros(3), MEAN_ROOTS[i], np.array([0.0, 0, 1])), np.linalg.norm(MEAN_ROOTS[i])
        else:
            ours, goal = frames[FRAME_INDEX[bone]], MEAN_SEGMENTS[FINGERS.index(finger), int(part)]
            if part == '2':
                length = _flesh_end(rig, bone, start, end)
        scale = np.diag([1.0, goal / length, 1.0, 1.0])
        transforms[_BONE[bone]] = ours @ scale @ np.linalg.inv(_frame(start, end, references[bone]))
    transforms[0] = transforms[[_BONE[f'{f}_metacarpal'] for f in LONG_FINGERS]].mean(0)
    blend = np.einsum('vb,bij->vij', rig.weights, transforms[:, :3])
    return replace(rig, points=np.einsum('vij,vj->vi', blend[:, :, :3], rig.points) + blend[:, :, 3])


def _centred(rig: RiggedMesh) -> RiggedMesh:
    """A rig with its fingers' outer joints moved to the middle of the flesh around them; some rigs have them half a
    centimetre nearer to the back or the pad."""
    joints, references = dict(rig.joints), _dorsal_references(rig)
    for finger in FINGERS:
        order = THUMB_PARTS if finger == 'thumb' else PARTS[1:]
        own = rig.points[rig.weights[:, [_BONE[f'{finger}_{i}'] for i in range(3)]].sum(1) > 0.5]
        for i in (2, 3) if finger == 'thumb' else (1, 2, 3):
            near, here, far = (rig.joints[f'{finger}_{order[min(k, 3)]}'] for k in (i - 1, i, i + 1))
            frame = _frame(near, far, references[f'{finger}_{min(i, 2)}'])[:3, :3]
            local = (own - here) @ frame
            slab = local[np.abs(local[:, 1]) < _SLAB * np.linalg.norm(here - near)]
            if len(slab):
                middle = 0.5 * (slab.min(0) + slab.max(0))
                joints[f'{finger}_{order[i]}'] = here + frame[:, [0, 2]] @ middle[[0, 2]]
    return replace(rig, joints=joints)


def _flesh_end(rig: RiggedMesh, bone: str, start: np.ndarray, end: np.ndarray) -> float:
    """Metres from an end bone's joint to the end of its flesh."""
    along = unit((end - start)[None])[0]
    return float(((rig.points[rig.weights[:, _BONE[bone]] > 0.5] - start) @ along).max())


def frame_weights(weights: np.ndarray, points: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Weights (V, 35) of our frames from those of the rig's bones (V, B): half-turned frames take what two bones share."""
    out = np.zeros((len(points), len(FRAME_INDEX)))
    x, y = 1e3 * points[:, 0], 1e3 * points[:, 1]
    raised = smoothstep(y, 14.0, 40.0)
    out[:, FRAME_INDEX['palm']] = weights[:, :3].sum(1)
    for finger in ('ring', 'little'):
        own = weights[:, _BONE[f'{finger}_metacarpal']]
        out[:, FRAME_INDEX[f'{finger}_metacarpal']] = raised * own
        out[:, FRAME_INDEX['palm']] += (1 - raised) * own
    bases = {'ring': 'ring_metacarpal', 'little': 'little_metacarpal'}
    for finger in FINGERS:
        chain = [bases.get(finger, 'palm'), *(f'{finger}_{i}' for i in range(3))]
        for bone in chain[1:]:
            out[:, FRAME_INDEX[bone]] = weights[:, _BONE[bone]]
        for near, far in zip(chain, chain[1:], strict=False):
            shared = np.minimum(out[:, FRAME_INDEX[near]], out[:, FRAME_INDEX[far]])
            out[:, FRAME_INDEX[near]] -= shared
            out[:, FRAME_INDEX[far]] -= shared
            out[:, FRAME_INDEX[f'{far}_half']] += 2 * shared
    hand_over_to_arm(out, y)
    return smoothed(out, faces, _WEIGHT_SMOOTHING)


def as_template(points: np.ndarray, faces: np.ndarray, weights: np.ndarray) -> HandTemplate:
    frames = joint_frames(REST_POSE, HandShape())
    finger, place, around, _ = finger_attributes(1e3 * points, frames)
    return HandTemplate(
        vertices=points.astype(np.float32),
        normals=vertex_normals(points, faces).astype(np.float32),
        faces=faces.astype(np.int32),
        weights=weights.astype(np.float32),
        rest_frames=frames,
        finger=finger,
        place=place.astype(np.float32),
        around=(1e-3 * around).astype(np.float32),
    )
