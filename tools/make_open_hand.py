"""Make the arrays of the open hand, the mesh of HaMuCo where there is no MANO.

    python tools/make_open_hand.py --out handkp_plugins/models/hand_layers/open_hand.npz

The file is shipped; make it again when the generated hand changes.
"""

import argparse
from pathlib import Path

import numpy as np

from handkp_plugins.cli.tool import run_tool
from handkp_plugins.fileio.atomic import atomic_write
from handkp_plugins.synthetic.rigs.open_hand import open_hand_arrays


def main(out: str | Path, vertices: int = 800) -> None:
    """Write the file. The arguments are the options of the command line."""
    arrays = open_hand_arrays(vertices)
    with atomic_write(Path(out)) as temporary, open(temporary, 'wb') as file:
        np.savez_compressed(file, **arrays)
    print(f'{out}: {arrays["num_vertices"]} vertices, {len(arrays["faces"])} triangles, 16 bones, 10 shapes')


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--out', required=True, metavar='NPZ', help='file to write')
    parser.add_argument('--vertices', type=int, default=800, help='about how many (default 800)')
    arguments = vars(parser.parse_args())
    run_tool(lambda: main(**arguments))
