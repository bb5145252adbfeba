"""Train hand keypoint networks on generated images and report their scores; ``make demo`` runs this.

1. Generate images of single hands that hold nothing (``tools/make_synthetic.py --alone``).
2. Train and test a small P-MSDSNet and, with the same budget, MMPose's ResNet-18 (``tools/train.py``, ``test.py``).
3. Test the weights that ship with the package, before and after fine-tuning them for about a minute.
4. Test the mean pose of the training set.
5. Write ``report.html``, its images and ``scores.json`` into the work dir.

Each step prints its command. On the CPU, two trainings run side by side, each on half of the cores. The next run keeps
finished trainings and resumes an interrupted one, unless their input has changed or ``--fresh`` is given.

Example:
    python tools/quickstart.py --num-images 4000 --epochs 30
"""

import argparse
import hashlib
import io
import json
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.registry import init_default_scope
from mmpose.registry import DATASETS
from quickstart_report import System, write_report

import handkp_plugins  # noqa: F401  (registers the modules that configs name)
from handkp_plugins.cli.tool import run_tool
from handkp_plugins.engine.checkpoint import shipped as weights
from handkp_plugins.engine.config import load_config
from handkp_plugins.engine.experiments.mean_pose import evaluate_mean_pose, mean_pose
from handkp_plugins.engine.experiments.steps import loading_options, run_step, say, side_by_side, threads, with_options
from handkp_plugins.engine.optimizers.amp import cpu_has_bfloat16
from handkp_plugins.engine.work_dir import find_checkpoints
from handkp_plugins.fileio.atomic import write_text

ROOT = Path(__file__).resolve().parents[1]
step = partial(run_step, ROOT)
DATA = 'data/synthetic/demo'
WORK_DIR = 'work_dirs/demo'
NUM_IMAGES = 2000
IMAGE_SIZE = 192  # of which the networks see about 128
NUM_ATTENTION = 4
NETWORKS = {
    'P-MSDSNet lite': 'configs/pmsdsnet/pmsdsnet_lite_synthetic-128.py',
    'ResNet-18': 'configs/pmsdsnet/resnet18_synthetic-128.py',
}
SHIPPED = 'lite'
SPLITS = ('train', 'val', 'test')
TUNING = 'configs/pmsdsnet/pmsdsnet_lite-shipped_synthetic-128.py'


@dataclass
class Settings:
    """The options of the user, the time of the start, and the cores of a step (None: all)."""

    num_images: int
    epochs: int | None
    data: Path
    work_dir: Path
    fresh: bool
    start: float
    cores: int | None = None


def main(
    num_images: int = NUM_IMAGES,
    epochs: int | None = None,
    data: str | Path = ROOT / DATA,
    work_dir: str | Path = ROOT / WORK_DIR,
    skip_baseline: bool = False,
    fresh: bool = False,
) -> dict[str, Any]:
    """Run all steps; returns the content of ``scores.json``.

    Args:
        num_images: Images to generate, 8 in 10 for training.
        epochs: Of each training; by default as in the configs.
        data: Folder of the generated images.
        work_dir: Folder of checkpoints, logs and the report.
        skip_baseline: Do not train the ResNet-18.
        fresh: Train again even if there is a training.

    Raises:
        HandkpError: A step failed; the message ends with the last lines of its log.
    """
    s = Settings(num_images, epochs, Path(data).resolve(), Path(work_dir).resolve(), fresh, time.monotonic())
    s.work_dir.mkdir(parents=True, exist_ok=True)
    networks = dict(list(NETWORKS.items())[:1] if skip_baseline else NETWORKS)
    places = f'data: {short(s.data)}, results: {short(s.work_dir)}'
    print(f'images: {num_images}, trainings: {len(networks)}, {places}', flush=True)
    heading(s, f'{num_images} images of generated hands')
    hands = ['--num', str(num_images), '--size', str(IMAGE_SIZE), '--alone']
    step('tools/make_synthetic.py', '--out', short(s.data), *hands)
    systems = compare(s, networks)
    network = f'--pose {short(Path(systems[0].config.filename))} {short(systems[0].checkpoint)}'
    commands = [
        f'python tools/demo.py photo.jpg {more}--bbox X Y WIDTH HEIGHT --output out' for more in ('', f'{network} ')
    ]
    systems.append(test_mean_pose(s, systems[0].config))
    figures = attention(s, systems[0])
    heading(s, 'Report')
    with quiet():
        scores, table = write_report(s.work_dir, systems, num_images, figures, commands)
    print(f'{table}\n\nreport: {s.work_dir / "report.html"}\ntry it: {commands[0]}')
    print(f'total time: {clock(time.monotonic() - s.start)}')
    return scores


