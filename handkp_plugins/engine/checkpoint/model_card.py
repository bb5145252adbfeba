"""The model card of shipped weights: how they were trained, their scores and their limits."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

FIELDS = {
    'data': 'Data',
    'recipe': 'Recipe',
    'command': 'Command',
    'seed': 'Seed',
    'limits': 'Limits',
    'not_covered': 'Who and what is not covered',
}
"""Facts that a person states, and their headings."""

DEFAULTS = dict(
    limits=(
        'One hand in its box: any other box gives 21 points, too. What follows was not measured, and is to be expected '
        'of training on generated hands. Skin tones: those that the generator draws; real skin varies more. Views: '
        'hands seen along the arm, or upside down, are rarer in training and less sure. Gloves, bandages, tattoos, '
        'much jewellery, strong motion blur and hands that hold each other are likely to fail.'
    ),
    not_covered=(
        "Children's hands, hands changed by illness or injury, missing or additional fingers. Not for medical "
        'findings, for identifying people, or where a wrong keypoint may hurt someone.'
    ),
)
"""Texts for networks that find keypoints."""

DETECTOR_DEFAULTS = dict(
    limits=(
        'Boxes of hands up to the wrist, of left and right hands alike. What follows was not measured, and is to be '
        'expected of training on generated hands: feet, faces and bare arms may be taken for hands; hands that hold '
        'each other may get one box; gloves, bandages and hands of a few pixels are likely to be missed.'
    ),
    not_covered=DEFAULTS['not_covered'].replace('a wrong keypoint', 'a hand not found'),
)
"""Texts for detectors."""

_COLUMNS = ('pck_0.1', 'pck_0.2', 'median_px', 'mean_px')


def write_card(
    name: str, facts: Mapping[str, str], stated: Mapping[str, str], scores: Sequence[Mapping], detects: bool = False
) -> str:
    """Return the card of the named weights as Markdown; raises ValueError if a field or a document is unknown.

    Args:
        facts: Heading → value, computed from the file itself.
        stated: Values for :data:`FIELDS`. A missing one is taken from :data:`DEFAULTS`, or is "Not stated."
        scores: Documents of ``tools/analysis/real_check.py`` or ``detect_real.py``, or metrics of
            ``tools/test.py --out``.
        detects: The network finds boxes of hands, not keypoints.
    """
    unknown = sorted(stated.keys() - FIELDS.keys())
    if unknown:
        raise ValueError(f'card: expected fields {", ".join(FIELDS)}, got {", ".join(unknown)}')
    what, option = ('Boxes of hands', '--det') if detects else ('Keypoints of one hand', '--pose')
    title = f'{what}: `handkp://{name}`; `{option} {name}` of tools/demo.py.'
    lines = [f'# {name}', '', title, '', *_table(['', ''], facts.items())]
    for key, heading in FIELDS.items():
        value = stated.get(key, (DETECTOR_DEFAULTS if detects else DEFAULTS).get(key, 'Not stated.'))
        lines += ['', f'## {heading}', '', f'```\n{value}\n```' if key == 'command' and key in stated else value]
        if key == 'seed':
            lines += ['', '## Scores', *(map(_scores, scores) if scores else ['', 'Not measured.'])]
    return '\n'.join(lines) + '\n'


def _table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> list[str]:
    return [f'| {" | ".join(map(str, row))} |' for row in (head, ['---'] * len(head), *rows)]


def _scores(document: Mapping[str, Any]) -> str:
    try:
        if 'score_thr' in document:
            lines = _detect_real(document['sources'], document['score_thr'])
        elif 'sources' in document:
            lines = _real_check(document['sources'])
        else:
            lines = _table(['metric', 'value'], [(key, f'{value:.4f}') for key, value in document.items()])
    except (TypeError, KeyError, ValueError, AttributeError) as e:
        raise ValueError(
            'scores: expected documents of tools/analysis/real_check.py, of detect_real.py, or metrics with '
            f'values, got {str(document)[:80]} ({type(e).__name__}: {e})'
        ) from None
    return '\n'.join(['', *lines])


def _real_check(sources: Sequence[Mapping[str, Any]]) -> list[str]:
    head = ['images', 'measures', 'hands', 'keypoints', 'PCK@0.1', 'PCK@0.2', 'median px', 'mean px']
    rows = [
        [s['title'], s['measures'], s['n_hands'], s['n_keypoints']]
        + [f'{s[c]:.{1 if c.endswith("px") else 3}f}' for c in _COLUMNS]
        for s in sources
    ]
    notes = dict.fromkeys(f'- {s["title"]}: labels {s["labels"]}.' for s in sources)
    title = 'Real photographs, never trained on (`tools/analysis/real_check.py`; px of a 256 px crop):'
    return [title, '', *_table(head, rows), '', *notes]


def _detect_real(sources: Sequence[Mapping[str, Any]], score_thr: float) -> list[str]:
    head = ['images', 'labels are', 'images', 'hands', 'found', 'mean IoU', 'other boxes']
    rows = [
        [*(s[key] for key in ('title', 'measures', 'images', 'hands', 'found')), f'{s["mean_iou"]:.2f}', s['others']]
        for s in sources
    ]
    title = (
        'Real photographs, never trained on (`tools/analysis/detect_real.py`): labelled hands with a box of IoU 0.5 or '
        f'more that scores {score_thr} or more, and boxes on none of them, which are false or on unlabelled hands:'
    )
    note = '- Retargeting video: its label is a box that holds the hand throughout; a folded hand does not fill it.'
    return [title, '', *_table(head, rows), *(['', note] if any(s.get('loose') for s in sources) else [])]
