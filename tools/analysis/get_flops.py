"""Count the parameters of a config's network, and its multiply-adds for one image.

One multiply-add (MAC) is a multiplication and the addition of its product. Papers call either the MACs or twice as many
FLOPs; both numbers are printed. MMEngine counts convolutions, linear layers, norms and bilinear resizing, but no
activations, products or sums of maps; the two matrix products of attention are added here.

Example:
    python tools/analysis/get_flops.py configs/pmsdsnet/pmsdsnet_3stage_onehand10k.py
"""

import argparse
from collections.abc import Sequence
from math import prod
from pathlib import Path
from typing import Any

import torch
from mmengine.analysis import ActivationAnalyzer, FlopAnalyzer
from mmengine.analysis.jit_handles import get_shape
from mmengine.analysis.print_helper import complexity_stats_table
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.models import build_pose_estimator
from torch import Tensor, nn

import handkp_plugins  # noqa: F401  registers what configs name
from handkp_plugins.apis.detection import build_detector
from handkp_plugins.cli.tool import run_tool
from handkp_plugins.cli.train_test import OptionAction
from handkp_plugins.engine.config import load_config


class _Network(nn.Module):
    """A network from images to maps, without data samples."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor) -> Tensor:
        return self.model._forward(images)


def _attention_macs(inputs: list[Any], outputs: list[Any]) -> int:
    """Count ``scaled_dot_product_attention``: queries times keys, and their weights times values."""
    *batch, queries, channels = get_shape(inputs[0])
    *_, keys, value_channels = get_shape(inputs[2])
    return prod(batch) * queries * keys * (channels + value_channels)


def count(config: str | Path | Config, shape: Sequence[int] | None = None) -> dict[str, Any]:
    """Return ``params``, ``macs``, ``shape`` and ``table``, MMEngine's list of both for each module.

    Args:
        config: A config file or a loaded config.
        shape: [W, H] of the image; by default the input size of the head's decoder, or of a detector's test pipeline.
    """
    cfg = config if isinstance(config, Config) else load_config(config)
    init_default_scope(cfg.get('default_scope', 'mmpose'))
    if 'bbox_head' in cfg.model:
        w, h = shape or next(s.scale for s in cfg.test_dataloader.dataset.pipeline if s.type == 'Resize')
        network = _Network(build_detector(cfg, 'cpu')).eval()
    else:
        w, h = shape or cfg.model.head.decoder.input_size
        network = _Network(build_pose_estimator(cfg.model)).eval()
    image = (torch.zeros(1, 3, h, w),)
    macs, activations = FlopAnalyzer(network, image), ActivationAnalyzer(network, image)
    macs.set_op_handle('aten::scaled_dot_product_attention', _attention_macs)  # MMEngine does not count it
    with torch.no_grad():
        table = complexity_stats_table(flops=macs, activations=activations, show_param_shapes=True)
        total = int(macs.total())
    params = sum(p.numel() for p in network.parameters())
    return dict(params=params, macs=total, shape=(w, h), table=table)


def main(
    config: str, shape: Sequence[int] | None = None, cfg_options: dict[str, Any] | None = None, table: bool = False
) -> dict[str, Any]:
    """Print and return the result of :func:`count`."""
    result = count(load_config(config, cfg_options), shape)
    if table:
        print(result['table'])
    w, h = result['shape']
    print(f'{config}, one image of {w}×{h} (width×height)')
    print(f'parameters: {result["params"] / 1e6:.3f} M')
    print(f'multiply-adds: {result["macs"] / 1e9:.3f} GMACs = {2 * result["macs"] / 1e9:.3f} GFLOPs')
    return result


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config')
    parser.add_argument('--shape', type=int, nargs=2, metavar=('W', 'H'), help="default: the config's input size")
    parser.add_argument('--cfg-options', nargs='+', action=OptionAction, metavar='KEY=VALUE')
    parser.add_argument('--table', action='store_true', help='also list every module')
    arguments = vars(parser.parse_args())
    run_tool(lambda: main(**arguments))
