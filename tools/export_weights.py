"""Export a checkpoint as weights that ship with the package: half-precision safetensors and a model card.

Example:
    python tools/export_weights.py configs/pmsdsnet/pmsdsnet_lite_synthetic-128.py work_dirs/lite/epoch_15.pth lite \
        --scores work_dirs/real_check/lite/real_check.json --card data='20,000 generated hands, seed 0' seed=0 \
        command='python tools/train.py configs/pmsdsnet/pmsdsnet_lite_synthetic-128.py --amp'

Writes NAME.safetensors and NAME.md into handkp_plugins/shipped_weights (or --output), if half precision changes little
on the config's test set (--cfg-options test_dataloader.dataset.data_root=… names another folder): 99 % of the keypoints
must move by less than 0.1 px of the network's input, and of a detector 99 % of the box sides by less than 0.5 px.
"""

import argparse
import copy
import json
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.dataset import pseudo_collate
from mmengine.registry import DefaultScope
from mmpose.registry import DATASETS
from torch import nn

import handkp_plugins
from handkp_plugins.apis.detection import init_detector
from handkp_plugins.apis.inference import init_model
from handkp_plugins.cli.tool import run_tool
from handkp_plugins.cli.train_test import OptionAction
from handkp_plugins.engine.checkpoint import shipped as weights
from handkp_plugins.engine.checkpoint.model_card import FIELDS, write_card
from handkp_plugins.engine.checkpoint.reading import read_checkpoint
from handkp_plugins.engine.checkpoint.weights import HARMLESS_KEYS
from handkp_plugins.engine.config import load_config
from handkp_plugins.fileio.atomic import write_text

MAX_DIFFERENCE = 0.1  # px of the network's input
MAX_BOX_DIFFERENCE = 0.5  # px of the network's input
SCORE_THR = 0.3  # of boxes that are compared
_LOST = 1e3  # px, for a box that half precision does not find
SHARE_WITHIN = 0.99  # a keypoint at a tie of two maxima may jump


def main(
    config: str | Path,
    checkpoint: str | Path,
    name: str,
    card: Mapping[str, str] | None = None,
    scores: Sequence[str | Path] = (),
    output: str | Path | None = None,
    num_check: int = 16,
    cfg_options: dict[str, Any] | None = None,
) -> Path:
    """Export weights; returns their file.

    Args:
        config: A config of the package.
        checkpoint: A checkpoint of its network; if it holds a moving average, that is exported.
        name: Small letters, digits, ``-`` and ``_``.
        card: Texts for :data:`handkp_plugins.engine.checkpoint.model_card.FIELDS`.
        scores: JSON files of ``tools/analysis/real_check.py``, ``detect_real.py`` or ``tools/test.py --out``.
        output: The folder, by default that of the shipped weights.
        num_check: Images of the test set on which both precisions are compared.
        cfg_options: Changes of the config for the comparison.

    Raises:
        ValueError: The config is not in the package, a weight is not finite, or half precision changes too much.
        CheckpointError: The checkpoint is damaged, or of another network.
    """
    if not name or not set(name) <= set('abcdefghijklmnopqrstuvwxyz0123456789-_'):
        raise ValueError(f'name: expected small letters, digits, - and _, got {name!r}')
    relative = _relative(Path(config))
    plain = load_config(config)
    documents = [json.loads(Path(file).read_text()) for file in scores]
    card_text, detects = dict(card or {}), 'bbox_head' in plain.model
    write_card(name, {}, card_text, documents, detects)  # raises for wrong fields before the work
    stored = read_checkpoint(str(checkpoint))
    kind = 'moving average over the training' if 'ema_state_dict' in stored else None
    if 'mean_of' in stored:  # tools/average_weights.py
        kind = f'mean of {len(stored["mean_of"])} networks'

    changed = load_config(config, cfg_options)
    if detects:
        model = init_detector(changed, checkpoint, 'cpu').model
    else:
        model = init_model(changed, checkpoint, 'cpu')
    state = {key: value for key, value in model.state_dict().items() if not HARMLESS_KEYS.search(key)}
    file = Path(output or weights.FOLDER) / f'{name}.safetensors'
    candidate = file.with_suffix('.candidate.safetensors')
    try:
        weights.save_weights_file(candidate, state, relative, plain, averaged=kind is not None)
        half = weights.load_weights_file(candidate)[0]
        difference = (compare_boxes if detects else compare)(model, half, num_check)
        candidate.replace(file)
    finally:
        candidate.unlink(missing_ok=True)

    facts = {
        'Config': f'`configs/{relative}`',
        'Parameters': f'{sum(p.numel() for p in model.parameters()):,}',
        'Weights': kind or 'as after the last step',
        'SHA-256': f'`{sha256(file.read_bytes()).hexdigest()}`',
        'Size': f'{file.stat().st_size / 1e6:.2f} MB, half precision',
        'Half against single precision': (
            f'{np.quantile(difference, SHARE_WITHIN):.3f} px at most for {SHARE_WITHIN:.0%} of {difference.size} '
            f"{'box sides' if detects else 'keypoints'} of the config's test set, {difference.max():.3f} px for all"
        ),
        'Written by': f'handkp_plugins {handkp_plugins.__version__}',
    }
    write_text(file.with_suffix('.md'), write_card(name, facts, card_text, documents, detects))
    print(f'{file}: {file.stat().st_size / 1e6:.2f} MB')
    missing = [field for field in ('data', 'recipe', 'command', 'seed') if field not in card_text]
    if missing or not documents:
        print('the card does not state: ' + ', '.join(missing + ([] if documents else ['scores'])))
    return file


