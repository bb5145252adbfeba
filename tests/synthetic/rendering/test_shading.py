"""Shadows and ambient occlusion from spheres, in cases worked out by hand."""

import numpy as np
import pytest

from handkp_plugins.synthetic.rendering.lights import Light, random_lighting
from handkp_plugins.synthetic.rendering.meshes import ball
from handkp_plugins.synthetic.rendering.shading import Shader, ambient_share, light_share, to_linear, to_srgb

UP = np.array([[0.0, 0, -1]])
BALL = np.array([[0.0, 0, -0.1, 0.02]])  # 10 cm above the origin


def light(direction, softness=0.05):
    direction = np.array(direction, dtype=float)
    return Light(direction / np.linalg.norm(direction), np.ones(3), softness)


def test_a_ball_above_casts_its_shadow_below():
    here, aside = np.zeros((1, 3)), np.array([[0.06, 0, 0]])
    assert light_share(here, UP, BALL, light([0, 0, -1]))[0] < 0.05
    assert light_share(aside, UP, BALL, light([0, 0, -1]))[0] == 1
    assert light_share(here, UP, BALL, light([1, 0, -0.1]))[0] == 1
    assert light_share(here, UP, np.zeros((0, 4)), light([0, 0, -1]))[0] == 1


def test_the_surface_behind_a_ball_sees_less_of_the_surroundings():
    assert ambient_share(np.zeros((1, 3)), UP, BALL)[0] == pytest.approx(1 - 0.9 * (0.02 / 0.1) ** 2)
    assert ambient_share(np.zeros((1, 3)), -UP, BALL)[0] == 1


def test_vertices_shaded_alone_come_out_as_among_all():
    globe = ball(0.05).transform(np.eye(3), np.array([0, 0, 0.5]))
    lighting = random_lighting(np.random.default_rng(0))
    shader, spheres = Shader(globe.points), np.array([[0.03, 0.02, 0.42, 0.02]])
    whole, some = shader.shade(globe, 0.7, spheres, lighting), np.arange(0, len(globe.points), 7)
    assert np.array_equal(shader.shade(globe, 0.7, spheres, lighting, some), whole[some]) and whole.dtype == np.float32


def test_srgb_there_and_back():
    values = np.linspace(0, 1, 50)
    assert np.allclose(to_srgb(to_linear(values)), values)
    assert to_linear(np.array(0.5)) == pytest.approx(0.2140, abs=1e-4)
