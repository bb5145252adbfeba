"""Small layers and functions that several networks share."""

from .attention import spatial_attention
from .input_size import check_input_size
from .msa_bottleneck import MSABottleneck
from .position_code import PositionCode
from .transformer_encoder import EncoderLayer, SelfAttention

__all__ = ['EncoderLayer', 'MSABottleneck', 'PositionCode', 'SelfAttention', 'check_input_size', 'spatial_attention']