def compare(s: Settings, networks: dict[str, str]) -> list[System]:
    """Train and test networks; also test the shipped weights, before and after fine-tuning."""

    def train_and_test(name: str, config: str, cores: int | None) -> System:
        shared = replace(s, cores=cores)
        return test(shared, name, config, *train(shared, name, config))

    def test_shipped(cores: int | None) -> System:
        return test(replace(s, cores=cores), 'lite, shipped', TUNING, weights.SCHEME + SHIPPED, None, 'test_before')

    # The shortest task last: the fastest order for two at a time.
    tasks = [partial(train_and_test, *network) for network in (*networks.items(), ('lite, shipped and tuned', TUNING))]
    at_once = min(2, len(networks))  # one long training has all cores
    *systems, after, before = side_by_side([*tasks, test_shipped], at_once)
    return [*systems, before, after]


def train(s: Settings, name: str, config: str) -> tuple[Path, float]:
    """Train a network unless that is done; returns the checkpoint and the seconds of the training."""
    heading(s, f'Training: {name}')
    work_dir = s.work_dir / Path(config).stem
    cfg = load_config(ROOT / config)
    options = data_options(s) + epoch_options(s, cfg)
    decisive = [cfg.pretty_text, *options, (s.data / 'meta.json').read_text()]
    if str(cfg.load_from).startswith(weights.SCHEME):
        decisive.append(weights.read_metadata(weights.weights_file(cfg.load_from))['tensors_sha256'])
    key = hashlib.sha256('\n'.join(decisive).encode()).hexdigest()
    marker = work_dir / 'training.json'
    state = json.loads(marker.read_text()) if marker.is_file() and not s.fresh else {}
    if state.get('key') != key or state['checkpoint'] and not Path(state['checkpoint']).is_file():
        state = dict(key=key, began=time.time(), seconds=0.0, checkpoint=None)
    if state['checkpoint']:
        say(f'{name}: done before, in {clock(state["seconds"])}; --fresh repeats it')
        return Path(state['checkpoint']), state['seconds']
    resume = []
    saved = [Path(c).stat().st_mtime for c in find_checkpoints(str(work_dir))[:1]]
    if saved and saved[0] > state['began']:  # not of an earlier training
        resume = ['--resume']
        state['seconds'] += max(0.0, saved[0] - marker.stat().st_mtime)
    write_text(marker, json.dumps(state))
    start = time.monotonic()
    amp = ['--amp'] if torch.cuda.is_available() or cpu_has_bfloat16() else []  # else it is slower
    step(
        'tools/train.py', config, *amp, '--work-dir', short(work_dir), *resume,
        *with_options(options + loading_options(s.cores)), log=work_dir / 'train.log',
        show=r'Epoch\(train\).*?loss: \S+|Epoch\(val\).*EPE: \S+', label=f'{name}: ', environment=threads(s.cores),
    )  # fmt: skip
    seconds = state['seconds'] + time.monotonic() - start
    checkpoint = ROOT / (work_dir / 'last_checkpoint').read_text().strip()
    write_text(marker, json.dumps(dict(state, seconds=seconds, checkpoint=str(checkpoint))))
    return checkpoint, seconds


def test(
    s: Settings, name: str, config: str, checkpoint: Path | str, seconds: float | None, folder: str = 'test'
) -> System:
    """Test a network with the metrics of its config."""
    heading(s, f'Test: {name}')
    work_dir = s.work_dir / Path(config).stem / folder
    cfg = load_config(ROOT / config, {f'{split}_dataloader.dataset.data_root': str(s.data) for split in SPLITS})
    curve = [f'test_evaluator.{i}.curve_file={short(work_dir / "pck.json")}' for i in pixel_pck(cfg.test_evaluator)]
    step(
        'tools/test.py', config, short(checkpoint), '--work-dir', short(work_dir),
        '--out', short(work_dir / 'scores.json'), *with_options([*data_options(s), *curve]),
        log=work_dir / 'test.log', show=r'Epoch\(test\).*EPE: \S+', label=f'{name}: ', environment=threads(s.cores),
    )  # fmt: skip
    scores = json.loads((work_dir / 'scores.json').read_text())
    return System(name, scores, json.loads((work_dir / 'pck.json').read_text()), cfg, checkpoint, seconds)


