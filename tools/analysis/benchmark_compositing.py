"""Measure what the HandCompositor costs: milliseconds per image, as a whole and step by step.

Hands with coverage are stood for by discs of noise. Each time is the median of the rounds; that of a step is
measured alone, with the shares of samples that the settings give it. The backgrounds are made before.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import torch
from mmpose.structures import PoseDataSample
from torch import Tensor

from handkp_plugins.cli.tool import run_tool
from handkp_plugins.models.data_preprocessors import HandCompositor
from handkp_plugins.models.data_preprocessors.batch_random import BatchRandom


def discs(num: int, size: int, device: str) -> Tensor:
    """Layers (num, 4, size, size), uint8: noise, covered inside a disc."""
    layers = torch.randint(0, 256, (num, 4, size, size), dtype=torch.uint8, device=device)
    x = torch.linspace(-1, 1, size, device=device)
    layers[:, 3] = 255 * (x[None] ** 2 + x[:, None] ** 2 < 0.5)
    return layers


def median_ms(work: Callable[[], Any], rounds: int, device: str) -> float:
    """Median time of a call: on the CPU the processor's, so that other programs hardly count, else the clock's."""
    clock = time.process_time if device == 'cpu' else time.perf_counter
    times = []
    for _ in range(rounds + 1):
        start = clock()
        work()
        if device != 'cpu':
            torch.cuda.synchronize()
        times.append(1e3 * (clock() - start))
    return statistics.median(times[1:])


def steps_of(compositor: HandCompositor, layers: Tensor) -> dict[str, Callable[[], Any]]:
    """Each step of the way on its own, by name."""
    num, _, height, width = layers.shape
    rng = BatchRandom(num, None, layers.device)
    floats = layers.float().div_(255)
    images, alpha = floats[:, :3].contiguous(), floats[:, 3:].contiguous()
    behind = compositor.bank.draw(rng, height, width, True)
    camera = compositor.camera
    steps = {
        'backgrounds': lambda: compositor.bank.draw(rng, height, width, True),
        'layering': lambda: compositor.layering(images, alpha, behind, rng),
    }
    for step in (camera.color, camera.light, camera.blurring, camera.resolution, camera.noising, camera.compression):
        steps[step.__name__] = lambda step=step: step(images, rng)
    return steps


def main(
    sizes: Sequence[int] = (128, 256), batch_size: int = 64, rounds: int = 9, num: int = 512, device: str = 'auto'
) -> dict[int, dict[str, float]]:
    """Print the table; returns size → step → milliseconds per image."""
    device = ('cuda' if torch.cuda.is_available() else 'cpu') if device == 'auto' else device
    print(f'device {device}, {torch.get_num_threads()} threads, batch {batch_size}')
    table: dict[int, dict[str, float]] = {}
    for size in sizes:
        compositor = HandCompositor(
            mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], bgr_to_rgb=True,
            backgrounds=dict(num=num, size=size * 5 // 4)).to(device)  # fmt: skip
        start = time.perf_counter()
        layers = discs(batch_size, size, device)
        batch = dict(inputs=list(layers), data_samples=[PoseDataSample() for _ in layers])
        compositor(batch, training=True)
        print(f'{size}²: bank of {num} backgrounds and first batch in {time.perf_counter() - start:.1f} s')
        work = {'all': lambda c=compositor, b=batch: c(b, training=True), **steps_of(compositor, layers)}
        table[size] = {name: median_ms(call, rounds, device) / batch_size for name, call in work.items()}
    print(f'| ms per image | {" | ".join(f"{size}²" for size in sizes)} |\n|---|{"---|" * len(sizes)}')
    for name in table[sizes[0]]:
        print(f'| {name} | {" | ".join(f"{table[size][name]:.3f}" for size in sizes)} |')
    return table


if __name__ == '__main__':
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog='example: OMP_NUM_THREADS=1 python tools/analysis/benchmark_compositing.py --sizes 128',
    )
    parser.add_argument('--sizes', type=int, nargs='+', default=(128, 256), help='sides of the square input')
    parser.add_argument('--batch-size', type=int, default=64)
    parser.add_argument('--rounds', type=int, default=9)
    parser.add_argument('--num', type=int, default=512, help='backgrounds in the bank')
    parser.add_argument('--device', default='auto', help='auto, cpu or cuda')
    arguments = vars(parser.parse_args())
    run_tool(lambda: main(**arguments))
