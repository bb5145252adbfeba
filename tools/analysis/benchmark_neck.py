"""Compare TransformerNeck with torch.nn.TransformerEncoder, with the same weights and after the same convolution.

torch's encoder cannot add a position code in every layer, so both are compared without one; their outputs are checked
to be equal. The neck with its sine code is measured, too. For evaluation (forward) and training (forward and backward,
with dropout), each input size and each number type, a row has

    time        milliseconds of torch's / ours / ratio, and of ours with the sine code
    memory      peak of what is allocated beyond weights and input, in MB, likewise

The networks alternate; times are medians of the rounds, the ratio is the median of the rounds' ratios. On a CPU the
time is processor time, so other programs hardly matter. bf16 means autocast, as with --amp.

Example:
    OMP_NUM_THREADS=1 python tools/analysis/benchmark_neck.py --types fp32 --rounds 5
"""

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from itertools import accumulate, product
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.profiler import ProfilerActivity, profile

from handkp_plugins.apis.inference import resolve_device
from handkp_plugins.cli.tool import run_tool
from handkp_plugins.models.necks import TransformerNeck

STRIDE, IN_CHANNELS = 8, 512
TYPES = dict(fp32=torch.float32, bf16=torch.bfloat16)


class Cost(NamedTuple):
    """Milliseconds of a call in each round, and its peak of allocated megabytes."""

    times: list[float]
    memory: float

    @property
    def time(self) -> float:
        return statistics.median(self.times)


class TorchNeck(nn.Module):
    """A neck with torch's encoder, the weights of ours and no position code."""

    def __init__(self, neck: TransformerNeck) -> None:
        super().__init__()
        first = neck.layers[0]
        layer = nn.TransformerEncoderLayer(
            first.norm1.normalized_shape[0],
            first.attention.num_heads,
            first.ffn.feedforward_channels,
            first.attention.dropout,
            batch_first=True,
        )
        self.reduce = neck.reduce
        self.encoder = nn.TransformerEncoder(layer, len(neck.layers), enable_nested_tensor=False)
        for theirs, ours in zip(self.encoder.layers, neck.layers, strict=True):
            theirs.load_state_dict(torch_state(ours))

    def forward(self, feats: Sequence[Tensor]) -> tuple[Tensor]:
        """See :meth:`TransformerNeck.forward`."""
        maps = self.reduce(feats[-1])
        tokens = self.encoder(maps.flatten(2).transpose(1, 2).contiguous())
        return (tokens.transpose(1, 2).unflatten(2, maps.shape[2:]),)


def torch_state(layer: nn.Module) -> dict[str, Tensor]:
    """Rename the weights of an ``EncoderLayer`` to those of ``nn.TransformerEncoderLayer``."""
    attention, ffn = layer.attention, layer.ffn.layers
    state = {
        f'self_attn.in_proj_{p}': torch.cat([getattr(attention.query_key, p), getattr(attention.value, p)])
        for p in ('weight', 'bias')
    }
    modules = {
        'self_attn.out_proj': attention.output,
        'linear1': ffn[0][0],
        'linear2': ffn[1],
        'norm1': layer.norm1,
        'norm2': layer.norm2,
    }
    return state | {f'{name}.{p}': value for name, m in modules.items() for p, value in m.state_dict().items()}


def make_step(neck: nn.Module, maps: Tensor, dtype: torch.dtype, training: bool) -> Callable[[], Tensor]:
    """Return a function that runs a network forward, and in training backward."""

    def step() -> Tensor:
        with torch.set_grad_enabled(training), torch.autocast(maps.device.type, dtype, dtype != torch.float32):
            (result,) = neck((maps,))
        if training:
            neck.zero_grad()
            result.float().mean().backward()
        return result.detach()

    neck.train(training)
    return step


def milliseconds(call: Callable[[], Tensor], device: str) -> float:
    """Return the time of one call."""
    clock = time.process_time if device == 'cpu' else time.perf_counter
    if device != 'cpu':
        torch.cuda.synchronize()
    start = clock()
    call()
    if device != 'cpu':
        torch.cuda.synchronize()
    return 1e3 * (clock() - start)


def peak_megabytes(call: Callable[[], Tensor], device: str) -> float:
    """Return the peak of allocated memory during a call, minus that before it."""
    if device != 'cpu':
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        call()
        return (torch.cuda.max_memory_allocated() - before) / 1e6
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        call()
    changes = [e for e in profiler.profiler.kineto_results.events() if e.name() == '[memory]']
    changes.sort(key=lambda e: e.start_ns())
    return max(accumulate((e.nbytes() for e in changes), initial=0)) / 1e6


def compare(
    size: tuple[int, int], dtype: torch.dtype, training: bool, batch_size: int, rounds: int, device: str
) -> list[Cost]:
    """Measure torch's encoder, ours, and ours with the sine code.

    Raises:
        AssertionError: The outputs of the first two differ.
    """
    ours, coded = (TransformerNeck(IN_CHANNELS, position=p).to(device) for p in ('none', 'sine'))
    maps = torch.rand(batch_size, IN_CHANNELS, *(n // STRIDE for n in size), device=device)
    necks = [TorchNeck(ours).to(device), ours, coded]
    check = [make_step(neck, maps, torch.float32, False)() for neck in necks[:2]]
    torch.testing.assert_close(*check, atol=1e-4, rtol=1e-4)
    calls = [make_step(neck, maps, dtype, training) for neck in necks]
    turns = [[milliseconds(call, device) for call in calls] for _ in range(rounds + 1)][1:]  # the first warms up
    times = map(list, zip(*turns, strict=True))
    return [Cost(t, peak_megabytes(call, device)) for t, call in zip(times, calls, strict=True)]


def main(
    sizes: Sequence[tuple[int, int]] = ((256, 192), (256, 256)),
    types: Sequence[str] = ('fp32', 'bf16'),
    batch_size: int = 1,
    rounds: int = 9,
    device: str = 'auto',
) -> dict[tuple, list[Cost]]:
    """Print the table; return (mode, size, type) → costs of torch's, ours, ours with the sine code.

    Args:
        sizes: (height, width) of the image; the maps have an eighth of it.
    """
    device = resolve_device(device)
    print(f'device {device}, {torch.get_num_threads()} threads, batch {batch_size}, median of {rounds} rounds')
    print('| | input (H×W) | type | time, ms: torch / ours / ratio | with sine code | memory, MB | with sine code |')
    print('|---|---|---|---|---|---|---|')
    table = {}
    for mode, size, name in product(('evaluation', 'training'), sizes, types):
        torch.manual_seed(0)
        costs = compare(size, TYPES[name], mode == 'training', batch_size, rounds, device)
        table[mode, size, name] = costs
        theirs, ours, coded = costs
        ratio = statistics.median(a / b for a, b in zip(theirs.times, ours.times, strict=True))
        print(
            f'| {mode} | {size[0]}×{size[1]} | {name} | {theirs.time:.1f} / {ours.time:.1f} / {ratio:.2f} '
            f'| {coded.time:.1f} | {theirs.memory:.1f} / {ours.memory:.1f} / {theirs.memory / ours.memory:.2f} '
            f'| {coded.memory:.1f} |',
            flush=True,
        )
    return table


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--types', nargs='+', choices=list(TYPES), default=list(TYPES))
    parser.add_argument('--batch-size', type=int, default=1)
    parser.add_argument('--rounds', type=int, default=9)
    parser.add_argument('--device', default='auto', help='auto, cpu or cuda')
    arguments = vars(parser.parse_args())
    run_tool(lambda: main(**arguments))
