"""Layers and functions that several networks share."""

from .attention import RelativePositionBias, SelfAttention, spatial_attention
from .encoder_layer import EncoderLayer
from .input_size import check_input_size
from .msa_bottleneck import MSABottleneck
from .position_code import PositionCode
from .temporal_encoder import TemporalEncoder, sequence_code

__all__ = [
    'EncoderLayer',
    'MSABottleneck',
    'PositionCode',
    'RelativePositionBias',
    'SelfAttention',
    'TemporalEncoder',
    'check_input_size',
    'sequence_code',
    'spatial_attention',
]
