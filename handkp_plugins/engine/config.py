"""Load configs and change their values, with errors that name the wrong file, line or key."""

import re
import threading
import time
import traceback
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from mmengine.config import Config, ConfigDict

from .known_keys import RUNNER_KEYS, accepts, known_keys

# Parts of a config where text never replaces a number. Elsewhere it may: priority=LOW, loss_scale=dynamic.
_NUMBERS = re.compile(r'(train_cfg|val_cfg|optim_wrapper\.optimizer|param_scheduler\.\d+|\w+_dataloader)\.\w+$')

_one_at_a_time = threading.Lock()  # MMEngine imports a config under names that all threads share


def load_config(path: str | Path, cfg_options: dict[str, Any] | None = None) -> Config:
    """Load a config and change the values that ``cfg_options`` names (see :func:`apply_options`).

    Raises FileNotFoundError, or ValueError if the file or one that it inherits from does not parse or run.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f'no config file at {path}')
    try:
        with _one_at_a_time:
            cfg = Config.fromfile(path)
    except Exception as e:  # a config is a program: it may raise anything
        raise ValueError(f'config {path} cannot be read: {_place(e)}: {type(e).__name__}: {e}') from e
    apply_options(cfg, cfg_options or {})
    return cfg


def apply_options(cfg: Config, options: dict[str, Any]) -> None:
    """Change values of ``cfg`` in place, by dotted names such as ``train_dataloader.dataset.pipeline.0.type``.

    A new key must be an argument of the class that it configures. Helper variables of a config file, such as ``codec``,
    are refused: the config holds copies of them, which would not change. The ValueError for an unknown name gives the
    nearest known one.
    """
    tree: dict[str, Any] = {}
    for name, value in options.items():
        *parents, last = name.split('.')
        branch = tree
        for key in parents:
            branch = branch.setdefault(key, {})
            if not isinstance(branch, dict):
                raise ValueError(f'--cfg-options {name}: {key} is given a value by another option')
        branch[last] = value
    for name in tree:
        if name in cfg and name not in RUNNER_KEYS:
            copies = [key for key, value in _places(cfg._cfg_dict) if value == cfg[name]]
            copies = [key for key in copies if key.split('.')[0] in RUNNER_KEYS][:8]
            raise ValueError(
                f'--cfg-options {name}: expected a key of the config, got a helper variable of its file'
                + (f', of which copies stand at {", ".join(copies)}' if copies else '')
            )
    _check(tree, cfg._cfg_dict, '', cfg)
    _assign(tree, cfg._cfg_dict)


def use_scratch_folder(cfg: Config, folder: str | Path) -> None:
    """Change a config so that its runner writes into ``folder`` alone, without validation and checkpoints."""
    name = f'scratch_{time.time_ns()}'  # MMEngine keeps loggers by name: another runner must not find this one's
    cfg.update(work_dir=str(folder), experiment_name=name)
    cfg.visualizer = dict(cfg.get('visualizer') or dict(type='Visualizer'), name=name, vis_backends=[])
    cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    cfg.default_hooks.checkpoint = None


def _check(tree: dict[str, Any], node: Any, path: str, cfg: Config) -> None:
    """Raise ValueError unless ``node``, the part of the config at ``path``, may have each name of ``tree``."""
    for key, value in tree.items():
        name = f'{path}.{key}' if path else key
        if isinstance(node, list):
            if not key.isdigit() or int(key) >= len(node):
                raise ValueError(f'--cfg-options {name}: expected 0 to {len(node) - 1} in the list {path}, got {key}')
            child = node[int(key)]
        elif isinstance(node, dict) or node is None:
            node = node or {}
            typed = {**node, 'type': tree['type']} if 'type' in tree else node
            if not accepts(key, typed, path):
                raise ValueError(f'--cfg-options {name}: no config knows this key; {_suggestion(name, typed, cfg)}')
            child = node.get(key)
            if isinstance(value, str) and type(child) in (int, float) and _NUMBERS.match(name):
                raise ValueError(f'--cfg-options {name}: expected a number, as {child}, got {value!r}')
        else:
            raise ValueError(f'--cfg-options {name}: {path} is {node!r}, which has nothing inside')
        if isinstance(value, dict):
            _check(value, child, name, cfg)


def _assign(tree: dict[str, Any], node: Any) -> None:
    """Do what ``Config.merge_from_dict`` does, also where the config has None or a list of plain values."""
    for key, value in tree.items():
        place = int(key) if isinstance(node, list) else key
        if not isinstance(value, dict):
            node[place] = value
            continue
        if value.pop('_delete_', False) or (isinstance(node, dict) and node.get(place) is None):
            node[place] = ConfigDict()
        _assign(value, node[place])


def _suggestion(name: str, node: dict, cfg: Config) -> str:
    """Name the known key most like ``name``: a sibling, or the same key elsewhere, or else all allowed keys."""
    path, _, key = name.rpartition('.')
    allowed = sorted(known_keys(node, path)[0])
    if siblings := get_close_matches(key, allowed, n=1):
        return f'the nearest is {f"{path}." if path else ""}{siblings[0]}'
    every = [place for place, _ in _places(cfg._cfg_dict) if place.split('.')[0] in RUNNER_KEYS]
    if same := [place for place in every if place.rpartition('.')[2] == key]:
        return f'the nearest is {min(same, key=len)}'
    if path and allowed:
        return f'{path} may have {", ".join(allowed)}'
    return f'the nearest is {get_close_matches(name, every, n=1, cutoff=0)[0]}'


def _places(node: Any, path: str = '') -> Iterator[tuple[str, Any]]:
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, (list, tuple)) else ()
    for key, value in items:
        name = f'{path}.{key}' if path else str(key)
        yield name, value
        yield from _places(value, name)


def _place(error: Exception) -> str:
    """File and line of the config that raised ``error``."""
    place = ''
    for frame, line in traceback.walk_tb(error.__traceback__):
        in_mmengine, named = 'mmengine' in frame.f_code.co_filename, frame.f_locals.get('filename')
        if in_mmengine and isinstance(named, str):
            # MMEngine parses a text without giving its name, which only its own functions know.
            place = f'{named}, line {error.lineno}' if isinstance(error, SyntaxError) else named
        elif not in_mmengine and frame.f_code.co_name == '<module>':
            place = f'{frame.f_code.co_filename}, line {line}'
    return place
