"""Hand datasets that MMPose lacks."""

from .gesture_keypoints import GestureKeypointDataset
from .hand_clips import HandClipDataset
from .hand_video import HandVideoDataset
from .hand_views import HanCoDataset, HandViewDataset
from .public_sets import HGR1Dataset, STBDataset
from .synthetic_hand import SyntheticHandDataset

__all__ = [
    'GestureKeypointDataset',
    'HGR1Dataset',
    'HanCoDataset',
    'HandClipDataset',
    'HandVideoDataset',
    'HandViewDataset',
    'STBDataset',
    'SyntheticHandDataset',
]
