"""The Transformer neck: its equations by hand, its position codes, and that nothing in it is dead."""

import math

import pytest
import torch
from mmpose.models.utils.transformer import DetrTransformerEncoder

from handkp_plugins.models.layers import PositionCode, SelfAttention
from handkp_plugins.models.layers import attention as attention_module
from handkp_plugins.models.necks import TransformerNeck

TINY = dict(in_channels=6, embed_dims=8, num_layers=2, num_heads=2, feedforward_channels=12)


def make(**arguments: object) -> TransformerNeck:
    torch.manual_seed(0)
    neck = TransformerNeck(**TINY | arguments)
    neck.init_weights()
    return neck


def test_defaults_are_the_papers() -> None:
    neck = TransformerNeck(512)
    layer = neck.layers[0]
    assert len(neck.layers) == 4 and layer.attention.num_heads == 8 and neck.position.kind == 'sine'
    assert neck.reduce.weight.shape == (256, 512, 1, 1) and layer.ffn.feedforward_channels == 1024
    rates = {m.p for m in layer.modules() if isinstance(m, torch.nn.Dropout)} | {layer.attention.dropout}
    assert rates == {0.1} and any(isinstance(m, torch.nn.ReLU) for m in layer.modules())
    # 1×1, and in each layer four d×d projections, the feed-forward network, two norms; all of it is trained
    layers = 4 * (4 * (256 * 256 + 256) + 2 * 256 * 1024 + 1024 + 256 + 4 * 256)
    assert sum(p.numel() for p in neck.parameters() if p.requires_grad) == 512 * 256 + layers


@pytest.mark.parametrize('position', ['sine', 'learned', 'none'])
@pytest.mark.parametrize('training', [True, False])
def test_any_size_one_after_the_other(position: str, training: bool) -> None:
    neck = make(position=position, grid_size=(3, 4)).train(training)
    for size in ((4, 3), (8, 6), (1, 5), (4, 3)):
        (maps,) = neck((torch.rand(2, 3, *size), torch.rand(2, 6, *size)))
        assert maps.shape == (2, 8, *size) and maps.isfinite().all()


@pytest.mark.parametrize('position', ['sine', 'learned', 'none'])
def test_every_parameter_has_a_gradient(position: str) -> None:
    neck = make(position=position)
    (maps,) = neck((torch.rand(2, 6, 5, 4),))
    (maps * torch.rand_like(maps)).sum().backward()
    assert [n for n, p in neck.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0] == []


def test_an_attention_by_hand() -> None:
    """Two tokens, one head, one channel: softmax of q·k; the code counts in both, not in the value."""
    attention = SelfAttention(1, 1, 0.0)
    with torch.no_grad():
        attention.query_key.weight.copy_(torch.tensor([[2.0], [1.0]]))
        attention.value.weight.fill_(1)
        attention.output.weight.fill_(1)
        for linear in (attention.query_key, attention.value, attention.output):
            linear.bias.zero_()
    tokens, position = torch.tensor([[[1.0], [0.0]]]), torch.tensor([[[0.0], [2.0]]])
    # queries 2·(1, 2), keys (1, 2): row i of the logits is 2 (1, 2)ᵢ · (1, 2)
    rows = [[math.exp(q * k) for k in (1, 2)] for q in (2, 4)]
    expected = torch.tensor([[r / sum(row) for r in row] for row in rows])
    torch.testing.assert_close(attention.weights(tokens, position)[0, 0], expected)
    torch.testing.assert_close(attention(tokens, position)[0, :, 0], expected[:, 0])  # the values are 1 and 0


def test_weights_are_those_that_were_used() -> None:
    attention = make().layers[0].attention.eval()
    tokens, position = torch.rand(2, 5, 8), torch.rand(1, 5, 8)
    weights = attention.weights(tokens, position)
    assert weights.shape == (2, 2, 5, 5)
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, 2, 5))
    values = attention.value(tokens).view(2, 5, 2, 4).transpose(1, 2)
    mixed = (weights @ values).transpose(1, 2).reshape(2, 5, 8)
    torch.testing.assert_close(attention(tokens, position), attention.output(mixed))


