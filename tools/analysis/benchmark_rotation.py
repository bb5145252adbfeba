"""Measure what averaging over rotations (--tta) costs: milliseconds per image, without and with it.

Times everything from an image and a box to keypoints, including the pipeline's four crops, on images of noise and with
the weights of a new network. The two alternate; times are medians of the rounds.

Example:
    python tools/analysis/benchmark_rotation.py configs/pmsdsnet/pmsdsnet_lite_synthetic-128.py
"""

import argparse
import statistics
import time

import numpy as np
from mmpose.apis import init_model

import handkp_plugins  # noqa: F401  (registers what configs name)
from handkp_plugins.apis.inference import predict_each, resolve_device
from handkp_plugins.apis.rotation import with_rotations
from handkp_plugins.cli.tool import run_tool
from handkp_plugins.engine.config import load_config

_SIDE = 256


def main(config: str, batch_size: int = 8, rounds: int = 5, device: str = 'auto') -> dict[str, float]:
    """Measure and print; return milliseconds per image, ``plain`` and ``averaged``, and their ``ratio``.

    Raises:
        ValueError: A number is below 1, or the config's pipeline has no crop to rotate.
    """
    if batch_size < 1 or rounds < 1:
        raise ValueError(f'batch_size, rounds: expected integers from 1, got {batch_size}, {rounds}')
    cfg = load_config(config)
    cfg.model.backbone.init_cfg = None  # weights do not matter; they would be downloaded
    model = init_model(cfg, None, resolve_device(device))
    models = dict(plain=model, averaged=with_rotations(model))
    rng = np.random.default_rng(0)
    images = list(rng.integers(0, 256, (batch_size, _SIDE, _SIDE, 3), dtype=np.uint8))
    boxes = np.tile([0.2 * _SIDE, 0.2 * _SIDE, 0.8 * _SIDE, 0.8 * _SIDE], (batch_size, 1))
    times: dict[str, list[float]] = {name: [] for name in models}
    for _ in range(rounds + 1):
        for name, network in models.items():
            start = time.perf_counter()
            predict_each(network, images, boxes)
            times[name].append(1e3 * (time.perf_counter() - start) / batch_size)
    result = {name: statistics.median(t[1:]) for name, t in times.items()}  # the first warms up
    result['ratio'] = result['averaged'] / result['plain']
    print(
        f'{config}: {result["plain"]:.1f} ms per image, averaged over rotations {result["averaged"]:.1f} ms: '
        f'{result["ratio"]:.2f} times (batch {batch_size})'
    )
    return result


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config')
    parser.add_argument('--batch-size', type=int, default=8, help='(default %(default)s)')
    parser.add_argument('--rounds', type=int, default=5, help='(default %(default)s)')
    parser.add_argument('--device', default='auto', help='auto (default), cpu or cuda:N')
    arguments = vars(parser.parse_args())
    run_tool(lambda: main(**arguments))
