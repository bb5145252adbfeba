"""Brings a rig to the bones of the mean hand, so that it can become a :class:`HandTemplate`.

First it comes into the palm's frame of a right hand, whatever its file's units, axes and side are. Then it is skinned
once by its own weights, from its bones to ours at rest. So it has our bone lengths and straight fingers, whatever its
own rest pose was, and poses, shapes, keypoints and collision spheres of the procedural hand fit it. Its flesh stays.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial.transform import Rotation

from handkp_plugins.structures.skeleton import FINGERS, LONG_FINGERS, PARENTS

from ..hand.kinematics import FINGER_ROLL, FRAME_INDEX, hand_keypoints, joint_frames, normalize
from ..hand.shape import MEAN_ROOTS, MEAN_SEGMENTS, HandShape
from ..hand.surface import merge_points, split_triangles, subdivide
from ..hand.template import REST_POSE, blend_into_forearm, palm_weights, smooth_weights
from ..poses.gestures import GESTURES
from .gltf import SkinnedMesh
from .joints import CHAINS, OPTIONAL

RIG_BONES = ('palm', *(f'{f}_metacarpal' for f in LONG_FINGERS), *(f'{f}_{i}' for f in FINGERS for i in range(3)))
BONE_INDEX = {name: i for i, name in enumerate(RIG_BONES)}
_BONE_OF_ROLE = {role: role for role in OPTIONAL} | {  # the bone that starts at a joint
    role: f'{finger}_{min(i, 2)}' for finger, chain in CHAINS.items() for i, role in enumerate(chain)
}
_VERTICES = 12_000  # refined until there are at least so many
_MERGE_WITHIN = 1e-5  # metres, once the hand has its size
_LEAST_BONE = 0.01  # of the hand's extent
_FARTHEST = 5.0  # metres, once the hand has its size
# the wrist of rigs is nearer to the elbow than annotators mark it: by this share of the way to the middle knuckle
_WRIST_SHARE = 0.1
_WEIGHT_SMOOTHING = 4
_OWN = 0.9  # weight from which a point counts as a bone's own
_SLAB = 0.1  # half the thickness, in lengths of the bone before it, of the slice around a joint that gives its middle


@dataclass(frozen=True)
class RiggedMesh:
    """A rig in the palm's frame of a right hand, metres, at its own rest pose."""

    points: np.ndarray  # (V, 3)
    faces: np.ndarray  # (F, 3)
    weights: np.ndarray  # (V, B) by :data:`RIG_BONES`
    joints: dict[str, np.ndarray]  # (3,) by role
    corner_uv: np.ndarray | None  # (F, 3, 2) places in the texture


def to_palm_frame(mesh: SkinnedMesh, roles: dict[str, int]) -> RiggedMesh:
    """Scale, rotate and, if it is a left hand, mirror a rig; joints without a role become part of the palm."""
    chain = ['wrist', *(role for roles_of_finger in CHAINS.values() for role in roles_of_finger)]
    joints = {role: mesh.joints[i, :3, 3] for role, i in roles.items()}
    theirs = np.stack([joints[role] for role in chain])
    for child, parent in enumerate(PARENTS[1:], start=1):
        if np.linalg.norm(theirs[child] - theirs[parent]) <= _LEAST_BONE * np.ptp(theirs):
            raise ValueError(f'joints {chain[parent]} and {chain[child]} lie at one place')
    # a bent hand is not its own mirror image: the better fit tells left from right
    bent = hand_keypoints(GESTURES['relaxed'].angles, HandShape())
    is_left = _similarity(theirs, bent, mirrored=True)[1] < _similarity(theirs, bent, mirrored=False)[1]
    palm = [0, 1, 5, 9, 13, 17]
    matrix, _ = _similarity(theirs[palm], np.concatenate([np.zeros((1, 3)), MEAN_ROOTS]), is_left)
    joints['wrist'] = joints['wrist'] + _WRIST_SHARE * (joints['middle_mcp'] - joints['wrist'])

    weights = np.zeros((len(mesh.points), len(RIG_BONES)))
    bone = {i: _BONE_OF_ROLE.get(role, 'palm') for role, i in roles.items()}
    for i in range(len(mesh.joint_names)):
        weights[:, BONE_INDEX[bone.get(i, 'palm')]] += mesh.weights[:, i]
    points = _apply(matrix, mesh.points)
    if np.abs(points).max() > _FARTHEST:
        raise ValueError(f'a point of its mesh lies {np.abs(points).max():.3g} m away from its joints')
    ids, first, solid = merge_points(points, mesh.faces, _MERGE_WITHIN)
    faces = ids[mesh.faces][solid]
    if not len(faces):
        raise ValueError('no triangle of its mesh has an area')
    corner_uv = None if mesh.uv is None else mesh.uv[mesh.faces[solid]].astype(np.float32)
    if is_left:
        faces = faces[:, ::-1]
        corner_uv = None if corner_uv is None else corner_uv[:, ::-1]
    joints = {role: _apply(matrix, point) for role, point in joints.items()}
    return RiggedMesh(points[first], faces, weights[first], joints, corner_uv)