@pytest.mark.parametrize('tiles', [False, True])
def test_bfloat16_on_the_cpu_is_the_same_attention(tiles: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the products are written out; with dropout too, whose mean over many draws is what there is without."""
    monkeypatch.setattr(attention_module, '_TILES', tiles)
    attention = make().layers[0].attention.eval()
    tokens, position = torch.rand(3, 5, 8), torch.rand(1, 5, 8)
    exact = attention(tokens, position)
    with torch.autocast('cpu', torch.bfloat16):
        coarse = attention(tokens, position)
        with torch.no_grad():
            torch.testing.assert_close(attention(tokens, position), coarse, atol=0.02, rtol=0.02)
        attention.train().dropout = 0.5
        mean = torch.stack([attention(tokens, position).float() for _ in range(400)]).mean(0)
    assert coarse.dtype == torch.bfloat16 and not torch.equal(mean, coarse.float())
    torch.testing.assert_close(coarse.float(), exact, atol=0.02, rtol=0.02)
    torch.testing.assert_close(mean, exact, atol=0.1, rtol=0)


def test_dropout_in_float32_keeps_the_mean() -> None:
    attention = make().layers[0].attention.eval()
    tokens, position = torch.rand(3, 5, 8), torch.rand(1, 5, 8)
    exact = attention(tokens, position)
    attention.train().dropout = 0.5
    draws = torch.stack([attention(tokens, position) for _ in range(400)])
    torch.testing.assert_close(draws.mean(0), exact, atol=0.1, rtol=0)
    assert draws.std(0).max() > 0.01


def test_encoder_is_mmposes() -> None:
    """DETR's encoder: post-norm, the code added to queries and keys in every layer."""
    neck = make().eval()
    attention = dict(embed_dims=8, num_heads=2, batch_first=True)
    encoder = DetrTransformerEncoder(
        2, dict(self_attn_cfg=attention, ffn_cfg=dict(embed_dims=8, feedforward_channels=12))
    ).eval()
    for theirs, ours in zip(encoder.layers, neck.layers, strict=True):
        qkv, out = theirs.self_attn.attn, theirs.self_attn.attn.out_proj
        qkv.in_proj_weight.data = torch.cat([ours.attention.query_key.weight, ours.attention.value.weight])
        qkv.in_proj_bias.data = torch.rand(24)
        ours.attention.query_key.bias.data, ours.attention.value.bias.data = qkv.in_proj_bias.data.split([16, 8])
        out.load_state_dict(ours.attention.output.state_dict())
        theirs.ffn.load_state_dict(ours.ffn.state_dict())
        for norm, source in zip(theirs.norms, (ours.norm1, ours.norm2), strict=True):
            norm.load_state_dict(source.state_dict())
    maps = torch.rand(2, 6, 3, 5)
    reduced = neck.reduce(maps)
    tokens = reduced.flatten(2).transpose(1, 2)
    expected = encoder(tokens, neck.position(reduced).expand(2, -1, -1), None)
    torch.testing.assert_close(neck((maps,))[0], expected.transpose(1, 2).view(2, 8, 3, 5))


def test_sine_code_by_hand() -> None:
    code = PositionCode('sine', 8)(torch.zeros(3, 8, 2, 4)).view(2, 4, 8)
    y, x = 2 * math.pi * 1 / 2, 2 * math.pi * 3 / 4  # of the first row and the third column
    expected = [f(angle / 10000 ** (i / 2)) for angle in (y, x) for i in (0, 1) for f in (math.sin, math.cos)]
    torch.testing.assert_close(code[0, 2], torch.tensor(expected), atol=1e-5, rtol=1e-5)


def test_sine_code_is_kept_for_its_size_alone() -> None:
    position = PositionCode('sine', 8)
    with torch.inference_mode():
        first = position(torch.zeros(1, 8, 2, 4))
    assert not first.is_inference()  # or a training could not use it afterwards
    assert position(torch.ones(5, 8, 2, 4)) is first
    assert position(torch.zeros(1, 8, 4, 2)).shape == (1, 8, 8) and position(torch.zeros(1, 8, 2, 4)) is not first
    assert position(torch.zeros(1, 8, 2, 4, dtype=torch.bfloat16)).dtype == torch.bfloat16
    assert list(position.parameters()) == [] and position.state_dict() == {}


def test_learned_code_is_resized() -> None:
    position = PositionCode('learned', 8, grid_size=(2, 1))
    with torch.no_grad():
        position.grid[0, 0, 0] = torch.tensor([0.0, 4.0])
    same = position(torch.zeros(1, 8, 1, 2))
    torch.testing.assert_close(same[0], position.grid[0, :, 0].T)
    assert position(torch.zeros(1, 8, 1, 4))[0, :, 0].tolist() == [0, 1, 3, 4]


def test_positions_matter_only_with_a_code() -> None:
    maps = torch.rand(1, 6, 1, 6)
    for position in ('sine', 'learned', 'none'):
        neck = make(position=position).eval()
        mirrored = neck((maps.flip(3),))[0].flip(3)
        assert torch.allclose(mirrored, neck((maps,))[0], atol=1e-6) is (position == 'none')


def test_dropout() -> None:
    maps = (torch.rand(1, 6, 4, 4),)
    neck = make()
    assert not torch.equal(neck(maps)[0], neck(maps)[0])
    neck = make(dropout=0.0)
    torch.testing.assert_close(neck(maps)[0], neck.eval()(maps)[0])
    assert [layer.attention.dropout for layer in make(dropout=0.2, attention_dropout=0.0).layers] == [0, 0]


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (dict(num_layers=0), 'num_layers: expected an integer from 1, got 0'),
        (dict(num_heads=3), 'num_heads: expected a divisor of embed_dims 8, got 3'),
        (dict(position='rope'), r"position: expected \('sine', 'learned', 'none'\), got 'rope'"),
        (dict(embed_dims=6), 'embed_dims: expected a multiple of 4 with sine codes, got 6'),
        (dict(position='learned', grid_size=(0, 4)), r'grid_size: .* got \(0, 4\)'),
    ],
)
def test_bad_arguments(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make(**arguments)


def test_channels_of_the_backbone() -> None:
    with pytest.raises(ValueError, match='in_channels: expected 5, those of the backbone, got 6'):
        make()((torch.rand(1, 5, 4, 4),))
