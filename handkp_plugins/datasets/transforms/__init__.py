"""Transforms of data pipelines."""

from .brightness_saturation import BrightnessSaturation
from .clips import ClipColorJitter, LoadHandClip, ResizeClip, ShiftClip
from .crop_boxes import CropCenterNoise, MarginCrop, WholeImageCenterScale
from .loading import LoadHandImage, PackHandInputs
from .turned_affine import TurnedTopdownAffine
from .views import ChannelGain, MirrorLeftHand, RandomViewCrop, RotateView

__all__ = [
    'BrightnessSaturation',
    'ChannelGain',
    'ClipColorJitter',
    'CropCenterNoise',
    'LoadHandClip',
    'LoadHandImage',
    'MarginCrop',
    'MirrorLeftHand',
    'PackHandInputs',
    'RandomViewCrop',
    'ResizeClip',
    'RotateView',
    'ShiftClip',
    'TurnedTopdownAffine',
    'WholeImageCenterScale',
]
