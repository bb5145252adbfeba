"""The open hand: the generated hand reduced to few points, 16 bones and 10 coefficients of the shape.

It takes the place of MANO in networks that predict a mesh. Bones are in MANO's order: the wrist, then three each of
index, middle, little, ring finger and thumb.
"""

import numpy as np
import vtk
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation
from vtk.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray, vtk_to_numpy

from ..hand.kinematics import FRAME_INDEX, SEGMENT_FRAMES, joint_frames, keypoints_from_frames
from ..hand.model import HandModel
from ..hand.shape import HandShape, random_shape
from ..hand.template import REST_POSE, hand_template
from ..poses.gestures import GESTURES

BONE_FINGERS = ('index', 'middle', 'little', 'ring', 'thumb')
NUM_SHAPES = 10
_BONES = [f'{finger}_{i}' for finger in BONE_FINGERS for i in range(3)]
_SEGMENT_ORDER = [FRAME_INDEX[name] - SEGMENT_FRAMES.start for name in _BONES]
_PARENTS = [-1] + [0 if i % 3 == 0 else i for i in range(15)]
# bones of our 21 keypoints: MCP and PIP move with the proximal phalanx, DIP and tip with the end phalanx; of the thumb,
# CMC moves with the metacarpal, MCP with the proximal phalanx
_KEYPOINT_BONES = [0, 13, 14, 15, 15] + [first + i for first in (1, 4, 10, 7) for i in (0, 0, 2, 2)]


def open_hand_arrays(num_vertices: int = 800, num_shapes: int = 400, seed: int = 0) -> dict[str, np.ndarray]:
    """Make the arrays of :class:`~handkp_plugins.models.hand_layers.arrays.HandArrays`.

    The skin is decimated; each vertex keeps the skinning weights of the nearest point of the full skin, and its offset
    from it. The basis of shapes is from a principal component analysis of random hands about the mean hand: vertices,
    joints and keypoints together, with unit deviation.

    Args:
        num_vertices: About how many vertices the mesh has.
        num_shapes: Random hands of the analysis.
        seed: Of these hands.
    """
    template = hand_template()
    model = HandModel(template)
    points, faces = _decimate(*_hand_alone(template.vertices, template.faces, model.is_hand), num_vertices)
    _, nearest = cKDTree(template.vertices[model.is_hand]).query(points)
    nearest = np.flatnonzero(model.is_hand)[nearest]
    offset = points - template.vertices[nearest]

    def of_shape(shape: HandShape) -> np.ndarray:
        frames = joint_frames(REST_POSE.angles, shape)
        vertices = model.pose(REST_POSE, shape).vertices[nearest] + offset
        joints = frames[SEGMENT_FRAMES][_SEGMENT_ORDER, :3, 3]
        return np.concatenate([vertices, keypoints_from_frames(frames, shape), np.zeros((1, 3)), joints])

    mean = of_shape(HandShape())
    rng = np.random.default_rng(seed)
    deviations = np.stack([of_shape(random_shape(rng)) - mean for _ in range(num_shapes)]).reshape(num_shapes, -1)
    _, size, axes = np.linalg.svd(deviations, full_matrices=False)
    basis = (axes[:NUM_SHAPES] * size[:NUM_SHAPES, None] / np.sqrt(num_shapes)).reshape(NUM_SHAPES, -1, 3)
    basis = np.moveaxis(basis, 0, -1)
    count, moved = len(points), len(points) + 21
    keypoints = np.zeros((21, moved))
    keypoints[range(21), range(count, moved)] = 1
    return dict(
        points=mean[:moved].astype(np.float32),
        shape_basis=basis[:moved].astype(np.float32),
        weights=np.concatenate([_fold(template.weights[nearest]), np.eye(16)[_KEYPOINT_BONES]]).astype(np.float32),
        joints=mean[moved:].astype(np.float32),
        joint_basis=basis[moved:].astype(np.float32),
        keypoints=keypoints.astype(np.uint8),
        faces=faces.astype(np.int16),
        mean_pose=Rotation.from_matrix(bone_rotations(GESTURES['relaxed'].angles)[1:]).as_rotvec(),
        num_vertices=np.array(count),
    )


def bone_rotations(angles: np.ndarray) -> np.ndarray:
    """Rotations (..., 16, 3, 3) of the bones of the open hand from angles (..., 24) in degrees of a right hand.

    Each is relative to its parent and to the rest; the wrist's is the identity. The arch of the palm is lost: its
    metacarpals are no bones here.
    """
    rest, posed = (joint_frames(a, HandShape())[..., SEGMENT_FRAMES, :3, :3] for a in (REST_POSE.angles, angles))
    turned = posed[..., _SEGMENT_ORDER, :, :] @ np.swapaxes(rest[_SEGMENT_ORDER], -1, -2)  # (..., 15, 3, 3)
    wrist = np.broadcast_to(np.eye(3), (*turned.shape[:-3], 1, 3, 3))
    turned = np.concatenate([wrist, turned], -3)
    return np.concatenate([wrist, np.swapaxes(turned[..., _PARENTS[1:], :, :], -1, -2) @ turned[..., 1:, :, :]], -3)


def _hand_alone(points: np.ndarray, faces: np.ndarray, is_hand: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    renumber = np.cumsum(is_hand) - 1
    return points[is_hand], renumber[faces[is_hand[faces].all(1)]]


def _decimate(points: np.ndarray, faces: np.ndarray, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Reduce a mesh to about a number of points."""
    cells = vtk.vtkCellArray()
    cells.SetData(3, numpy_to_vtkIdTypeArray(np.ascontiguousarray(faces, np.int64).ravel(), deep=True))
    data = vtk.vtkPolyData(points=vtk.vtkPoints(data=numpy_to_vtk(points, deep=True)), polys=cells)
    decimation = vtk.vtkQuadricDecimation(target_reduction=1 - number / len(points))
    decimation.SetInputData(data)
    decimation.Update()
    reduced = decimation.GetOutput()
    faces = vtk_to_numpy(reduced.GetPolys().GetConnectivityArray()).reshape(-1, 3)
    used, faces = np.unique(faces, return_inverse=True)
    return vtk_to_numpy(reduced.GetPoints().GetData())[used], faces.reshape(-1, 3)


def _fold(weights: np.ndarray) -> np.ndarray:
    """Skinning weights (V, 35) of the generated hand → (V, 16); half joints share between a bone and its parent."""
    folded = np.zeros((len(weights), 16))
    for name, i in FRAME_INDEX.items():
        bone = _BONES.index(name.removesuffix('_half')) + 1 if name.removesuffix('_half') in _BONES else 0
        other = _PARENTS[bone] if name.endswith('_half') and bone else bone
        folded[:, bone] += 0.5 * weights[:, i]
        folded[:, other] += 0.5 * weights[:, i]
    return folded / folded.sum(1, keepdims=True)
