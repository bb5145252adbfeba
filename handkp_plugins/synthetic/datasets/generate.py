"""Write a generated dataset: images, COCO annotations and what is needed to continue after an interruption.

Layout of the folder::

    meta.json                       version and arguments, written first
    images/000000.jpg …             or, with layers:
    shards/00000.zip …                  members 000000.jpg (colours), 000000.png (alpha), …
                                    or, of clips:
    clips/00000/000000.jpg …            the frames of each clip
    records/00000.json …            labels of one batch of images each, written after its images
    annotations/{train,val,test}.json    written last, all at once

Each image depends only on the seed and its index. Files are written under a temporary name and then renamed, so every
file that exists is complete.
"""

import hashlib
import json
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import torch

from handkp_plugins.errors import HandkpError
from handkp_plugins.fileio.atomic import write_bytes, write_text
from handkp_plugins.fileio.coco import SPLITS, coco_file
from handkp_plugins.fileio.images import list_photographs
from handkp_plugins.fileio.json import read_json

from ..hand.model import ProceduralHand
from ..poses.sampler import PoseSampler, load_poses
from ..rendering.layers import encode_jpeg, encode_png, write_shard
from ..rendering.renderer import Renderer, one_thread_per_renderer
from ..rigs.rigged import load_rig
from ..scenes.sample import Sample
from .recipe import GENERATOR_VERSION, Recipe, check_range

_JPEG_QUALITY = 90
_LAYER_QUALITY = 95  # composited images are compressed, blurred and made noisy afterwards


@dataclass(frozen=True)
class Result:
    """The number of images made now, of images that existed before, and of images in each split."""

    made: int
    kept: int
    splits: dict[str, int]


def generate(out: Path, recipe: Recipe, workers: int, progress: Callable[[int], None] = lambda done: None) -> Result:
    """Make a dataset in a folder, or the part that is missing, with some rendering processes.

    ``progress`` is called with the number of images just finished.

    Raises:
        ValueError: An argument is out of range, or the folder has a dataset made with other arguments.
        HandkpError: Rendering is impossible here, or an image failed; the message names it.
    """
    check_range('workers', workers, 1)
    photographs = list_photographs(Path(recipe.backgrounds)) if recipe.backgrounds else None
    settings = dict(
        models=[ProceduralHand(recipe.mesh_step), *(load_rig(Path(path)) for path in recipe.rigs)],
        poses=PoseSampler([pose for path in recipe.poses for pose in load_poses(Path(path))]),
        backgrounds=photographs,
        layers=recipe.layers,
        alone=recipe.alone,
        one_shape=recipe.one_shape,
        **recipe.size_args,
    )
    _prepare_folder(out, recipe, len(photographs or []))
    missing = [batch for batch in recipe.batches if not _is_complete(out, recipe, batch)]
    kept = recipe.num_images - sum(map(len, missing))
    progress(kept)
    if missing:
        for name in SPLITS:
            _annotation_path(out, name).unlink(missing_ok=True)
        for unfinished in out.rglob('*.tmp'):  # of a run that was killed
            unfinished.unlink(missing_ok=True)
        for done in _render(out, recipe, settings, missing, min(workers, len(missing))):
            progress(done)
    splits = _write_annotations(out, recipe)
    return Result(recipe.num_images - kept, kept, splits)


def _prepare_folder(out: Path, recipe: Recipe, photographs: int = 0) -> None:
    """Make the folder, or check that it belongs to the same dataset."""
    inputs = {name: [_digest(Path(p)) for p in getattr(recipe, name)] for name in ('rigs', 'poses')}
    # through JSON, so that both sides of the comparison have JSON's types
    meta = json.loads(json.dumps({'version': GENERATOR_VERSION, **asdict(recipe), 'photographs': photographs} | inputs))
    path = out / 'meta.json'
    if path.exists():
        existing = read_json(path, 'the arguments of a generated dataset')
        for name in meta | existing:  # clips have keys that images lack
            if existing.get(name) != meta.get(name):
                raise ValueError(
                    f'{out} has a dataset made with {name}={existing.get(name)!r}, got {name}={meta.get(name)!r}: '
                    'give the same arguments, another folder, or remove this one'
                )
    elif out.is_dir() and any(out.iterdir()):
        raise ValueError(f'out: expected a new or empty folder or a generated dataset, got other files in {out}')
    for folder in (recipe.folder, 'records', 'annotations'):
        (out / folder).mkdir(parents=True, exist_ok=True)
    if not path.exists():
        write_text(path, json.dumps(meta, indent=1))


def _digest(path: Path) -> str:
    return f'{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()[:16]}'


def _annotation_path(out: Path, split: str) -> Path:
    return out / 'annotations' / f'{split}.json'


def _record_path(out: Path, recipe: Recipe, batch: range) -> Path:
    return out / 'records' / f'{batch.start // recipe.batch_size:05d}.json'


