"""Averaging over the four views of a hand that is turned by 90° each."""

from collections.abc import Sequence

import numpy as np
from mmengine.model import BaseTTAModel
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample
from torch import nn

from handkp_plugins.structures.rot90 import turn


@MODELS.register_module()
class RotationTTA(BaseTTAModel):
    """Predict on a crop's four 90° rotations, turn the keypoints back and average them (joint heads, section 3.3).

    For every top-down network, whatever its head; a flip test of its own goes on within each view. The views are made
    by :class:`TurnedTopdownAffine` (:func:`handkp_plugins.apis.rotation.rotated_pipeline` puts it into a pipeline).
    Keypoints, their scores and visibilities are averaged over the views; everything else, heatmaps included, is that
    of the view that is not turned.

    The way back is exact: a view is turned about the middle of its pixels, (W - 1) / 2, so that after 180°
    x' = W - 1 - x, and so are coordinates of the image about the image's point there.

    Args:
        module: The network.
        use_udp: Whether the crops are made with ``use_udp``: then W - 1 pixels, not W, span the box.
        data_preprocessor: That of the network, where its config has none.
    """

    def __init__(self, module: dict | nn.Module, use_udp: bool = False, data_preprocessor: dict | None = None) -> None:
        super().__init__(module, data_preprocessor)
        self.use_udp = use_udp

    def merge_preds(self, data_samples_list: Sequence[Sequence[PoseDataSample]]) -> list[PoseDataSample]:
        """The views of each hand, in the order of their turns 0 to 3 → one prediction for each hand."""
        return [self._merge(views) for views in data_samples_list]

    def _merge(self, views: Sequence[PoseDataSample]) -> PoseDataSample:
        found = views[0].pred_instances
        for name in ('keypoint_scores', 'keypoints_visible'):
            if name in found:
                found.set_field(np.mean([v.pred_instances[name] for v in views], 0), name)
        points = found.keypoints.copy()
        points[..., :2] = np.mean([self._upright(view, k) for k, view in enumerate(views)], 0)
        found.keypoints = points
        return views[0]

    def _upright(self, view: PoseDataSample, quarters: int) -> np.ndarray:
        """Keypoints (N, K, 2) in the image, found in a turned view as if that were upright, where they are."""
        pixel = np.asarray(view.input_scale) / np.asarray(view.input_size)
        pivot = np.asarray(view.input_center) - (0 if self.use_udp else pixel / 2)
        return pivot + turn(view.pred_instances.keypoints[..., :2] - pivot, -quarters)
