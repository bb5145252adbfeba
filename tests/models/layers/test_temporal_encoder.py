"""HTT's encoder blocks: the code by hand, pre-norm layers against torch's, and padding that nothing depends on."""

import pytest
import torch
from torch import nn

from handkp_plugins.models.layers import EncoderLayer, SelfAttention, TemporalEncoder, sequence_code

SIZES = dict(embed_dims=8, num_heads=2, feedforward_channels=12)


def padding_of(*lengths: int, size: int) -> torch.Tensor:
    return torch.arange(size) >= torch.tensor(lengths)[:, None]


def test_code_by_hand() -> None:
    """Position 1 of 512 channels; base 10000."""
    code = sequence_code(3, 512)
    torch.testing.assert_close(code[1, :3], torch.tensor([0.84147, 0.54030, 0.82186]), atol=1e-5, rtol=0)
    torch.testing.assert_close(code[0], torch.tensor([0.0, 1.0]).repeat(256))
    torch.testing.assert_close(code[2, -2:], torch.tensor([2.0 / 10000 ** (510 / 512), 1.0]), atol=1e-6, rtol=0)


@pytest.mark.parametrize('norm_first', [False, True])
def test_layer_is_torchs(norm_first: bool) -> None:
    torch.manual_seed(0)
    ours = EncoderLayer(**SIZES, dropout=0.0, attention_dropout=0.0, norm_first=norm_first).eval()
    theirs = nn.TransformerEncoderLayer(8, 2, 12, 0.0, batch_first=True, norm_first=norm_first).eval()
    attention, linear1, linear2 = ours.attention, ours.ffn.layers[0][0], ours.ffn.layers[1]
    theirs.self_attn.in_proj_weight.data = torch.cat([attention.query_key.weight, attention.value.weight])
    theirs.self_attn.in_proj_bias.data = torch.cat([attention.query_key.bias, attention.value.bias])
    theirs.self_attn.out_proj.load_state_dict(attention.output.state_dict())
    for name, source in dict(linear1=linear1, linear2=linear2, norm1=ours.norm1, norm2=ours.norm2).items():
        getattr(theirs, name).load_state_dict(source.state_dict())
    tokens, padding = torch.randn(3, 5, 8), padding_of(5, 3, 1, size=5)
    torch.testing.assert_close(ours(tokens, None), theirs(tokens))
    expected = theirs(tokens, src_key_padding_mask=padding)
    torch.testing.assert_close(ours(tokens, None, padding)[~padding], expected[~padding])


def test_code_is_added_to_normalised_queries_and_keys_alone() -> None:
    layer = EncoderLayer(**SIZES, dropout=0.0, attention_dropout=0.0, norm_first=True)
    tokens, position = torch.randn(2, 5, 8), torch.randn(1, 5, 8)
    normalised = layer.norm1(tokens)
    values = layer.attention.value(normalised).unflatten(2, (2, 4)).transpose(1, 2)
    mixed = (layer.attention.weights(normalised, position) @ values).transpose(1, 2).flatten(2)
    middle = tokens + layer.attention.output(mixed)
    expected = middle + layer.ffn.layers(layer.norm2(middle))
    torch.testing.assert_close(layer(tokens, position), expected)


def test_bias_and_padding_together() -> None:
    attention = SelfAttention(8, 2, 0.0)
    tokens, bias, padding = torch.randn(2, 5, 8), torch.randn(2, 5, 5), padding_of(5, 3, size=5)
    both = attention(tokens, None, bias, padding)
    torch.testing.assert_close(both[0], attention(tokens[:1], None, bias)[0])
    torch.testing.assert_close(both[1, :3], attention(tokens[1:, :3], None, bias[:, :3, :3])[0])


@pytest.mark.parametrize('dropout', [0.0, 0.5])
@pytest.mark.parametrize('dtype', [torch.float32, torch.bfloat16])
def test_padded_tokens_change_nothing(dropout: float, dtype: torch.dtype) -> None:
    encoder = TemporalEncoder(**SIZES, dropout=dropout).train()
    tokens, padding = torch.randn(2, 6, 8), padding_of(6, 2, size=6)
    noisy = tokens.clone()
    noisy[padding] = 100 * torch.randn(4, 8)
    outputs = []
    for x in (tokens, noisy):
        torch.manual_seed(1)
        with torch.autocast('cpu', torch.bfloat16, enabled=dtype == torch.bfloat16):
            outputs.append(encoder(x, padding).float()[~padding])
    assert outputs[0].isfinite().all()
    torch.testing.assert_close(outputs[1], outputs[0])


def test_parameters_and_their_gradients() -> None:
    with torch.device('meta'):
        assert sum(p.numel() for p in TemporalEncoder().parameters()) == 6_305_792
    encoder = TemporalEncoder(**SIZES)
    encoder.init_weights()
    (encoder(torch.randn(2, 5, 8)) * torch.randn(2, 5, 8)).sum().backward()
    assert [n for n, p in encoder.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0] == []


def test_matrices_are_xavier_uniform() -> None:
    torch.manual_seed(0)
    encoder = TemporalEncoder(64, 1, 8, 256)
    encoder.init_weights()
    value, wide = encoder.layers[0].attention.value, encoder.layers[0].ffn.layers[0][0]
    for linear, fans in ((value, 128), (wide, 320)):
        bound = (6 / fans) ** 0.5
        assert 0.97 * bound < linear.weight.abs().max() <= bound and not linear.bias.any()


def test_order_of_frames_matters() -> None:
    encoder = TemporalEncoder(**SIZES).eval()
    tokens = torch.randn(1, 5, 8)
    assert not torch.allclose(encoder(tokens.flip(1)).flip(1), encoder(tokens), atol=1e-3)


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (dict(num_layers=0), 'num_layers: expected an integer from 1, got 0'),
        (dict(embed_dims=9, num_heads=3), 'embed_dims: expected an even number, got 9'),
        (dict(num_heads=3), 'num_heads: expected a divisor of embed_dims 8, got 3'),
    ],
)
def test_bad_arguments(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TemporalEncoder(**SIZES | arguments)