def _is_complete(out: Path, recipe: Recipe, batch: range) -> bool:
    return _record_path(out, recipe, batch).exists() and all((out / name).exists() for name in recipe.files(batch))


_WORKER: dict[str, Any] = {}  # what a worker process keeps between batches


def _start_worker(**settings: Any) -> None:
    """Prepare a worker. The maker is built with the first batch, so that its errors reach the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends the workers
    threading.Thread(target=_exit_with_parent, daemon=True).start()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    one_thread_per_renderer()
    _WORKER.update(settings)


def _exit_with_parent() -> None:
    """Exit as soon as the parent has exited; otherwise queued batches would be rendered beside the next run."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _make_batch(out: Path, recipe: Recipe, batch: range) -> int:
    """Write a batch of images, then its records; returns the number of images."""
    if 'maker' not in _WORKER:
        _WORKER['maker'] = recipe.build_maker(**_WORKER)
    records: list[dict[str, Any]] = []
    samples = _make_samples(recipe, batch, records)
    if recipe.layers:
        write_shard(out / recipe.files(batch)[0], _shard_members(samples))
    else:
        for index, sample in samples:
            write_bytes(out / recipe.file_name(index), encode_jpeg(sample.image, _JPEG_QUALITY))
    write_text(_record_path(out, recipe, batch), json.dumps(records))
    return len(batch)


def _shard_members(samples: Iterator[tuple[int, Sample]]) -> Iterator[tuple[str, bytes]]:
    for index, sample in samples:
        yield f'{index:06d}.jpg', encode_jpeg(sample.image, _LAYER_QUALITY)
        yield f'{index:06d}.png', encode_png(sample.mask)


def _make_samples(recipe: Recipe, batch: range, records: list[dict[str, Any]]) -> Iterator[tuple[int, Sample]]:
    """Yield the samples of a batch with their indices, and append their records."""
    samples = recipe.make_samples(_WORKER['maker'], batch)
    for index in batch:
        try:
            sample = next(samples)
        except Exception as error:  # of any kind: the message must name the image
            what = f'{recipe.describe(index)} (seed {recipe.seed})'
            raise HandkpError(f'{what} failed: {type(error).__name__}: {error}') from error
        records.append({'index': index} | sample.labels | recipe.extra_keys(index))
        yield index, sample


def _render(out: Path, recipe: Recipe, settings: dict[str, Any], batches: list[range], workers: int) -> Iterator[int]:
    """Render batches in processes; yields the number of images of each as it is finished."""
    # Forked workers share imports and the template, but must not inherit a GL context: if this process has rendered,
    # they are forked from a server that has not.
    context = multiprocessing.get_context('forkserver' if Renderer.made_in == os.getpid() else 'fork')
    if context.get_start_method() == 'forkserver':
        context.set_forkserver_preload([__name__])
    # A forked process would wait forever for OpenCV's threads, which do not survive a fork: end them first.
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=partial(_start_worker, **settings))
    try:
        futures = [pool.submit(_make_batch, out, recipe, batch) for batch in batches]
        for future in as_completed(futures):
            yield future.result()
    except BrokenProcessPool as error:
        raise HandkpError(
            'a rendering process was killed (out of memory?); the same command continues where it stopped'
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        cv2.setNumThreads(threads)


def _write_annotations(out: Path, recipe: Recipe) -> dict[str, int]:
    """Gather the records, one batch at a time, into one COCO file per split; returns the number of images of each."""
    splits = recipe.splits
    if not all(_annotation_path(out, name).exists() for name in splits):
        split_of = {index: name for name, indices in splits.items() for index in indices}
        size = {'width': recipe.size, 'height': recipe.size_args.get('height', recipe.size)}
        with ExitStack() as stack:
            add = {}
            for name in splits:
                info = {'description': f'generated hands, {name}', **recipe.info}
                file = coco_file(_annotation_path(out, name), info, recipe.extra_sections(name))
                add[name] = stack.enter_context(file)
            for batch in recipe.batches:
                for record in _read_records(_record_path(out, recipe, batch), batch):
                    i = record['index']
                    image = {'id': i, 'file_name': recipe.file_name(i), **size, 'camera': record['camera']}
                    annotations = record['annotations'] if 'annotations' in record else [record['annotation']]
                    annotations = [{'id': i, 'image_id': i, **annotation} for annotation in annotations]
                    add[split_of[i]](image | record.get('image', {}), annotations)
    return {name: len(indices) for name, indices in splits.items()}


def _read_records(path: Path, batch: range) -> list[dict[str, Any]]:
    try:
        records = json.loads(path.read_text())
        if [record['index'] for record in records] != list(batch):
            raise KeyError('images other than its own')
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise ValueError(f'{path} is damaged ({error}): remove it and run the same command again') from error
    return records