def _similarity(source: np.ndarray, target: np.ndarray, mirrored: bool) -> tuple[np.ndarray, float]:
    """(3, 4) matrix that brings points (N, 3) nearest to others by rotation, scale and translation, and the error left.

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


def refine(rig: RiggedMesh) -> RiggedMesh:
    """Subdivide until there are enough vertices for smooth colours and outlines."""
    while len(rig.points) < _VERTICES:
        matrix, faces = subdivide(rig.faces, len(rig.points))
        uv = rig.corner_uv
        if uv is not None:
            uv = split_triangles(uv, 0.5 * (uv + np.roll(uv, -1, axis=1)))
        rig = replace(rig, points=matrix @ rig.points, weights=matrix @ rig.weights, faces=faces, corner_uv=uv)
    return rig


def _bone_ends(joints: dict[str, np.ndarray]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    ends = {f'{f}_metacarpal': (joints['wrist'], joints[f'{f}_mcp']) for f in LONG_FINGERS}
    for finger, chain in CHAINS.items():
        ends |= {f'{finger}_{i}': (joints[chain[i]], joints[chain[i + 1]]) for i in range(3)}
    return ends


def _frame(start: np.ndarray, end: np.ndarray, dorsal: np.ndarray) -> np.ndarray:
    along = (end - start) / np.linalg.norm(end - start)
    across = np.cross(along, dorsal)
    across /= np.linalg.norm(across)
    frame = np.eye(4)
    frame[:3, :3], frame[:3, 3] = np.stack([across, along, np.cross(across, along)], 1), start
    return frame


def _dorsal_references(rig: RiggedMesh) -> dict[str, np.ndarray]:
    """Direction roughly out of the back of each bone of a rig at rest."""
    up = np.array([0.0, 0, 1])
    references = {f'{f}_metacarpal': up for f in LONG_FINGERS}
    for finger, roll in zip(LONG_FINGERS, FINGER_ROLL, strict=True):
        references |= {f'{finger}_{i}': Rotation.from_euler('y', roll).apply(up) for i in range(3)}
    thumb = _flat_side(rig, 'thumb_2')
    return references | {f'thumb_{i}': thumb for i in range(3)}


def _flat_side(rig: RiggedMesh, bone: str) -> np.ndarray:
    """Direction in which an end segment is thinnest: out of its nail."""
    start, end = _bone_ends(rig.joints)[bone]
    expected = joint_frames(REST_POSE.angles, HandShape())[FRAME_INDEX[bone]][:3, 2]
    frame = _frame(start, end, expected)
    local = ((rig.points[rig.weights[:, BONE_INDEX[bone]] > _OWN] - start) @ frame[:3, :3])[:, [0, 2]]
    _, _, axes = np.linalg.svd(local - local.mean(0), full_matrices=False)
    thin = axes[1] * np.sign(axes[1, 1])
    return frame[:3, [0, 2]] @ thin


def straighten(rig: RiggedMesh) -> RiggedMesh:
    """Bring a rig to our bones at :data:`REST_POSE` by linear blend skinning with its own weights."""
    for finger in FINGERS:
        if (rig.weights[:, BONE_INDEX[f'{finger}_2']] > _OWN).sum() < 3:
            raise ValueError(f'no part of the mesh follows the end bone of the {finger}')
    frames = joint_frames(REST_POSE.angles, HandShape())
    rig = _center_joints(rig)
    theirs, references = _bone_ends(rig.joints), _dorsal_references(rig)
    transforms = np.zeros((len(RIG_BONES), 4, 4))
    for bone, (start, end) in theirs.items():
        finger, _, part = bone.partition('_')
        length = np.linalg.norm(end - start)
        if part == 'metacarpal':
            i = LONG_FINGERS.index(finger) + 1
            ours, goal = _frame(np.zeros(3), MEAN_ROOTS[i], np.array([0.0, 0, 1])), np.linalg.norm(MEAN_ROOTS[i])
        else:
            ours, goal = frames[FRAME_INDEX[bone]], MEAN_SEGMENTS[FINGERS.index(finger), int(part)]
            if part == '2':  # to the end of the flesh
                own = rig.points[rig.weights[:, BONE_INDEX[bone]] > _OWN]
                length = float(((own - start) @ normalize((end - start)[None])[0]).max())
        scale = np.diag([1.0, goal / length, 1.0, 1.0])
        transforms[BONE_INDEX[bone]] = ours @ scale @ np.linalg.inv(_frame(start, end, references[bone]))
    transforms[0] = transforms[[BONE_INDEX[f'{f}_metacarpal'] for f in LONG_FINGERS]].mean(0)
    blend = np.einsum('vb,bij->vij', rig.weights, transforms[:, :3])
    return replace(rig, points=np.einsum('vij,vj->vi', blend[:, :, :3], rig.points) + blend[:, :, 3])


def _center_joints(rig: RiggedMesh) -> RiggedMesh:
    """Move the fingers' outer joints to the middle of the flesh: some rigs' are half a centimetre off."""
    joints, references = dict(rig.joints), _dorsal_references(rig)
    for finger, chain in CHAINS.items():
        own = rig.points[rig.weights[:, [BONE_INDEX[f'{finger}_{i}'] for i in range(3)]].sum(1) > 0.5]
        for i in (2, 3) if finger == 'thumb' else (1, 2, 3):
            near, here, far = (rig.joints[chain[min(k, 3)]] for k in (i - 1, i, i + 1))
            frame = _frame(near, far, references[f'{finger}_{min(i, 2)}'])[:3, :3]
            local = (own - here) @ frame
            slab = local[np.abs(local[:, 1]) < _SLAB * np.linalg.norm(here - near)]
            if len(slab):
                middle = 0.5 * (slab.min(0) + slab.max(0))
                joints[chain[i]] = here + frame[:, [0, 2]] @ middle[[0, 2]]
    return replace(rig, joints=joints)


def frame_weights(weights: np.ndarray, points: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Weights (V, 35) of our frames from those of the rig's bones (V, B).

    The palm's share is split by place, as in our own template, since few rigs have metacarpals that move. What two
    bones of a finger share goes to the half-rotated frame between them, so that bent joints do not collapse.
    """
    palm = [BONE_INDEX[bone] for bone in ('palm', *(f'{finger}_metacarpal' for finger in LONG_FINGERS))]
    out = weights[:, palm].sum(1)[:, None] * palm_weights(1e3 * points)
    bases = {'ring': 'ring_metacarpal', 'little': 'little_metacarpal'}
    for finger in FINGERS:
        chain = [bases.get(finger, 'palm'), *(f'{finger}_{i}' for i in range(3))]
        for bone in chain[1:]:
            out[:, FRAME_INDEX[bone]] = weights[:, BONE_INDEX[bone]]
        for near, far in zip(chain, chain[1:], strict=False):
            shared = np.minimum(out[:, FRAME_INDEX[near]], out[:, FRAME_INDEX[far]])
            out[:, FRAME_INDEX[near]] -= shared
            out[:, FRAME_INDEX[far]] -= shared
            out[:, FRAME_INDEX[f'{far}_half']] += 2 * shared
    blend_into_forearm(out, 1e3 * points[:, 1])
    return smooth_weights(out, faces, _WEIGHT_SMOOTHING)
