"""Writes a set of generated hands: images, COCO annotations and what is needed to go on after an interruption.

Layout of the folder::

    meta.json                       version and arguments, written first
    images/000000.jpg …             or, of a set in layers:
    shards/00000.zip …                  members 000000.jpg (colours), 000000.png (alpha), … (see ``layers``)
                                    or, of a set of clips:
    clips/00000/000000.jpg …            the frames of each clip (see ``video``)
    records/00000.json …            labels of one batch of images each, written after its images
    annotations/{train,val,test}.json    written last, all at once

Each image depends on the seed and its index alone. Files are written under a temporary name and then renamed, so that
whatever exists is whole.
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

from handkp_plugins.errors import HandkpError
from handkp_plugins.fileio.atomic import write_bytes, write_text
from handkp_plugins.fileio.images import list_photographs

from ..hand.model import ProceduralHand
from ..poses.sampler import PoseSampler, load_poses
from ..rendering.layers import encode_jpeg, encode_png, write_shard
from ..rendering.renderer import Renderer, one_thread_per_renderer
from ..rigs.rigged import load_rig
from ..scenes.sample import Sample
from .coco import SPLITS, coco_file, member_name
from .recipe import GENERATOR_VERSION, Recipe

_JPEG_QUALITY = 90
_LAYER_QUALITY = 95  # what is composited is compressed, blurred and made noisy afterwards


@dataclass(frozen=True)
class Result:
    """How a run ended: images made now, images that were there before, and images in each split."""

    made: int
    kept: int
    splits: dict[str, int]


def generate(out: Path, recipe: Recipe, workers: int, progress: Callable[[int], None] = lambda done: None) -> Result:
    """Make the set, or what is still missing of it.

    Args:
        out: folder to write to; made where it is missing.
        workers: processes that render.
        progress: called with the number of images just finished.

    Raises:
        ValueError: an argument is out of range, or the folder holds a set made with other arguments.
        FileNotFoundError: the folder of backgrounds is missing or holds no picture; a rig or file of poses is missing.
        OSError: something cannot be written; the message names the path.
        HandkpError: rendering is impossible here, or an image failed; the message names it.
    """
    if workers < 1:
        raise ValueError(f'workers: expected 1 or more, got {workers}')
    photographs = list_photographs(Path(recipe.backgrounds)) if recipe.backgrounds else None
    models = [ProceduralHand(), *(load_rig(Path(path)) for path in recipe.rigs)]
    poses = PoseSampler([pose for path in recipe.poses for pose in load_poses(Path(path))])
    settings = dict(
        models=models,
        poses=poses,
        backgrounds=photographs,
        layers=recipe.layers,
        alone=recipe.alone,
        one_shape=recipe.one_shape,
        **recipe.picture,
    )
    _claim(out, recipe, len(photographs or []))
    missing = [batch for batch in recipe.batches if not _is_whole(out, recipe, batch)]
    kept = recipe.images - sum(map(len, missing))
    progress(kept)
    if missing:
        _remove_annotations(out)
        for left in out.rglob('*.tmp'):  # half written when a run was killed
            left.unlink(missing_ok=True)
        for done in _render(out, recipe, settings, missing, min(workers, len(missing))):
            progress(done)
    splits = _write_annotations(out, recipe)
    return Result(recipe.images - kept, kept, splits)


def _claim(out: Path, recipe: Recipe, photographs: int = 0) -> None:
    """Make the folder, or check that it holds the beginning of the same set."""
    inputs = {name: [_digest(Path(p)) for p in getattr(recipe, name)] for name in ('rigs', 'poses')}
    # through JSON, so that what is compared has JSON's types
    meta = json.loads(json.dumps({'version': GENERATOR_VERSION, **asdict(recipe), 'photographs': photographs} | inputs))
    path = out / 'meta.json'
    if path.exists():
        try:
            existing = json.loads(path.read_text())
        except json.JSONDecodeError as error:
            raise ValueError(f'{path} is not valid JSON ({error}); remove the folder to start again') from error
        for name in meta | existing:  # a set of clips has keys that one of pictures lacks
            if existing.get(name) != meta.get(name):
                raise ValueError(
                    f'{out} holds a set made with {name}={existing.get(name)!r}, got {name}={meta.get(name)!r}: '
                    'give the same arguments, another folder, or remove this one'
                )
    elif out.is_dir() and any(out.iterdir()):
        raise ValueError(f'out: expected a new or empty folder, or one with a generated set; {out} has other files')
    for folder in (recipe.folder, 'records', 'annotations'):
        (out / folder).mkdir(parents=True, exist_ok=True)
    if not path.exists():
        write_text(path, json.dumps(meta, indent=1))


def _digest(path: Path) -> str:
    """A file's name and contents in short: another file of that name, or its like elsewhere, is told apart."""
    return f'{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()[:16]}'


