"""The arguments of ``tools/train.py`` and ``tools/test.py``, and how they change a config."""

import argparse
import os
from pathlib import Path
from typing import Any

from mmengine.config import Config, DictAction
from mmengine.registry import init_default_scope
from mmpose.registry import RUNNERS

from handkp_plugins.apis.rotation import add_rotations
from handkp_plugins.engine.config import apply_options, load_config
from handkp_plugins.engine.runner import HandRunner
from handkp_plugins.engine.work_dir import check_writable

_OPTIM_WRAPPERS = ('OptimWrapper', 'AmpOptimWrapper', 'HandAmpOptimWrapper', 'mmpose.HandAmpOptimWrapper')


class OptionAction(DictAction):
    """MMEngine's action for ``--cfg-options``, with a message if it cannot parse a pair."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: str | None = None
    ) -> None:
        for text in values:
            try:
                super().__call__(parser, namespace, [text], option)
            except (ValueError, AssertionError):
                expected = 'KEY=VALUE, with as many brackets opened as closed'
                raise argparse.ArgumentError(self, f'expected {expected}, got {text!r}') from None


def train_parser() -> argparse.ArgumentParser:
    """Arguments of MMPose's ``tools/train.py``."""
    parser = _parser(
        'Train a network. Runs on the GPU where there is one, else on the CPU.',
        'tools/train.py configs/pmsdsnet/pmsdsnet_3stage_onehand10k.py --amp --cfg-options train_cfg.max_epochs=2',
    )
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        metavar='CHECKPOINT',
        help='go on with an interrupted training: from this checkpoint, or the newest whole one of the work dir',
    )
    parser.add_argument('--amp', action='store_true', help='mixed precision (bfloat16, or float16 on older GPUs)')
    parser.add_argument('--no-validate', action='store_true', help='do not validate during the training')
    parser.add_argument(
        '--auto-scale-lr', action='store_true', help="scale the learning rate by batch size, from the config's base"
    )
    return parser


def test_parser() -> argparse.ArgumentParser:
    """Arguments of MMPose's ``tools/test.py``."""
    parser = _parser(
        'Test a trained network.',
        'tools/test.py configs/pmsdsnet/pmsdsnet_3stage_onehand10k.py work_dirs/x/epoch_10.pth --show-dir images',
    )
    parser.add_argument('checkpoint', help='checkpoint of the network that the config describes')
    parser.add_argument('--out', help='write the metrics to this .json, .yaml or .pkl file')
    parser.add_argument('--dump', help='write the predictions to this .pkl file')
    parser.add_argument('--tta', action='store_true', help='average over the four rotations by 90° of each crop')
    parser.add_argument('--badcase', action='store_true', help='write the worst samples (BadCaseAnalysisHook)')
    return parser


def train_config(args: argparse.Namespace) -> Config:
    """Return the config for the arguments of :func:`train_parser`; ValueError if it does not allow one of them."""
    cfg = _common_config(args)
    if args.amp:
        kind = cfg.optim_wrapper.get('type', 'OptimWrapper')
        if (kind if isinstance(kind, str) else kind.__name__) not in _OPTIM_WRAPPERS:
            raise ValueError(f'--amp: optim_wrapper.type: expected {", ".join(_OPTIM_WRAPPERS)}, got {kind}')
        own_scope = cfg.get('default_scope') in (None, 'mmpose')
        cfg.optim_wrapper.type = 'HandAmpOptimWrapper' if own_scope else 'mmpose.HandAmpOptimWrapper'
        cfg.setdefault('channels_last', True)
    if args.resume:
        cfg.resume = True
        cfg.load_from = None if args.resume == 'auto' else args.resume
    if args.auto_scale_lr:
        if 'auto_scale_lr' not in cfg:
            raise ValueError(f'--auto-scale-lr: expected auto_scale_lr.base_batch_size in {args.config}, got none')
        cfg.auto_scale_lr.enable = True
    apply_options(cfg, args.cfg_options)
    if args.no_validate:  # last: an option for the validation would bring it back
        cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    if 'preprocess_cfg' in cfg:
        cfg.model.setdefault('data_preprocessor', cfg.preprocess_cfg)
    return cfg


