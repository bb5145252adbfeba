"""The report of ``tools/quickstart.py``: scores, curves and images of networks on generated hands."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.registry import DATASETS

from handkp_plugins.apis.inference import init_model, predict
from handkp_plugins.fileio.atomic import write_text
from handkp_plugins.fileio.images import read_image, write_image
from handkp_plugins.visualization.hand import draw_hand
from handkp_plugins.visualization.plots import plot_pck_curves
from handkp_plugins.visualization.report import Section, format_table, render_report
from handkp_plugins.visualization.sheet import tile

_COLUMNS, _SIDE = 6, 224
_SCORES = {
    'PCK@0.2': 'PCK', 'AUC': 'AUC', 'EPE (px)': 'EPE', 'PCK@5px': 'PCK@5px', 'PCK@10px': 'PCK@10px',
    'PCK@20px': 'PCK@20px',
}  # fmt: skip
"""Heading in the table → name of the metric."""
Sample = Hand = dict[str, Any]
"""A record of a dataset, and the prediction in its box."""


@dataclass
class System:
    """A network, or a baseline without a config, and its scores.

    Attributes:
        name: As in the table.
        scores: Name of a metric → value.
        curve: ``thresholds`` in pixels and ``pck``, as ``PixelPCK`` writes them.
        config: Of the network.
        checkpoint: A file, or the address of shipped weights.
        seconds: Of the training.
        num_parameters: Set by :func:`write_report`.
    """

    name: str
    scores: dict[str, float]
    curve: dict[str, Any]
    config: Config | None = None
    checkpoint: Path | str | None = None
    seconds: float | None = None
    num_parameters: int | None = None


def write_report(
    work_dir: Path, systems: Sequence[System], num_images: int, attention: Sequence[Path], commands: Sequence[str]
) -> tuple[dict[str, Any], str]:
    """Write ``report.html``, ``*.png`` and ``scores.json``.

    Args:
        systems: First the network of which attention and worst predictions are shown.
        num_images: Number of generated images.
        attention: Figures of ``tools/analysis/attention.py``.
        commands: Commands that the reader may try.

    Returns:
        The content of ``scores.json``, and the table of scores as text.
    """
    first = systems[0]
    init_default_scope('mmpose')
    dataset = DATASETS.build(first.config.test_dataloader.dataset)
    samples = [dataset.get_data_info(i) for i in range(len(dataset))]
    chosen = np.linspace(0, len(samples) - 1, min(_COLUMNS, len(samples))).round().astype(int)
    found = {s.name: _predict(s, samples, range(len(samples)) if s is first else chosen) for s in systems if s.config}

    plot_pck_curves({s.name: np.array(s.curve['pck']) for s in systems}, work_dir / 'pck.png')
    write_image(work_dir / 'predictions.png', _compare(samples, found, chosen))
    errors = np.array([_error(s, found[first.name][i]) for i, s in enumerate(samples)])
    write_image(work_dir / 'worst.png', _compare(samples, {first.name: found[first.name]}, _worst(errors, _COLUMNS)))

    write_image(work_dir / 'attention.png', tile([read_image(path) for path in attention], 1))

    table = _table(systems)
    sections = [
        Section('Scores', [_about_data(num_images, samples), _ABOUT_SCORES], table),
        Section('Correct keypoints over the distance that counts as correct', image=work_dir / 'pck.png'),
        Section(
            'Predictions on test images',
            ['Images at equal steps through the test set, not chosen by their result. Keypoints of a low score are '
             'faint. The number is the mean error of the hand in pixels.'],
            image=work_dir / 'predictions.png',
        ),
        Section(f'The worst predictions of {first.name}', image=work_dir / 'worst.png'),
        Section(
            f'Attention of {first.name}',
            ['The attention of each stage at its finest scale: blue is 0, red is 1.'],
            image=work_dir / 'attention.png',
        ),
        Section('Try it on a photograph or a video', commands=commands),
    ]  # fmt: skip
    write_text(work_dir / 'report.html', render_report('Hand keypoint networks, trained in minutes', sections))
    scores = dict(
        data='generated (synthetic) hands',
        num_images=num_images,
        num_test_images=len(samples),
        systems={
            s.name: dict(
                _json_scores(s.scores),
                num_parameters=s.num_parameters,
                train_seconds=s.seconds,
                pck_curve=s.curve['pck'],
            )
            for s in systems
        },
    )
    write_text(work_dir / 'scores.json', json.dumps(scores, indent=1))
    return scores, format_table(table)


_ABOUT_SCORES = (
    'PCK@0.2: share of keypoints nearer to the truth than 0.2 of the longer side of the box. PCK@5px and so on: nearer '
    'than 5 pixels. AUC: mean of the PCK over distances up to 30 pixels. EPE: mean error in pixels. The mean pose of '
    'the training set, fitted into each box, does not look at the image. Shipped weights come with the package; they '
    'were trained for long on other generated hands.'
)


def _json_scores(scores: dict[str, float]) -> dict[str, float | None]:
    """Scores without NaN, which JSON does not know."""
    return {name: None if np.isnan(score) else score for name, score in scores.items()}


def _about_data(num_images: int, samples: Sequence[Sample]) -> str:
    height, width = read_image(samples[0]['img_path']).shape[:2]
    return (
        f'All hands here are generated (synthetic): {num_images} images of {width}x{height} pixels, {len(samples)} of '
        'them for the test. The scores are not those on photographs, which are worse.'
    )


def _predict(system: System, samples: Sequence[Sample], chosen: Iterable[int]) -> dict[int, Hand]:
    """Predict the hand of each chosen sample, by its index, and count the parameters of the network."""
    model = init_model(system.config, system.checkpoint)
    system.num_parameters = sum(p.numel() for p in model.parameters())
    return {i: predict(model, read_image(samples[i]['img_path']), samples[i]['bbox'])[0] for i in chosen}


def _error(sample: Sample, hand: Hand) -> float:
    """Mean distance in pixels to the labelled keypoints of a sample; NaN if there are none."""
    labelled = sample['keypoints_visible'][0] > 0
    distances = np.linalg.norm(hand['keypoints'] - sample['keypoints'][0], axis=-1)
    return distances[labelled].mean() if labelled.any() else np.nan


def _worst(errors: np.ndarray, count: int) -> np.ndarray:
    """Indices of the largest errors, the largest first; NaN counts as the smallest."""
    return np.argsort(-np.nan_to_num(errors, nan=-1), kind='stable')[:count]


def _compare(samples: Sequence[Sample], found: dict[str, dict[int, Hand]], chosen: np.ndarray) -> np.ndarray:
    """Draw the chosen samples in columns: the truth in the first row, each network in a row of its own."""
    images = [read_image(samples[i]['img_path']) for i in chosen]
    truths = [(samples[i]['keypoints'][0], samples[i]['keypoints_visible'][0]) for i in chosen]
    drawings = [_draw_scaled(image, *truth) for image, truth in zip(images, truths, strict=True)]
    captions = ['truth'] * len(images)
    for name, results in found.items():
        for image, i in zip(images, chosen, strict=True):
            drawings.append(_draw_scaled(image, results[i]['keypoints'], results[i]['scores']))
            captions.append(f'{name}: {_error(samples[i], results[i]):.1f} px')
    return tile(drawings, len(images), captions, (_SIDE, _SIDE))


def _draw_scaled(image: np.ndarray, keypoints: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Scale an image and then draw its hand, so that lines are sharp."""
    scale = _SIDE / max(image.shape[:2])
    image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    return draw_hand(image, keypoints * scale, scores)


def _table(systems: Sequence[System]) -> list[list[str]]:
    rows = [['system', *_SCORES, 'parameters', 'training']]
    for s in systems:
        values = [
            f'{s.scores[metric]:.2f}' if metric == 'EPE' else f'{s.scores[metric]:.3f}' for metric in _SCORES.values()
        ]
        parameters = f'{s.num_parameters / 1e6:.2f} M' if s.num_parameters is not None else '-'
        rows.append([s.name, *values, parameters, f'{s.seconds:.0f} s' if s.seconds is not None else '-'])
    return rows