def compare(model: nn.Module, half: Mapping[str, torch.Tensor], num_check: int) -> np.ndarray:
    """Return distances (N, K) in pixels of the network's input between keypoints of both precisions.

    Raises:
        ValueError: More than a hundredth of them are too large.
    """
    distances = []
    for single, rounded in _both(model, half, num_check):
        scale = np.asarray(single.input_size) / np.asarray(single.input_scale)
        shift = single.pred_instances.keypoints[0, :, :2] - rounded.pred_instances.keypoints[0, :, :2]
        distances.append(np.linalg.norm(shift * scale, axis=-1))
    return _checked(np.stack(distances), 'keypoints', MAX_DIFFERENCE)


def compare_boxes(model: nn.Module, half: Mapping[str, torch.Tensor], num_check: int) -> np.ndarray:
    """Return differences (4 N,) in pixels of the network's input between sides of N boxes of both precisions.

    Raises:
        ValueError: More than a hundredth of them are too large, or there are no boxes.
    """
    differences = [np.zeros(0)]
    for single, rounded in _both(model, half, num_check):
        found = single.pred_instances[single.pred_instances.scores > SCORE_THR].bboxes
        among = rounded.pred_instances.bboxes
        if len(found) and not len(among):
            differences.append(np.full(4 * len(found), _LOST))
        elif len(found):
            nearest = among[(found[:, None] - among[None]).abs().amax(-1).argmin(1)]
            differences.append(((found - nearest).abs() * max(single.scale_factor)).numpy().ravel())
    result = np.concatenate(differences)
    if not len(result):
        raise ValueError(f'test set: expected boxes that score more than {SCORE_THR}, got none in {num_check} images')
    return _checked(result, 'boxes', MAX_BOX_DIFFERENCE)


def _both(model: nn.Module, half: Mapping[str, torch.Tensor], num_check: int) -> Iterator[tuple[Any, Any]]:
    """Yield the predictions of both precisions for images of the test set."""
    other = copy.deepcopy(model)
    other.load_state_dict(half, strict=False)
    scope = model.cfg.get('default_scope', 'mmpose')
    with DefaultScope.overwrite_default_scope(scope):
        with DATASETS.switch_scope_and_registry(scope) as registry:
            dataset = registry.build(model.cfg.test_dataloader.dataset)
        for index in np.unique(np.linspace(0, len(dataset) - 1, num_check).astype(int)):
            batch = pseudo_collate([dataset[int(index)]])
            with torch.no_grad():
                yield tuple(m.test_step(copy.deepcopy(batch))[0] for m in (model, other))


def _checked(result: np.ndarray, what: str, allowed: float) -> np.ndarray:
    if not np.quantile(result, SHARE_WITHIN) < allowed:  # nor NaN
        raise ValueError(
            f'half precision moves {what}: expected less than {allowed} px for {SHARE_WITHIN:.0%} of them, '
            f'got {np.quantile(result, SHARE_WITHIN):.3f} px'
        )
    return result


def _relative(config: Path) -> str:
    """The path of a config in the configs of the package."""
    try:
        return config.resolve().relative_to(weights.CONFIGS.resolve()).as_posix()
    except ValueError:
        raise ValueError(f'config: expected a file below {weights.CONFIGS.resolve()}, got {config}') from None


def _field(text: str) -> tuple[str, str]:
    key, equals, value = text.partition('=')
    if not equals or key not in FIELDS:
        raise argparse.ArgumentTypeError(f'expected FIELD=TEXT with {", ".join(FIELDS)} as field, got {text!r}')
    return key, value


def parse_args(argv: Sequence[str] | None = None) -> dict[str, Any]:
    """The command line, as arguments of :func:`main`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='a config below configs/')
    parser.add_argument('checkpoint')
    parser.add_argument('name', help='as lite')
    parser.add_argument('--card', nargs='+', type=_field, default=[], metavar='FIELD=TEXT', help=', '.join(FIELDS))
    parser.add_argument(
        '--scores', nargs='+', default=[], metavar='JSON', help='of real_check.py, detect_real.py or test.py --out'
    )
    parser.add_argument('--output', metavar='DIR', help='default: handkp_plugins/shipped_weights')
    parser.add_argument('--num-check', type=int, default=16, help='hands to compare both precisions on (default 16)')
    parser.add_argument('--cfg-options', nargs='+', action=OptionAction, default={}, metavar='KEY=VALUE')
    arguments = vars(parser.parse_args(argv))
    return dict(arguments, card=dict(arguments['card']))


if __name__ == '__main__':
    run_tool(lambda: main(**parse_args()))
