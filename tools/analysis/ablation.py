"""Ablation of the recipe of generated hands: the same short training with one change at a time.

Usage:
    python tools/analysis/ablation.py --out work_dirs/ablation --real data/real --rig rigs/*_R.gltf --poses poses.npz \\
        --backgrounds data/backgrounds

Each row trains the lite network from scratch on the same number of samples (of its own hands, if the change concerns
the hands), and tests it on the same held-out hands of the full recipe and on real images
(tools/analysis/real_check.py); without a GPU, two rows run at a time. Finished rows are kept: run the tool again to
continue after an interruption, or with --only to add rows. Writes ``ablation.json`` and ``ablation.md``. A row is one
training: small differences are chance; --seed gives another one.
"""

import argparse
import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from mmengine.config import Config
from real_images import find_sources

import handkp_plugins  # noqa: F401  (registers what configs name)
from handkp_plugins.cli.tool import run_tool
from handkp_plugins.engine.config import load_config
from handkp_plugins.engine.experiments.steps import loading_options, run_step, side_by_side, threads, with_options
from handkp_plugins.fileio.atomic import write_text

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / 'configs' / 'pmsdsnet' / 'pmsdsnet_lite_layers-128.py'
FULL = 'full recipe'
_EPOCHS = 8  # warm-up is one of them
_writing = threading.Lock()
_VIDEOS = {'tfjs_asl_hand': 'ASL video PCK@0.1', 'dex_retargeting_hand': 'retargeting video PCK@0.1'}
_COLUMNS = ('generated PCK@0.2', 'generated EPE', 'photographs PCK@0.2', *_VIDEOS.values())


def _mean_squared_error(cfg: Config) -> None:
    """The paper's loss, as in pmsdsnet_3stage-mse_layers-256.py."""
    cfg.model.head.loss = dict(type='KeypointMSELoss', use_target_weight=True)
    for codec in _codecs(cfg):
        codec.update(logits=False, window=None)


