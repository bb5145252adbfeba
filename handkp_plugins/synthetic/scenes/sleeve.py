"""A sleeve around the forearm: a tube with a cuff and a lining near it, in cloth of random colour and pattern."""

import numpy as np

from ..hand.shape import HandShape
from ..rendering.meshes import Mesh, grid_faces

_AROUND = 48
_ALONG = 26
_END = 0.445
_LINED = 9  # rings from the cuff that have an inside
_CLOTH = 0.001  # metres
_SHADE = 0.5  # of the colour within, where little light comes
# half breadth and half depth of the mean forearm in metres, by metres from the wrist
_ARM = np.array([
    (0.0, 0.0275, 0.0185), (0.03, 0.029, 0.020), (0.09, 0.035, 0.0265), (0.14, 0.040, 0.032), (0.26, 0.047, 0.041),
    (0.46, 0.051, 0.045),
])  # fmt: skip


def make_sleeve(forearm: np.ndarray, start: float, shape: HandShape, rng: np.random.Generator) -> Mesh:
    """A sleeve on a forearm with a frame (4, 4), whose cuff is ``start`` metres from the wrist."""
    slack = rng.uniform(0.002, 0.012)
    flare = rng.uniform(-0.003, 0.008)
    # first a ring just inside the cuff, so that the opening shows an edge and not a gap
    y = np.concatenate([[start + 0.004], start + (_END - start) * np.linspace(0, 1, _ALONG - 1) ** 1.5])
    angle = np.linspace(0, 2 * np.pi, _AROUND, endpoint=False)
    breadth, depth = (np.interp(y, _ARM[:, 0], column) for column in _ARM[:, 1:].T)
    clearance = slack + flare * np.exp(-(y - start) / 0.03)
    clearance[0] -= min(slack, 0.003)
    folds = rng.uniform(0, 0.002)
    waves = np.sin(y[:, None] * rng.uniform(90, 260) + 1.5 * np.sin(angle + rng.uniform(0, 6)) + rng.uniform(0, 6))
    radial = clearance[:, None] + folds * waves
    local = np.stack([
        (shape.forearm[0] * breadth[:, None] + radial) * np.cos(angle),
        -np.broadcast_to(y[:, None], radial.shape),
        (shape.forearm[1] * depth[:, None] + radial) * np.sin(angle),
    ], axis=-1)  # fmt: skip
    faces = grid_faces(_ALONG, _AROUND)
    local_normals = np.cross(np.roll(local, -1, 1) - np.roll(local, 1, 1), np.gradient(local, axis=0))
    outward = np.sign((local_normals * (local * [1, 0, 1])).sum(-1, keepdims=True))
    local_normals *= outward / np.maximum(np.linalg.norm(local_normals, axis=-1, keepdims=True), 1e-12)
    points, normals, colors = (a.reshape(-1, 3) for a in (local, local_normals, _cloth(y, angle, rng)))
    # what faces away is not drawn, and the cuff would show the background: the first ring faces inwards, and from it a
    # lining goes back along the outside's rings
    normals[:_AROUND] *= -1
    lined = slice(_AROUND, _LINED * _AROUND)
    lining = faces[((faces >= lined.start) & (faces < lined.stop)).all(1)] - lined.start + len(points)
    inside = points[lined] - _CLOTH * normals[lined]
    inside[:_AROUND] = points[:_AROUND]
    points, normals = np.concatenate([points, inside]), np.concatenate([normals, -normals[lined]])
    return Mesh(
        points=points @ forearm[:3, :3].T + forearm[:3, 3],
        normals=normals @ forearm[:3, :3].T,
        faces=np.concatenate([faces, lining]),
        colors=np.concatenate([colors, _SHADE * colors[lined]]),
    )


def _cloth(y: np.ndarray, angle: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Colours (rings, around, 3): plain, striped along or across, or checked."""
    first, second = rng.uniform(0.02, 0.95, (2, 3))
    if rng.random() < 0.4:  # muted, as most clothes are
        first = first.mean() + 0.25 * (first - first.mean())
    across = 0.5 + 0.5 * np.sign(np.sin(y * rng.uniform(150, 600)))[:, None]
    along = 0.5 + 0.5 * np.sign(np.sin(angle * int(rng.integers(4, 14))))[None]
    patterns = {'plain': 0 * along, 'across': across, 'along': along, 'checked': 0.5 * (across + along)}
    share = patterns[str(rng.choice(list(patterns), p=[0.6, 0.18, 0.1, 0.12]))]
    cuff = 0.85 if rng.random() < 0.4 else 1.0
    color = first + np.broadcast_to(share, (len(y), len(angle)))[..., None] * (second - first)
    color[: int(rng.integers(2, 5))] *= cuff
    return np.clip(color * rng.uniform(0.93, 1.07, (len(y), len(angle), 1)), 0.01, 1)
