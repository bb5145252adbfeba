"""Light on skin, per vertex, in linear colours: soft shadows and ambient occlusion from the hand's spheres.

Fingers shadow each other and the palm. Shadows are found at every 16th vertex or so and spread to the others, which
costs little and looks soft.
"""

import numpy as np
from scipy.sparse import csr_matrix
from scipy.spatial import cKDTree

from ..hand.kinematics import apply_matrix, normalize
from .lights import Light, Lighting
from .meshes import Mesh

_WRAP = np.array([0.30, 0.14, 0.09], np.float32)
"""How far red, green and blue reach around the edge of the light: blood under the skin scatters red furthest."""
_SHADOW_TINT = np.array([0.8, 1.0, 1.1], np.float32)
_COARSE_SHARE = 16
_NEIGHBOURS = 4


class Shader:
    """Shades meshes of one topology and resting shape (V, 3); shadows are found at one of ``coarseness`` vertices."""

    def __init__(self, resting: np.ndarray, coarseness: int = _COARSE_SHARE) -> None:
        order = np.random.default_rng(0).permutation(len(resting))
        self.coarse = np.sort(order[: max(_NEIGHBOURS, len(resting) // coarseness)])
        distance, ids = cKDTree(resting[self.coarse]).query(resting, k=_NEIGHBOURS)
        weight = 1.0 / (distance + 5e-4)
        weight = (weight / weight.sum(1, keepdims=True)).astype(np.float32).ravel()
        rows = np.repeat(np.arange(len(resting)), _NEIGHBOURS)
        self.spread = csr_matrix((weight, (rows, ids.ravel())), (len(resting), len(self.coarse)))

    def shade(
        self, mesh: Mesh, gloss: float, spheres: np.ndarray, lighting: Lighting, seen: np.ndarray | slice = slice(None)
    ) -> np.ndarray:
        """Linear RGB (S, 3) that vertices of ids (S,) send to a camera at the origin; spheres (P, 4) cast shadows."""
        single = np.float32  # half the memory to move, and enough for light
        spheres = spheres.astype(single)
        points, normals = (a[self.coarse].astype(single) for a in (mesh.points, mesh.normals))
        columns = [ambient_share(points, normals, spheres)[:, None]]
        # where a shadow starts, red fades last
        columns += [light_share(points, normals, spheres, lamp)[:, None] ** _SHADOW_TINT for lamp in lighting.lamps]
        shadow = (self.spread @ np.concatenate(columns, axis=1, dtype=single))[seen]

        points, normals = (a[seen].astype(single) for a in (mesh.points, mesh.normals))
        sky, ground = lighting.sky.astype(single), lighting.ground.astype(single)
        upward = apply_matrix(normals, np.array([lighting.up], single))
        light = (ground + (0.5 + 0.5 * upward) * (sky - ground)) * shadow[:, :1]
        to_camera = normalize(-points)
        shine = np.zeros_like(light)
        for i, lamp in enumerate(lighting.lamps):
            direction, lamp_color = lamp.direction.astype(single), lamp.color.astype(single)
            reaches = shadow[:, 1 + 3 * i : 4 + 3 * i]
            facing = apply_matrix(normals, direction[None])
            light += lamp_color * np.maximum((facing + _WRAP) / (1 + _WRAP), 0) * reaches
            half = normalize(direction + to_camera)
            glint = np.maximum(np.einsum('vi,vi->v', normals, half), 0)[:, None]
            strength = (facing > 0) * reaches[:, 1:2]
            x2 = glint * glint  # powers 12 and 50 by multiplications: ** takes logarithms
            x4 = np.square(x2)
            x16 = np.square(np.square(x4))
            shine += lamp_color * (strength * (0.06 * (x4 * x4 * x4) + 0.12 * (x16 * x16 * x16 * x2)))
        return to_linear(mesh.colors[seen]).astype(single) * light + shine * single(gloss)


def ambient_share(points: np.ndarray, normals: np.ndarray, spheres: np.ndarray) -> np.ndarray:
    """Share (N,) of the surroundings that each point sees past the spheres."""
    distance = np.sqrt(_squared_distances(points, spheres))
    towards = _products(normals, spheres[:, :3]) - np.einsum('ni,ni->n', normals, points)[:, None]
    cosine = np.maximum(towards / distance, 0)
    covered = cosine * np.minimum((spheres[:, 3] / np.maximum(distance, spheres[:, 3])) ** 2, 1)
    return np.prod(1 - 0.9 * covered, axis=1)


def light_share(points: np.ndarray, normals: np.ndarray, spheres: np.ndarray, light: Light) -> np.ndarray:
    """Share (N,) of a light that reaches each point past the spheres."""
    points = points + 0.002 * normals
    direction = light.direction.astype(points.dtype)[None]
    along = apply_matrix(spheres[:, :3], direction).T - apply_matrix(points, direction)
    aside = np.sqrt(np.maximum(_squared_distances(points, spheres) - along**2, 0))
    along = np.maximum(along, 0)
    inside = np.clip(0.5 + (0.48 * spheres[:, 3] - 0.5 * aside) / (0.0015 + light.softness * along), 0, 1)
    return np.prod(1 - inside * np.minimum(along / 0.004, 1), axis=1)


def _squared_distances(points: np.ndarray, spheres: np.ndarray) -> np.ndarray:
    """(N, P) between points (N, 3) and the centres of spheres (P, 4), by their products: no (N, P, 3) is made."""
    middle = points.mean(0)
    p, s = points - middle, spheres[:, :3] - middle
    squares = np.einsum('ni,ni->n', p, p)[:, None] + np.einsum('ni,ni->n', s, s)
    return np.maximum(squares - 2 * _products(p, s), 1e-8)


def _products(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Inner products (N, P) of vectors (N, 3) and (P, 3): :func:`apply_matrix` for many of both, four times as fast."""
    out = np.multiply.outer(a[:, 0], b[:, 0])
    for i in (1, 2):
        out += np.multiply.outer(a[:, i], b[:, i])
    return out


def to_linear(srgb: np.ndarray) -> np.ndarray:
    """sRGB in 0…1 to linear light."""
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def to_srgb(linear: np.ndarray) -> np.ndarray:
    """Linear light to sRGB in 0…1, clipped."""
    linear = np.clip(linear, 0, 1)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
