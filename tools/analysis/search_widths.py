"""Search channel widths of P-MSDSNet with the published numbers of parameters and the fewest multiply-adds.

For each choice of widths at strides 1 to 8, the search varies the widths at stride 16, where a weight costs least,
until 3 stages have 2.8 M and 6 stages 5.0 M parameters. Prints a Markdown table with the cheapest network of each
choice.

Example:
    python tools/analysis/search_widths.py --tolerance 0.02
"""

import argparse
from collections.abc import Sequence
from itertools import product
from typing import NamedTuple

import torch
from torch import nn

from handkp_plugins.cli.tool import run_tool
from handkp_plugins.models.backbones import PMSDSNet

NUM_KEYPOINTS = 21
TARGETS = {3: 2.8e6, 6: 5.0e6}
# Widths and fusion widths at strides 1, 2, 4, 8. Their sum is at least 21 at the output and wherever maps are
# supervised: fewer channels cannot hold 21 linearly independent maps.
FINE = [
    ((8, 8, 8, 8), (16, 16, 16, 16)),
    ((8, 8, 16, 16), (16, 16, 16, 32)),
    ((8, 8, 16, 32), (16, 16, 16, 32)),
    ((8, 8, 16, 48), (16, 16, 16, 48)),
    ((8, 16, 16, 32), (16, 8, 16, 32)),
    ((8, 16, 24, 48), (16, 16, 16, 32)),
    ((8, 16, 32, 64), (16, 16, 16, 32)),
    ((16, 16, 32, 64), (8, 16, 16, 32)),
]
COARSE = tuple(range(120, 161, 8))  # width at stride 16
COARSE_FUSION = (32, 40, 48, 56, 64)
COARSE_STEM = (32, 48, 64)


class Size(NamedTuple):
    """Parameters and multiply-adds with 3 and 6 stages."""

    params_3: int
    params_6: int
    macs_3: int
    macs_6: int

    def matches(self, tolerance: float) -> bool:
        return all(abs(n / TARGETS[m] - 1) <= tolerance for n, m in ((self.params_3, 3), (self.params_6, 6)))


def measure(widths: Sequence[int], fusion_widths: Sequence[int], stem_widths: Sequence[int], side: int = 256) -> Size:
    """Count backbone and final 1×1 convolution on the meta device: parameters, and multiply-adds of convolutions."""
    with torch.device('meta'):
        net = PMSDSNet(3, NUM_KEYPOINTS, widths=widths, fusion_widths=fusion_widths, stem_widths=stem_widths).eval()
        final = nn.Conv2d(net.out_channels, NUM_KEYPOINTS, 1)
        model = nn.ModuleDict(dict(net=net, final=final))
        macs: dict[nn.Module, int] = {}
        for module in model.modules():
            if isinstance(module, nn.Conv2d):
                module.register_forward_hook(
                    lambda m, _, out: macs.update({m: out.shape[2] * out.shape[3] * m.weight.numel()})
                )
        with torch.no_grad():
            final(net(torch.zeros(1, 3, side, side))[0])
    params = sum(p.numel() for p in model.parameters())
    # All stages between the first and the last are equal: six stages are three, plus three more of the second.
    middle = net.stages[1]
    more_params = 3 * sum(p.numel() for p in middle.parameters())
    more_macs = 3 * sum(macs[m] for m in middle.modules() if m in macs)
    return Size(params, params + more_params, sum(macs.values()), sum(macs.values()) + more_macs)


def main(tolerance: float = 0.01, side: int = 256) -> list[tuple[tuple, Size]]:
    """Print the table; return its rows: (widths, fusion widths, stem widths) and size."""
    rows = []
    print('| widths | fusion widths | stem widths | params, 3 / 6 stages (M) | GMACs, 3 / 6 stages |')
    print('|---|---|---|---|---|')
    for fine, fine_fusion in FINE:
        fits = []
        for coarse, fusion, stem in product(COARSE, COARSE_FUSION, COARSE_STEM):
            choice = ((*fine, coarse), (*fine_fusion, fusion), (*fine, stem))
            size = measure(*choice, side)
            if size.matches(tolerance):
                fits.append((choice, size))
        if not fits:
            print(f'| {fine}: none within {tolerance:.1%} | | | | |')
            continue
        choice, size = min(fits, key=lambda fit: fit[1].macs_3)
        rows.append((choice, size))
        params = f'{size.params_3 / 1e6:.3f} / {size.params_6 / 1e6:.3f}'
        macs = f'{size.macs_3 / 1e9:.2f} / {size.macs_6 / 1e9:.2f}'
        print('| {} | {} | {} |'.format(*(', '.join(map(str, c)) for c in choice)), f'{params} | {macs} |')
    return rows


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--tolerance', type=float, default=0.01, help='allowed relative difference from both totals')
    parser.add_argument('--side', type=int, default=256, help='side of the square input')
    arguments = parser.parse_args()
    run_tool(lambda: main(arguments.tolerance, arguments.side))
