"""Layers and functions that several networks share."""

from .alignment import align_points, align_views
from .attention import RelativePositionBias, SelfAttention, spatial_attention
from .cross_view import CrossViewNet, JointFeatures
from .encoder_layer import EncoderLayer
from .graph_conv import AdaptiveGraphConv, GraphBlock
from .input_size import check_input_size
from .msa_bottleneck import MSABottleneck
from .position_code import PositionCode
from .temporal_encoder import TemporalEncoder, sequence_code

__all__ = [
    'AdaptiveGraphConv',
    'CrossViewNet',
    'EncoderLayer',
    'GraphBlock',
    'JointFeatures',
    'MSABottleneck',
    'PositionCode',
    'RelativePositionBias',
    'SelfAttention',
    'TemporalEncoder',
    'align_points',
    'align_views',
    'check_input_size',
    'sequence_code',
    'spatial_attention',
]
