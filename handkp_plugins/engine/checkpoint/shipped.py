"""Trained weights that ship with the package.

``shipped_weights/NAME.safetensors`` holds them in half precision, with the model card ``NAME.md`` beside it; every
option that takes a checkpoint takes ``handkp://NAME``. The metadata in the header:

    handkp_weights   version of this format
    config           the config of the network, relative to the package's configs
    network          JSON: a digest of each part of the network in that config (see :func:`network_digests`)
    tensors_sha256   digest of the weights
    classes          JSON: names of the classes, for detectors
    project_version, averaged    for people
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from mmengine.config import Config
from safetensors import SafetensorError, safe_open

from handkp_plugins.fileio.atomic import write_bytes
from handkp_plugins.version import __version__

SCHEME = 'handkp://'
FORMAT = 1
FOLDER = Path(__file__).parents[2] / 'shipped_weights'
CONFIGS = FOLDER.parent / '.mim' / 'configs'
"""Links to the configs in a checkout, copies of them in an installed wheel."""

# Keys that do not change the network.
_FREE_KEYS = {'init_cfg', 'loss', 'loss_cls', 'loss_bbox', 'train_cfg', 'test_cfg'}


def available() -> dict[str, Path]:
    """The shipped weights: name → file."""
    return {file.stem: file for file in sorted(FOLDER.glob('*.safetensors'))}


def weights_names(detectors: bool) -> str:
    """Names of the shipped weights of detectors, or of all other networks, for help texts."""
    names = (name for name, file in available().items() if ('classes' in read_metadata(file)) is detectors)
    return ', '.join(names) or 'none come with this version'


def weights_file(name: str) -> Path:
    """Return the file of shipped weights by their name or address; raises ValueError if there are none."""
    name, known = name.removeprefix(SCHEME), available()
    if name not in known:
        raise ValueError(f'weights: expected {", ".join(known) or "none: this version ships no weights"}, got {name!r}')
    return known[name]


def read_metadata(path: str | Path) -> dict[str, str]:
    """Read the metadata in the header, without the weights.

    Raises FileNotFoundError, or ValueError if it is damaged, or :func:`save_weights_file` of this version did not write
    it.
    """
    try:
        with safe_open(path, framework='pt') as file:
            metadata = file.metadata() or {}
    except SafetensorError as e:
        raise ValueError(f'{path}: not a whole safetensors file; it was cut short or is another kind ({e})') from None
    form = metadata.get('handkp_weights', '')
    if not form.isdigit() or not {'config', 'network', 'tensors_sha256'} <= metadata.keys():
        raise ValueError(f'{path}: expected a weights file of this project, got one with {sorted(metadata)}')
    if int(form) > FORMAT:
        raise ValueError(f'{path}: format: expected {FORMAT}, got {form}: install a newer handkp_plugins')
    return metadata


def load_weights_file(path: str | Path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """Read a weights file: the weights in single precision, and the metadata.

    Errors are those of :func:`read_metadata`; ValueError also if the weights do not have their digest.
    """
    metadata = read_metadata(path)
    tensors = safetensors.torch.load_file(path)
    if _digest(tensors) != metadata['tensors_sha256']:
        raise ValueError(f'{path}: damaged: its weights do not have the digest in its header')
    return {k: v.float() if v.is_floating_point() else v for k, v in tensors.items()}, metadata


def save_weights_file(
    path: str | Path, weights: Mapping[str, torch.Tensor], config: str, cfg: Config, averaged: bool = False
) -> None:
    """Write weights in half precision, whole or not at all; raises ValueError if a weight is not finite.

    Args:
        weights: Floating-point tensors are rounded to float16, except those with a value beyond its range (65504).
        config: The path of the config relative to the package's configs.
        cfg: That config, loaded.
        averaged: Whether the weights are a moving average over the training, or a mean of networks.
    """
    half = {k: _to_half(v).cpu().contiguous().clone() for k, v in weights.items()}
    if bad := [k for k, v in half.items() if v.is_floating_point() and not v.isfinite().all()]:
        raise ValueError(f'weights: expected finite values, got others in {", ".join(bad[:5])}')
    metadata = dict(
        handkp_weights=str(FORMAT),
        project_version=__version__,
        config=config,
        network=json.dumps(network_digests(cfg)),
        averaged=str(averaged),
        tensors_sha256=_digest(half),
    )
    if 'bbox_head' in cfg.model:
        named = cfg.test_dataloader.dataset.get('metainfo') or {}
        metadata |= {'classes': json.dumps(named['classes'])} if 'classes' in named else {}
    write_bytes(path, safetensors.torch.save(half, metadata))


def _to_half(tensor: torch.Tensor) -> torch.Tensor:
    fits = tensor.is_floating_point() and tensor.abs().max() <= torch.finfo(torch.float16).max
    return tensor.half() if fits else tensor


def config_file(path: str | Path) -> Path:
    """Return the package's config of the network whose weights a file holds.

    Errors are those of :func:`read_metadata`; FileNotFoundError also if the package has no such config.
    """
    name = read_metadata(path)['config']
    config = CONFIGS / name
    if not config.is_file() or '..' in Path(name).parts or Path(name).is_absolute():
        raise FileNotFoundError(f'{path}: config: expected a file below {CONFIGS}, got {name}')
    return config


def network_digests(cfg: Config) -> dict[str, str]:
    """Return a digest of each part of a config that decides what weights mean: backbone, neck, head with its decoder,
    and normalisation. Losses, initial weights and test-time settings do not count."""
    model = cfg.model.to_dict() if hasattr(cfg.model, 'to_dict') else dict(cfg.model)
    preprocessor = model.get('data_preprocessor') or {}
    parts = {name: model[name] for name in ('backbone', 'neck', 'head', 'bbox_head') if model.get(name)}
    parts['normalisation'] = {key: preprocessor.get(key) for key in ('mean', 'std', 'bgr_to_rgb')}
    return {
        name: hashlib.sha256(json.dumps(_bare(part), sort_keys=True, default=str).encode()).hexdigest()[:16]
        for name, part in parts.items()
    }


def differing_parts(metadata: Mapping[str, str], cfg: Config) -> list[str]:
    """List the parts of the network that differ from the config that the weights were trained with."""
    trained, ours = json.loads(metadata['network']), network_digests(cfg)
    return [name for name in sorted(trained.keys() | ours.keys()) if trained.get(name) != ours.get(name)]


def _bare(part: Any) -> Any:
    if isinstance(part, Mapping):
        return {key: _bare(value) for key, value in part.items() if key not in _FREE_KEYS}
    return [_bare(value) for value in part] if isinstance(part, (list, tuple)) else part


def _digest(tensors: Mapping[str, torch.Tensor]) -> str:
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f'{name} {tensor.dtype} {tuple(tensor.shape)}'.encode())
        digest.update(tensor.contiguous().numpy().tobytes())
    return digest.hexdigest()
