"""Hand data sets that MMPose lacks."""

from .hand_video import HandVideoDataset
from .hgr1 import HGR1Dataset
from .synthetic_hand import SyntheticHandDataset

__all__ = ['HGR1Dataset', 'HandVideoDataset', 'SyntheticHandDataset']
