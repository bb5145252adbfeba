"""Light on skin, per vertex, in linear colours: soft shadows and ambient occlusion from the hand's spheres.

Fingers shadow each other and the palm; without that a folded hand looks like separate toys. Shadows are found at every
16th vertex or so and spread to the others, which costs little and looks soft.
"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix
from scipy.spatial import cKDTree

from ..hand.kinematics import turn, unit
from .lights import Light, Lighting

_WRAP = np.array([0.30, 0.14, 0.09])
"""How far red, green and blue reach around the edge of the light: blood under the skin scatters red furthest."""
_COARSE_SHARE = 16
_NEIGHBOURS = 4


@dataclass(frozen=True)
class Surface:
    """What shading needs: points (V, 3), unit normals (V, 3), linear colours (V, 3), gloss 0…1 (one or V values)."""

    points: np.ndarray
    normals: np.ndarray
    color: np.ndarray
    gloss: np.ndarray | float


class Shader:
    """Shades meshes that share one topology and resting shape.

    Args:
        resting: (V, 3) vertices at rest, from which neighbourhoods are taken once.
        coarseness: shadows are found at one of so many vertices.
    """

    def __init__(self, resting: np.ndarray, coarseness: int = _COARSE_SHARE) -> None:
        order = np.random.default_rng(0).permutation(len(resting))
        self.coarse = np.sort(order[: max(_NEIGHBOURS, len(resting) // coarseness)])
        distance, ids = cKDTree(resting[self.coarse]).query(resting, k=_NEIGHBOURS)
        weight = 1.0 / (distance + 5e-4)
        weight /= weight.sum(1, keepdims=True)
        rows = np.repeat(np.arange(len(resting)), _NEIGHBOURS)
        self.spread = csr_matrix(
            (weight.ravel().astype(np.float32), (rows, ids.ravel())), (len(resting), len(self.coarse))
        )

    def shade(self, surface: Surface, spheres: np.ndarray, lighting: Lighting) -> np.ndarray:
        """Linear RGB (V, 3) that leaves the surface towards a camera at the origin.

        Args:
            spheres: (P, 4) x, y, z, radius of what casts shadows.
        """
        lights, sky, ground = lighting.lamps, lighting.sky, lighting.ground
        points, normals = surface.points[self.coarse], surface.normals[self.coarse]
        coarse = np.stack([ambient(points, normals, spheres), *(lit(points, normals, spheres, s) for s in lights)], 1)
        shadow = self.spread @ coarse.astype(np.float32)

        up = 0.5 - 0.5 * surface.normals[:, 1:2]
        light = (ground + up * (sky - ground)) * shadow[:, :1]
        to_camera = unit(-surface.points)
        shine = np.zeros_like(light)
        for i, lamp in enumerate(lights, start=1):
            facing = turn(surface.normals, lamp.direction[None])
            diffuse = np.maximum(facing + _WRAP, 0) / (1 + _WRAP)
            # where a shadow starts, red fades last
            light = light + lamp.color * diffuse * shadow[:, i : i + 1] ** np.array([0.8, 1.0, 1.1])
            half = unit(lamp.direction.astype(np.float32) + to_camera)
            glint = np.maximum(np.einsum('vi,vi->v', surface.normals, half), 0)[:, None]
            strength = (facing > 0) * shadow[:, i : i + 1]
            shine = shine + lamp.color * strength * (0.06 * glint**12 + 0.12 * glint**50)
        return surface.color * light + shine * np.reshape(surface.gloss, (-1, 1))


def ambient(points: np.ndarray, normals: np.ndarray, spheres: np.ndarray) -> np.ndarray:
    """Share (N,) of the surroundings that each point sees past the spheres."""
    towards = spheres[None, :, :3] - points[:, None]
    distance = np.sqrt(np.maximum(np.einsum('npd,npd->np', towards, towards), 1e-8))
    cosine = np.maximum(np.einsum('npd,nd->np', towards, normals) / distance, 0)
    covered = cosine * np.minimum((spheres[:, 3] / np.maximum(distance, spheres[:, 3])) ** 2, 1.0)
    return np.prod(1 - 0.9 * covered, axis=1)


def lit(points: np.ndarray, normals: np.ndarray, spheres: np.ndarray, light: Light) -> np.ndarray:
    """Share (N,) of a light that reaches each point past the spheres."""
    towards = spheres[None, :, :3] - (points + 0.002 * normals)[:, None]
    along = np.einsum('npd,d->np', towards, light.direction)
    aside = np.sqrt(np.maximum(np.einsum('npd,npd->np', towards, towards) - along**2, 0))
    blur = 0.0015 + light.softness * np.maximum(along, 0)
    inside = np.clip(0.5 + 0.5 * (0.96 * spheres[:, 3] - aside) / blur, 0, 1)
    return np.prod(1 - inside * np.clip(along / 0.004, 0, 1), axis=1)


def to_linear(srgb: np.ndarray) -> np.ndarray:
    """sRGB in 0…1 to linear light."""
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def to_srgb(linear: np.ndarray) -> np.ndarray:
    """Linear light to sRGB in 0…1, clipped."""
    linear = np.clip(linear, 0, 1)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
