"""Writes a set of generated hands: images, COCO annotations and what is needed to go on after an interruption.

Layout of the folder::

    meta.json                       version and arguments, written first
    images/000000.jpg …
    records/00000.json …            labels of one shard of images each, written after its images
    annotations/{train,val,test}.json    written last, all at once

Each image depends on the seed and its index alone. Files are written under a temporary name and then renamed, so that
whatever exists is whole.
"""

import json
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2

from ..files import write_bytes, write_text
from ..hand.model import ProceduralHand
from .backgrounds import list_photographs
from .coco import SPLITS, coco_document, image_name, split_of
from .renderer import Renderer, one_thread_per_renderer
from .sample import SampleMaker

GENERATOR_VERSION = 1
"""Raised whenever the same seed gives other labels or pictures."""
_JPEG_QUALITY = 90
_SHARD = 20


@dataclass(frozen=True)
class Recipe:
    """What decides the contents of a set.

    Args:
        num: images, at least 10, so that each split has some.
        size: width and height in pixels, 64 to 1024.
        seed: not negative.
        backgrounds: folder of photographs, None for generated backgrounds only.
    """

    num: int = 2000
    size: int = 256
    seed: int = 0
    backgrounds: str | None = None

    def __post_init__(self) -> None:
        if self.num < 10:
            raise ValueError(f'num: 10 or more images is allowed (split 8:1:1), received {self.num}')
        if not 64 <= self.size <= 1024:
            raise ValueError(f'size: 64 to 1024 pixels is allowed, received {self.size}')
        if self.seed < 0:
            raise ValueError(f'seed: 0 or more is allowed, received {self.seed}')


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
        FileNotFoundError: the folder of backgrounds is missing or holds no picture.
        OSError: something cannot be written; the message names the path.
        RuntimeError: rendering is impossible here, or an image failed; the message names it.
    """
    if workers < 1:
        raise ValueError(f'workers: 1 or more is allowed, received {workers}')
    photographs = list_photographs(Path(recipe.backgrounds)) if recipe.backgrounds else None
    _claim(out, recipe, len(photographs or []))
    shards = [range(start, min(start + _SHARD, recipe.num)) for start in range(0, recipe.num, _SHARD)]
    missing = [shard for shard in shards if not _is_whole(out, shard)]
    kept = recipe.num - sum(map(len, missing))
    progress(kept)
    if missing:
        _remove_annotations(out)
        for done in _render(out, recipe, photographs, missing, min(workers, len(missing))):
            progress(done)
    splits = _write_annotations(out, recipe, shards)
    return Result(recipe.num - kept, kept, splits)


def _claim(out: Path, recipe: Recipe, photographs: int = 0) -> None:
    """Make the folder, or check that it holds the beginning of the same set."""
    meta = {'version': GENERATOR_VERSION, **asdict(recipe), 'photographs': photographs}
    path = out / 'meta.json'
    if path.exists():
        try:
            existing = json.loads(path.read_text())
        except json.JSONDecodeError as error:
            raise ValueError(f'{path} is not valid JSON ({error}); remove the folder to start again') from error
        for name, value in meta.items():
            if existing.get(name) != value:
                raise ValueError(
                    f'{out} holds a set made with {name}={existing.get(name)!r}, received {name}={value!r}: '
                    'give the same arguments, another folder, or remove this one'
                )
    elif out.is_dir() and any(out.iterdir()):
        raise ValueError(f'out: a new or empty folder, or one with a generated set, is allowed; {out} has other files')
    for folder in ('images', 'records', 'annotations'):
        (out / folder).mkdir(parents=True, exist_ok=True)
    if not path.exists():
        write_text(path, json.dumps(meta, indent=1))


def _record_path(out: Path, shard: range) -> Path:
    return out / 'records' / f'{shard.start // _SHARD:05d}.json'


def _is_whole(out: Path, shard: range) -> bool:
    return _record_path(out, shard).exists() and all((out / image_name(i)).exists() for i in shard)


def _remove_annotations(out: Path) -> None:
    for name in SPLITS:
        (out / 'annotations' / f'{name}.json').unlink(missing_ok=True)


_WORKER: dict[str, Any] = {}  # what a worker process keeps between shards


def _start_worker(**settings: Any) -> None:
    """Prepare a worker; drawing starts with the first shard, so that its errors reach the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends the workers
    cv2.setNumThreads(1)
    one_thread_per_renderer()
    _WORKER.update(settings)


def _make_shard(out: Path, seed: int, shard: range) -> int:
    """Write a shard's images, then its record."""
    if 'maker' not in _WORKER:
        _WORKER['maker'] = SampleMaker(**_WORKER)
    maker = _WORKER['maker']
    records = []
    for index in shard:
        try:
            sample = maker.make(seed, index)
            good, data = cv2.imencode('.jpg', sample.image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
            if not good:
                raise RuntimeError('JPEG encoding failed')
        except Exception as error:  # whatever it is, say which image it was
            raise RuntimeError(f'image {index} (seed {seed}) failed: {type(error).__name__}: {error}') from error
        write_bytes(out / image_name(index), data.tobytes())
        records.append({'index': index, 'camera': sample.camera, 'annotation': sample.annotation})
    write_text(_record_path(out, shard), json.dumps(records))
    return len(shard)


def _render(
    out: Path, recipe: Recipe, photographs: list[Path] | None, shards: list[range], workers: int
) -> Iterator[int]:
    """Render shards in processes; yields the number of images of each as it is finished."""
    # Forked workers share what is imported and the template, but must not inherit a GL context: in a process that has
    # drawn, a server that has not is forked instead.
    context = multiprocessing.get_context('forkserver' if Renderer.made_in == os.getpid() else 'fork')
    if context.get_start_method() == 'forkserver':
        context.set_forkserver_preload([__name__])
    pool = ProcessPoolExecutor(
        workers,
        mp_context=context,
        initializer=partial(_start_worker, model=ProceduralHand(), size=recipe.size, backgrounds=photographs),
    )
    try:
        futures = [pool.submit(_make_shard, out, recipe.seed, shard) for shard in shards]
        for future in as_completed(futures):
            yield future.result()
    except BrokenProcessPool as error:
        raise RuntimeError(
            'a rendering process was ended from outside (out of memory?); the same command goes on where it stopped'
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _write_annotations(out: Path, recipe: Recipe, shards: list[range]) -> dict[str, int]:
    """Gather the records into one COCO file per split."""
    splits = split_of(recipe.num, recipe.seed)
    paths = {name: out / 'annotations' / f'{name}.json' for name in splits}
    if not all(path.exists() for path in paths.values()):
        records: dict[int, dict[str, Any]] = {}
        for shard in shards:
            path = _record_path(out, shard)
            try:
                records |= {record['index']: record for record in json.loads(path.read_text())}
            except (json.JSONDecodeError, KeyError, TypeError) as error:
                raise ValueError(f'{path} is damaged ({error}): remove it and run the same command again') from error
        for name, indices in splits.items():
            info = {'description': f'generated hands, {name}', 'version': str(GENERATOR_VERSION), 'seed': recipe.seed}
            content = coco_document([records[i] for i in indices], recipe.size, info)
            write_text(paths[name], json.dumps(content))
    return {name: len(indices) for name, indices in splits.items()}