def test_mean_pose(s: Settings, cfg: Config) -> System:
    """Score the mean pose of the training set with the metrics of a config."""
    heading(s, 'Test: mean pose of the training set')
    metrics = [dict(m) for m in cfg.test_evaluator]
    curve_file = s.work_dir / 'mean_pose' / 'pck.json'
    for i in pixel_pck(metrics):
        metrics[i]['curve_file'] = str(curve_file)
    init_default_scope('mmpose')
    with quiet():
        pose = mean_pose(DATASETS.build(dict(cfg.train_dataloader.dataset, pipeline=[])))
        scores = evaluate_mean_pose(pose, DATASETS.build(cfg.test_dataloader.dataset), metrics)
    return System('mean pose', scores, json.loads(curve_file.read_text()))


def attention(s: Settings, system: System) -> list[Path]:
    """Draw the attention of a network on a few test images at equal steps through the set."""
    heading(s, f'Attention: {system.name}')
    ann_file = s.data / 'annotations' / 'test.json'
    files = [s.data / image['file_name'] for image in json.loads(ann_file.read_text())['images']]
    files = files[:: max(1, len(files) // NUM_ATTENTION)][:NUM_ATTENTION]
    out = s.work_dir / 'attention'
    step(
        'tools/analysis/attention.py', short(Path(system.config.filename)), short(system.checkpoint),
        *map(short, files), '--ann', short(ann_file), '--output', short(out), log=s.work_dir / 'attention.log',
    )  # fmt: skip
    return [out / f'{file.stem}.png' for file in files]


def pixel_pck(metrics: list[dict[str, Any]]) -> list[int]:
    """The index, in a list, of the metric that writes the PCK curve."""
    return [i for i, metric in enumerate(metrics) if metric['type'] == 'PixelPCK'][:1]


def data_options(s: Settings) -> list[str]:
    """Config options for the generated images."""
    return [f'{split}_dataloader.dataset.data_root={short(s.data)}' for split in SPLITS]


def epoch_options(s: Settings, cfg: Config) -> list[str]:
    """Config options for another number of epochs, with a schedule of warm-up and cosine."""
    if s.epochs is None:
        return []
    end = max(cfg.param_scheduler[1].begin + 1, s.epochs)
    return [f'train_cfg.max_epochs={s.epochs}', f'param_scheduler.1.end={end}']


def short(path: Path | str) -> str:
    """A path relative to the folder of the project, if it lies there; the address of shipped weights unchanged."""
    return str(path.relative_to(ROOT) if isinstance(path, Path) and path.is_relative_to(ROOT) else path)


@contextmanager
def quiet() -> Iterator[None]:
    """Hide the messages of datasets and metrics."""
    logger = MMLogger.get_current_instance()
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with redirect_stdout(io.StringIO()):
            yield
    finally:
        logger.setLevel(level)


def heading(s: Settings, text: str) -> None:
    """Print the title of a step with the time since the start."""
    say(f'\n== {clock(time.monotonic() - s.start)}  {text}')


def clock(seconds: float) -> str:
    """Seconds as minutes and seconds."""
    return f'{int(seconds) // 60}:{int(seconds) % 60:02d}'


def parse_args() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--num-images', type=int, default=NUM_IMAGES, help=f'images to generate (default {NUM_IMAGES})')
    parser.add_argument('--epochs', type=int, help='of each training (default: as in the configs)')
    parser.add_argument('--data', default=ROOT / DATA, help=f'folder of the images (default {DATA})')
    parser.add_argument('--work-dir', default=ROOT / WORK_DIR, help=f'folder of the results (default {WORK_DIR})')
    parser.add_argument('--skip-baseline', action='store_true', help='do not train the ResNet-18')
    parser.add_argument('--fresh', action='store_true', help='train again even if there is a training')
    return parser.parse_args()


if __name__ == '__main__':
    arguments = vars(parse_args())
    run_tool(lambda: main(**arguments), 'stopped; run the same command again to go on')
