"""Trained weights that come with the package: found by name, read without running anything.

A file is half-precision safetensors, ``shipped_weights/NAME.safetensors``, with its model card ``NAME.md`` beside it.
``handkp://NAME`` is its address wherever a checkpoint may be named. The header's metadata:

    handkp_weights   version of this form
    config           the config of the network, relative to the package's configs
    network          JSON: a digest of each part of the network in that config (see :func:`network_digests`)
    tensors_sha256   digest of the weights, so that damage which leaves a readable file is noticed, too
    classes          JSON: names of a detector's classes; others have none
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
"""The package's configs: links to them in a checkout, the files themselves in an installed wheel."""

# What changes between training and use without changing the network.
_FREE_KEYS = {'init_cfg', 'loss', 'loss_cls', 'loss_bbox', 'train_cfg', 'test_cfg'}


def available() -> dict[str, Path]:
    """The shipped weights: name → file; empty where this version ships none."""
    return {file.stem: file for file in sorted(FOLDER.glob('*.safetensors'))}


def listed(detectors: bool) -> str:
    """Names of the shipped weights that are of detectors, or of those that are not, for help texts."""
    names = (name for name, file in available().items() if ('classes' in read_metadata(file)) is detectors)
    return ', '.join(names) or 'none come with this version'


def weights_file(name: str) -> Path:
    """The file of shipped weights, by their name or their address.

    Raises:
        ValueError: No such weights; lists those that there are.
    """
    name, known = name.removeprefix(SCHEME), available()
    if name not in known:
        listed = ', '.join(known) if known else 'none: this version ships no weights'
        raise ValueError(f'weights: expected {listed}, got {name!r}')
    return known[name]


def read_metadata(path: str | Path) -> dict[str, str]:
    """The header's metadata; reads no weights.

    Raises:
        FileNotFoundError: No such file.
        ValueError: It is cut short, no safetensors file, not written by :func:`save_weights_file`, or by a newer
            version of it.
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
        raise ValueError(f'{path}: expected form {FORMAT} of weights files, got {form}: install a newer handkp_plugins')
    return metadata


def load_weights_file(path: str | Path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """Read a weights file: the weights in single precision, and the metadata.

    Raises:
        FileNotFoundError, ValueError: As :func:`read_metadata`; or the weights are not those that were written.
    """
    metadata = read_metadata(path)
    tensors = safetensors.torch.load_file(path)
    if _digest(tensors) != metadata['tensors_sha256']:
        raise ValueError(f'{path}: damaged: its weights are not those that its header gives the digest of')
    return {k: v.float() if v.is_floating_point() else v for k, v in tensors.items()}, metadata


def save_weights_file(
    path: str | Path, weights: Mapping[str, torch.Tensor], config: str, cfg: Config, averaged: bool = False
) -> None:
    """Write weights in half precision, whole or not at all.

    Args:
        weights: Floating-point ones are rounded to float16; others stay, and so does a tensor with a value beyond
            float16's range (65504), as the variance of a wide convolution may be.
        config: The config's path relative to the package's configs.
        cfg: That config, loaded.
        averaged: Whether the weights are a moving average over the training, or a mean of networks.

    Raises:
        ValueError: A weight is not finite; names it.
        OSError: The file cannot be written.
    """
    # a layout in memory, as channels_last, is none of the file's business
    half = {k: _rounded(v).cpu().contiguous().clone() for k, v in weights.items()}
    bad = [k for k, v in half.items() if v.is_floating_point() and not v.isfinite().all()]
    if bad:
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


def _rounded(tensor: torch.Tensor) -> torch.Tensor:
    """A floating-point tensor in half precision, where its values allow that."""
    fits = tensor.is_floating_point() and tensor.abs().max() <= torch.finfo(torch.float16).max
    return tensor.half() if fits else tensor


def config_file(path: str | Path) -> Path:
    """The config, in this package, of the network whose weights a file holds.

    Raises:
        FileNotFoundError, ValueError: As :func:`read_metadata`; or the package has no such config.
    """
    name = read_metadata(path)['config']
    config = CONFIGS / name
    if not config.is_file() or '..' in Path(name).parts or Path(name).is_absolute():
        raise FileNotFoundError(f'{path}: its config {name} is not among those of the package, {CONFIGS}')
    return config


def network_digests(cfg: Config) -> dict[str, str]:
    """A short digest of each part of a config that decides what weights mean: backbone, neck, head with its decoder,
    and how pictures are normalised. Losses, initial weights and test-time settings count for nothing."""
    model = cfg.model.to_dict() if hasattr(cfg.model, 'to_dict') else dict(cfg.model)
    preprocessor = model.get('data_preprocessor') or {}
    parts = {name: model[name] for name in ('backbone', 'neck', 'head', 'bbox_head') if model.get(name)}
    parts['normalisation'] = {key: preprocessor.get(key) for key in ('mean', 'std', 'bgr_to_rgb')}
    return {
        name: hashlib.sha256(json.dumps(_bare(part), sort_keys=True, default=str).encode()).hexdigest()[:16]
        for name, part in parts.items()
    }


def differing_parts(metadata: Mapping[str, str], cfg: Config) -> list[str]:
    """The parts of the network in which a config differs from that which the weights were trained with."""
    trained, given = json.loads(metadata['network']), network_digests(cfg)
    return [name for name in sorted(trained.keys() | given.keys()) if trained.get(name) != given.get(name)]


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