def _record_path(out: Path, recipe: Recipe, batch: range) -> Path:
    return out / 'records' / f'{batch.start // recipe.batch:05d}.json'


def _is_whole(out: Path, recipe: Recipe, batch: range) -> bool:
    return _record_path(out, recipe, batch).exists() and all((out / name).exists() for name in recipe.files(batch))


def _remove_annotations(out: Path) -> None:
    for name in SPLITS:
        (out / 'annotations' / f'{name}.json').unlink(missing_ok=True)


_WORKER: dict[str, Any] = {}  # what a worker process keeps between batches


def _start_worker(**settings: Any) -> None:
    """Prepare a worker; drawing starts with the first batch, so that its errors reach the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends the workers
    threading.Thread(target=_end_with_parent, daemon=True).start()
    cv2.setNumThreads(1)
    one_thread_per_renderer()
    _WORKER.update(settings)


def _end_with_parent() -> None:
    """End this worker as soon as its parent is gone, killed perhaps: what is queued would be rendered beside what the
    next run renders. Files are renamed when they are whole, so that nothing half made is left."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _make_batch(out: Path, recipe: Recipe, batch: range) -> int:
    """Write a batch of images, then its records."""
    if 'maker' not in _WORKER:
        _WORKER['maker'] = recipe.maker(**_WORKER)
    records: list[dict[str, Any]] = []
    samples = _samples(recipe, batch, records)
    if recipe.layers:
        write_shard(out / recipe.files(batch)[0], _members(samples))
    else:
        for index, sample in samples:
            write_bytes(out / recipe.file_name(index), encode_jpeg(sample.image, _JPEG_QUALITY))
    write_text(_record_path(out, recipe, batch), json.dumps(records))
    return len(batch)


def _members(samples: Iterator[tuple[int, Sample]]) -> Iterator[tuple[str, bytes]]:
    """Names and contents of a shard's members."""
    for index, sample in samples:
        yield member_name(index, '.jpg'), encode_jpeg(sample.image, _LAYER_QUALITY)
        yield member_name(index, '.png'), encode_png(sample.mask)


def _samples(recipe: Recipe, batch: range, records: list[dict[str, Any]]) -> Iterator[tuple[int, Sample]]:
    """Make the samples of a batch, with their indices, and append their records."""
    samples = recipe.samples(_WORKER['maker'], batch)
    for index in batch:
        try:
            sample = next(samples)
        except Exception as error:  # whatever it is, say which image it was
            what = f'{recipe.name_of(index)} (seed {recipe.seed})'
            raise HandkpError(f'{what} failed: {type(error).__name__}: {error}') from error
        records.append({'index': index} | sample.labels | recipe.more_of(index))
        yield index, sample


def _render(out: Path, recipe: Recipe, settings: dict[str, Any], batches: list[range], workers: int) -> Iterator[int]:
    """Render batches in processes; yields the number of images of each as it is finished."""
    # Forked workers share what is imported and the template, but must not inherit a GL context: in a process that has
    # drawn, a server that has not is forked instead.
    context = multiprocessing.get_context('forkserver' if Renderer.made_in == os.getpid() else 'fork')
    if context.get_start_method() == 'forkserver':
        context.set_forkserver_preload([__name__])
    # OpenCV's threads do not survive a fork, and the forked process would wait for them for ever: end them first.
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    pool = ProcessPoolExecutor(
        workers,
        mp_context=context,
        initializer=partial(_start_worker, **settings),
    )
    try:
        futures = [pool.submit(_make_batch, out, recipe, batch) for batch in batches]
        for future in as_completed(futures):
            yield future.result()
    except BrokenProcessPool as error:
        raise HandkpError(
            'a rendering process was ended from outside (out of memory?); the same command goes on where it stopped'
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        cv2.setNumThreads(threads)


def _write_annotations(out: Path, recipe: Recipe) -> dict[str, int]:
    """Gather the records, one batch at a time, into one COCO file per split."""
    splits = recipe.splits
    paths = {name: out / 'annotations' / f'{name}.json' for name in splits}
    if not all(path.exists() for path in paths.values()):
        split = {index: name for name, indices in splits.items() for index in indices}
        with ExitStack() as stack:
            add = {}
            for name, path in paths.items():
                info = {'description': f'generated hands, {name}', **recipe.info}
                add[name] = stack.enter_context(
                    coco_file(path, info=info, more=recipe.more_of_split(name), **recipe.picture)
                )
            for batch in recipe.batches:
                for record in _read_records(_record_path(out, recipe, batch), batch):
                    add[split[record['index']]](record, recipe.file_name(record['index']))
    return {name: len(indices) for name, indices in splits.items()}


def _read_records(path: Path, batch: range) -> list[dict[str, Any]]:
    try:
        records = json.loads(path.read_text())
        if [record['index'] for record in records] != list(batch):
            raise KeyError('images other than its own')
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise ValueError(f'{path} is damaged ({error}): remove it and run the same command again') from error
    return records