def test_config(args: argparse.Namespace) -> Config:
    """Return the config for the arguments of :func:`test_parser`; ValueError if it does not allow one of them, OSError
    if the folder of ``--out`` or ``--dump`` cannot be written to."""
    for name, allowed in (('out', ('.json', '.yaml', '.yml', '.pkl')), ('dump', ('.pkl', '.pickle'))):
        path = getattr(args, name)
        if path and Path(path).suffix not in allowed:
            raise ValueError(f'--{name}: expected a file name in {", ".join(allowed)}, got {path}')
        if path:
            check_writable(os.path.dirname(path) or '.', f'folder of --{name}', f'--{name}')
    cfg = _common_config(args)
    cfg.load_from, cfg.resume = args.checkpoint, False
    if args.tta:
        add_rotations(cfg)
    if args.badcase:
        hook = _hook(cfg, 'badcase')
        hook.update(enable=True, show=args.show, interval=args.interval, wait_time=args.wait_time)
        by_loss = hook.setdefault('metric_type', 'loss') == 'loss'
        hook.setdefault('metric', cfg.model.head.loss if by_loss else cfg.test_evaluator)
    if args.dump:
        metrics = cfg.test_evaluator if isinstance(cfg.test_evaluator, (list, tuple)) else [cfg.test_evaluator]
        cfg.test_evaluator = [*metrics, dict(type='DumpResults', out_file_path=args.dump)]
    apply_options(cfg, args.cfg_options)
    return cfg


def build_runner(cfg: Config) -> HandRunner:
    """Build the runner of a config, by default :class:`HandRunner`."""
    cfg.setdefault('runner_type', 'mmpose.HandRunner')
    # MMPose's inferencer leaves the scope of a detector, which does not know the runner.
    init_default_scope(cfg.get('default_scope') or 'mmpose')
    return RUNNERS.build(cfg)


def _parser(description: str, example: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=description, epilog=f'example: python {example}', formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument('config', help='config file')
    parser.add_argument('--work-dir', help='folder for logs and checkpoints; default: work_dirs/<name of the config>')
    parser.add_argument('--show-dir', help='write images of predictions into this folder')
    parser.add_argument('--show', action='store_true', help='show predictions in a window')
    parser.add_argument('--interval', type=int, default=1, help='draw every n-th sample (default: 1)')
    parser.add_argument('--wait-time', type=float, default=1, help='seconds that each window stays (default: 1)')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=OptionAction,
        default={},
        metavar='KEY=VALUE',
        help='change values of the config, as model.backbone.num_stages=6 or\n'
        'train_dataloader.dataset.pipeline.0.type=LoadImage; a list is written key="[a,b]" or key=a,b',
    )
    parser.add_argument(
        '--launcher',
        choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none',
        help='what started several processes: tools/dist_*.sh give pytorch (torchrun)',
    )
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0, help='set by older launchers')
    return parser


def _common_config(args: argparse.Namespace) -> Config:
    if args.launcher != 'none':
        os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    cfg = load_config(args.config)
    cfg.launcher = args.launcher
    cfg.work_dir = args.work_dir or cfg.get('work_dir') or f'./work_dirs/{Path(args.config).stem}'
    if args.interval < 1:
        raise ValueError(f'--interval: expected 1 or more, got {args.interval}')
    kind = cfg.get('model', {}).get('type')
    finds_keypoints, detects = ('head' in cfg.get('model', {}), 'bbox_head' in cfg.get('model', {}))
    shown, badcase = args.show or args.show_dir, getattr(args, 'badcase', False)
    if kind and not finds_keypoints and (badcase or (shown and not detects)):
        options = '--badcase' if detects else '--show, --show-dir and --badcase'
        raise ValueError(f'{options}: expected a network that finds keypoints, got {kind}')
    # A relative folder lies in the work dir, which the runner checks.
    if args.show_dir and os.path.isabs(args.show_dir):
        check_writable(args.show_dir, 'folder of the images', '--show-dir')
    if args.show_dir or (args.show and not badcase):
        hook = _hook(cfg, 'visualization')
        hook.update(show=args.show, interval=args.interval, wait_time=args.wait_time)
        hook.update(
            dict(draw=True, test_out_dir=args.show_dir) if detects else dict(enable=True, out_dir=args.show_dir)
        )
    return cfg


def _hook(cfg: Config, name: str) -> dict[str, Any]:
    hook = cfg.get('default_hooks', {}).get(name)
    if hook is None:
        raise ValueError(f'--show, --show-dir, --badcase: expected {name} in default_hooks of {cfg.filename}, got none')
    return hook
