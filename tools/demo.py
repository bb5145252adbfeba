r"""Find the keypoints of hands in images, a video or a camera; write drawings and JSON (docs/demo.md).

Examples:
    python tools/demo.py photo.jpg --bbox 63 92 99 194 --output out
    python tools/demo.py webcam:0 --smooth --show
    python tools/demo.py photo.jpg --pose configs/pmsdsnet/pmsdsnet_lite_synthetic-128.py \
        work_dirs/demo/pmsdsnet_lite_synthetic-128/epoch_15.pth --output out
"""

import handkp_plugins  # noqa: F401  (registers the modules that configs name)
from handkp_plugins.apps.demo.demo import run_demo as main
from handkp_plugins.apps.demo.options import parse_demo_args
from handkp_plugins.cli.tool import run_tool

if __name__ == '__main__':
    run_tool(lambda: main(**parse_demo_args(description=__doc__)), stopped='stopped; what was done is saved')
