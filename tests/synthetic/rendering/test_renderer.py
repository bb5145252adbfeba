"""Rasterisation against what a pinhole camera must give."""

import os
import subprocess
import sys

import numpy as np
import pytest

from handkp_plugins.synthetic.rendering.camera import Camera
from handkp_plugins.synthetic.rendering.renderer import _NO_GL, Part, Renderer


@pytest.fixture(scope='module')
def renderer() -> Renderer:
    return Renderer(64)


def square(x: float, y: float, half: float, z: float, color: tuple[float, float, float]) -> Part:
    signs = np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]])
    corners = np.array([x, y, z]) + half * signs
    return Part(corners, np.array([[0, 1, 2], [0, 2, 3]]), np.tile(color, (4, 1)))


def test_a_square_lands_where_the_camera_projects_it(renderer):
    camera = Camera(64, 100.0)
    result = renderer.render([square(0.051, -0.1, 0.06, 0.8, (1, 0.5, 0))], camera.focal)
    rows, columns = np.nonzero(result.alpha > 0.5)
    low, high = camera.project(np.array([[-0.009, -0.16, 0.8], [0.111, -0.04, 0.8]]))
    assert (columns.min(), rows.min()) == pytest.approx(low + 0.5, abs=0.6)
    assert (columns.max(), rows.max()) == pytest.approx(high - 0.5, abs=0.6)
    middle = result.color[rows, columns][len(rows) // 2]
    assert middle == pytest.approx([1, 0.5, 0], abs=0.01)


def test_depth_is_metric_and_the_nearer_part_wins(renderer):
    result = renderer.render([square(0, 0, 0.2, 1.0, (1, 0, 0)), square(0, 0, 0.03, 0.5, (0, 1, 0))], 60)
    assert result.depth[32, 32] == pytest.approx(0.5, abs=1e-3) and result.color[32, 32, 1] > 0.9
    assert result.depth[32, 40] == pytest.approx(1.0, abs=1e-3) and result.color[32, 40, 0] > 0.9
    assert np.isinf(result.depth[0, 0]) and result.alpha[0, 0] == 0


def test_edges_are_smooth_and_colours_weighed_by_coverage(renderer):
    corners = np.array([[-0.2, -0.2, 1], [0.21, -0.13, 1], [0.05, 0.2, 1.0]])
    tilted = Part(corners, np.array([[0, 1, 2]]), np.ones((3, 3)))
    result = renderer.render([tilted], 100)
    partly = (result.alpha > 0) & (result.alpha < 1)
    assert partly.sum() > 20
    assert np.allclose(result.color[partly], result.alpha[partly][:, None], atol=0.02)


def test_nothing_stays_from_the_image_before(renderer):
    renderer.render([square(0, 0, 0.2, 1.0, (1, 0, 0))], 60)
    assert renderer.render([square(5, 5, 0.01, 1.0, (1, 0, 0))], 60).alpha.sum() == 0


def test_too_small():
    with pytest.raises(ValueError, match='size: expected 16 or more pixels, got 4'):
        Renderer(4)


def test_without_opengl_the_packages_are_named(monkeypatch):
    code = 'from handkp_plugins.synthetic.rendering.renderer import Renderer; Renderer(32)'
    hidden = os.environ | {'__EGL_VENDOR_LIBRARY_FILENAMES': '/none', 'DISPLAY': ''}
    run = subprocess.run([sys.executable, '-c', code], env=hidden, capture_output=True, text=True)
    assert run.returncode in (0, 1)  # 0 where OSMesa steps in; never a crash
    assert run.returncode == 0 or _NO_GL in run.stderr
    monkeypatch.setattr(Renderer, '_can_draw', lambda self: False)
    with pytest.raises(RuntimeError, match='apt-get install -y libgl1 libegl1 libosmesa6'):
        Renderer(32)
