"""MMPose's visualizer for its hook and its inferencers."""

from typing import Any

import numpy as np
from mmpose.registry import VISUALIZERS
from mmpose.visualization import PoseLocalVisualizer


@VISUALIZERS.register_module()
class HandVisualizer(PoseLocalVisualizer):
    """``PoseLocalVisualizer`` for NumPy 2.4 and later, which no longer take an array [1], the radius, as a number."""

    def draw_circles(self, center: np.ndarray, radius: np.ndarray, **kwargs: Any) -> None:
        """As in ``PoseLocalVisualizer``."""
        super().draw_circles(center, np.squeeze(radius) if self.backend == 'opencv' else radius, **kwargs)