def _input_size(size: int, cfg: Config) -> None:
    """Square inputs of another size; maps keep stride 4, and targets a width of one of their pixels."""
    for transform in _transforms(cfg):
        if transform['type'] == 'TopdownAffine':
            transform['input_size'] = (size, size)
    for codec in _codecs(cfg):
        codec.update(input_size=(size, size), heatmap_size=(size // 4, size // 4))
    cfg.model.data_preprocessor.backgrounds.size = size * 5 // 4


def _adamw(cfg: Config) -> None:
    """AdamW for all parameters, at a learning rate that works in short trainings."""
    cfg.optim_wrapper.optimizer.update(type='AdamW', lr=4e-3, weight_decay=0.01)


def _transforms(cfg: Config) -> list[dict[str, Any]]:
    return [t for split in ('train', 'val', 'test') for t in cfg[f'{split}_dataloader'].dataset.pipeline]


def _codecs(cfg: Config) -> list[dict[str, Any]]:
    encoders = [t['encoder'] for t in _transforms(cfg) if t['type'] == 'GenerateTarget']
    return [cfg.model.head.decoder, *encoders]


_OF_HANDS = ('--rig', '--poses')


@dataclass(frozen=True)
class Row:
    """One change: an added argument of the generator, an input that is left out, or a change of the config."""

    name: str
    add: str = ''
    leave_out: str = ''
    change: Callable[[Config], None] = lambda cfg: None

    @property
    def hands(self) -> str:
        """Name of its training hands."""
        if self.add:
            return self.add.removeprefix('--')
        return f'no-{self.leave_out[2:]}' if self.leave_out in _OF_HANDS else 'full'


ROWS = (
    Row(FULL),
    Row('procedural hand only, no rigs', leave_out='--rig'),
    Row('every hand of one shape', add='--one-shape'),
    Row('no recorded poses', leave_out='--poses'),
    Row('nothing held, no second hands', add='--alone'),
    Row('generated backgrounds only', leave_out='--backgrounds'),
    Row('mean squared error of the maps', change=_mean_squared_error),
    Row('AdamW instead of Muon', change=_adamw),
    Row('input 96×96', change=partial(_input_size, 96)),
    Row('input 192×192', change=partial(_input_size, 192)),
)


def main(
    out: str | Path,
    real: str | Path,
    rig: Sequence[str] = (),
    poses: Sequence[str] = (),
    backgrounds: str | None = None,
    num: int = 4000,
    samples: int = 16384,
    seed: int = 0,
    only: Sequence[int] = (),
) -> dict[str, dict[str, float]]:
    """Train and test the rows for the arguments of the command line; return the scores of each.

    Raises:
        ValueError: A number is out of range, or the folder holds results of other arguments.
        FileNotFoundError: An input is missing.
        HandkpError: A step failed; the message names its log.
    """
    wrong = [i for i in only if not 0 <= i < len(ROWS)]
    if wrong:
        raise ValueError(f'only: expected rows 0 to {len(ROWS) - 1}, got {wrong[0]}')
    if samples < 32 * _EPOCHS:
        raise ValueError(f'samples: expected {32 * _EPOCHS} or more, got {samples}')
    out, real = Path(out).resolve(), Path(real).resolve()
    inputs = {'--rig': rig, '--poses': poses, '--backgrounds': [backgrounds] if backgrounds else []}
    inputs = {key: [str(Path(path).resolve()) for path in paths] for key, paths in inputs.items() if paths}
    for key, paths in inputs.items():
        for path in paths:
            if not Path(path).exists():
                raise FileNotFoundError(f'{key} {path}: no such file or folder')
    find_sources(real)  # fails now rather than after hours
    arguments = dict(inputs=inputs, num=num, samples=samples, seed=seed)
    file = out / 'ablation.json'
    document = json.loads(file.read_text()) if file.is_file() else dict(arguments=arguments, rows={})
    if document['arguments'] != arguments:
        raise ValueError(
            f'{file} holds results of other arguments, {document["arguments"]}: give them or another --out'
        )
    chosen = [ROWS[i] for i in sorted({0, *only})] if only else ROWS
    for row in chosen:
        if row.leave_out and row.leave_out not in inputs:
            print(f'{row.name}: left out, for there is no {row.leave_out}')
    chosen = [r for r in chosen if r.name not in document['rows'] and (not r.leave_out or r.leave_out in inputs)]
    for kind in dict.fromkeys(row.hands for row in (ROWS[0], *chosen) if chosen):  # the first tests all
        render(out / 'hands' / kind, kind, inputs, num, seed)

    def train_and_test(row: Row, cores: int | None) -> None:
        scores = score(out, row, inputs, samples, seed, real, cores)
        with _writing:
            found = document['rows'] | {row.name: scores}
            document['rows'] = {row.name: found[row.name] for row in ROWS if row.name in found}
            write_text(file, json.dumps(document, indent=1))

    side_by_side([partial(train_and_test, row) for row in chosen])
    text = table(document['rows'], samples, num)
    write_text(out / 'ablation.md', text + '\n')
    print(f'\n{text}\n{out}: ablation.json, ablation.md')
    return document['rows']


def render(folder: Path, kind: str, inputs: dict[str, list[str]], num: int, seed: int) -> None:
    """Render one kind of hands, or the missing ones."""
    row = next(row for row in ROWS if row.hands == kind)
    given = [a for key in _OF_HANDS if key in inputs and key != row.leave_out for a in (key, *inputs[key])]
    fixed = ['--num', str(num), '--size', '224', '--seed', str(seed), '--layers', '--shard', '250']
    run_step(ROOT, 'tools/make_synthetic.py', '--out', str(folder), *fixed, *given, *[row.add] * bool(row.add))


def configured(out: Path, row: Row, inputs: dict[str, list[str]], samples: int, seed: int) -> Config:
    """The lite recipe with a row's change."""
    cfg = load_config(CONFIG)
    if '--backgrounds' in inputs and row.leave_out != '--backgrounds':
        cfg.model.data_preprocessor.backgrounds.folder = inputs['--backgrounds'][0]
    row.change(cfg)
    for split in ('train', 'val', 'test'):
        kind = row.hands if split == 'train' else ROWS[0].hands
        cfg[f'{split}_dataloader'].dataset.data_root = str(out / 'hands' / kind)
    cfg.train_dataloader.sampler.samples_per_epoch = samples // _EPOCHS
    cfg.train_cfg.max_epochs = _EPOCHS
    cfg.default_hooks.checkpoint.update(interval=_EPOCHS, save_best=None)
    cfg.randomness = dict(seed=seed)
    return cfg


def score(
    out: Path, row: Row, inputs: dict[str, list[str]], samples: int, seed: int, real: Path, cores: int | None
) -> dict[str, float]:
    """Train and test a row on this number of cores."""
    work_dir = out / row.name.replace(' ', '_')
    work_dir.mkdir(parents=True, exist_ok=True)
    config, checkpoint = work_dir / 'ablation.py', work_dir / f'epoch_{_EPOCHS}.pth'
    configured(out, row, inputs, samples, seed).dump(config)
    run = partial(run_step, ROOT, label=f'{row.name}: ', environment=threads(cores))
    network = [str(config), str(checkpoint)]
    show = r'Epoch\(train\).*?loss: \S+|Epoch\(test\).*EPE: \S+'
    train = ['--amp', '--no-validate', '--work-dir', str(work_dir)]
    options = with_options(loading_options(cores))
    run('tools/train.py', network[0], *train, *options, log=work_dir / 'train.log', show=show)
    test = ['--work-dir', str(work_dir / 'test'), '--out', str(work_dir / 'scores.json')]
    run('tools/test.py', *network, *test, log=work_dir / 'test.log', show=show)
    check = ['--data', str(real), '--output', str(work_dir / 'real')]
    run('tools/analysis/real_check.py', *network, *check, log=work_dir / 'real.log')
    scores = json.loads((work_dir / 'scores.json').read_text())
    sources = json.loads((work_dir / 'real' / 'real_check.json').read_text())['sources']
    return dict(zip(_COLUMNS[:2], (scores['PCK'], scores['EPE']), strict=True)) | real_scores(sources)


def real_scores(sources: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Average all labelled photographs; keep each video. Missing sources are left out."""
    photographs = [s for s in sources if s['measures'] == 'accuracy']
    count = sum(s['n_keypoints'] for s in photographs)
    scores = {_COLUMNS[2]: sum(s['pck_0.2'] * s['n_keypoints'] for s in photographs) / count} if count else {}
    return scores | {_VIDEOS[s['key']]: s['pck_0.1'] for s in sources if s['key'] in _VIDEOS}


def table(rows: dict[str, dict[str, float]], samples: int, num: int) -> str:
    """The rows as Markdown, in the order of the list."""
    lines = [f'| {samples:,} samples of {num * 8 // 10:,} hands | {" | ".join(_COLUMNS)} |', '|---' * 6 + '|']
    for row in ROWS:
        if row.name in rows:
            scores = rows[row.name]
            cells = [f'{scores[c]:.1f}' if 'EPE' in c else f'{scores[c]:.3f}' if c in scores else '–' for c in _COLUMNS]
            lines.append(f'| {row.name} | {" | ".join(cells)} |')
    return '\n'.join(lines)


def parse_args() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--out', required=True, help='folder of hands, trainings and results')
    parser.add_argument('--real', required=True, metavar='DIR', help='folder of real images (data/README.md)')
    parser.add_argument('--rig', nargs='+', default=[], help='glTF files of rigged hands')
    parser.add_argument('--poses', nargs='+', default=[], help='files of recorded poses (tools/fit_poses.py)')
    parser.add_argument('--backgrounds', metavar='DIR', help='photographs to put behind the hands')
    parser.add_argument('--num', type=int, default=4000, help='hands of each kind (default %(default)s)')
    parser.add_argument('--samples', type=int, default=16384, help='to train on in each row (default %(default)s)')
    parser.add_argument('--seed', type=int, default=0, help='(default %(default)s)')
    rows = '; '.join(f'{i}: {row.name}' for i, row in enumerate(ROWS))
    parser.add_argument('--only', nargs='+', type=int, default=[], metavar='ROW', help=f'0 and these rows ({rows})')
    return parser.parse_args()


if __name__ == '__main__':
    arguments = vars(parse_args())
    run_tool(lambda: main(**arguments), 'stopped; run the same command again to go on')
