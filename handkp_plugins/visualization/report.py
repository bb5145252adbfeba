"""Reports as one HTML file that loads nothing from elsewhere, and tables as text."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ max-width: 72rem; margin: 2rem auto; padding: 0 1rem; font: 16px/1.5 system-ui, sans-serif; color: #222;
       background: #fff; }}
h1 {{ font-size: 1.7rem; }}
h2 {{ font-size: 1.25rem; margin-top: 2.5rem; border-bottom: 1px solid #ddd; }}
p {{ max-width: 48rem; }}
img {{ max-width: 100%; border: 1px solid #ddd; }}
table {{ border-collapse: collapse; }}
th, td {{ padding: .3rem .9rem; border-bottom: 1px solid #ddd; text-align: right; }}
th:first-child, td:first-child {{ text-align: left; }}
code {{ background: #f3f3f3; padding: .1rem .3rem; overflow-wrap: anywhere; }}
</style>
</head>
<body>
<h1>{title}</h1>
{body}
</body>
</html>
"""
_MIME = {'.png': 'image/png', '.jpg': 'image/jpeg', '.jpeg': 'image/jpeg', '.svg': 'image/svg+xml'}


@dataclass
class Section:
    """One section of a report, shown in this order."""

    heading: str
    paragraphs: Sequence[str] = ()  # plain text
    table: Sequence[Sequence[str]] = ()  # rows of cells; the first row is the header
    image: str | Path | None = None  # a PNG, JPEG or SVG file, embedded in the page
    commands: Sequence[str] = ()  # shell commands that reproduce the section


def render_report(title: str, sections: Sequence[Section]) -> str:
    """Return the report as HTML. Raises FileNotFoundError if an image is missing, and ValueError if it has another
    format or the rows of a table differ in length."""
    return _PAGE.format(title=escape(title), body='\n'.join(_render_section(s) for s in sections))


def _render_section(section: Section) -> str:
    parts = [f'<h2>{escape(section.heading)}</h2>']
    parts += [f'<p>{escape(p)}</p>' for p in section.paragraphs]
    if section.table:
        parts.append(_render_table(section.heading, section.table))
    if section.image is not None:
        parts.append(f'<img src="{data_uri(section.image)}" alt="{escape(section.heading)}">')
    parts += [f'<p><code>{escape(c)}</code></p>' for c in section.commands]
    return '\n'.join(parts)


def _render_table(heading: str, rows: Sequence[Sequence[str]]) -> str:
    if len({len(row) for row in rows}) > 1:
        raise ValueError(f'table of {heading!r}: expected rows of one length, got {[len(r) for r in rows]}')
    lines = []
    for i, row in enumerate(rows):
        tag = 'td' if i else 'th'
        lines.append('<tr>' + ''.join(f'<{tag}>{escape(cell)}</{tag}>' for cell in row) + '</tr>')
    return '<table>\n' + '\n'.join(lines) + '\n</table>'


def data_uri(path: str | Path) -> str:
    """Return an image file as the ``src`` of an ``<img>``."""
    path = Path(path)
    if path.suffix.lower() not in _MIME:
        raise ValueError(f'{path}: expected an image in {", ".join(_MIME)}, got {path.suffix!r}')
    return f'data:{_MIME[path.suffix.lower()]};base64,{base64.b64encode(path.read_bytes()).decode()}'


def format_table(rows: Sequence[Sequence[str]], num_left: int = 1) -> str:
    """Return rows as text with aligned columns: the first ``num_left`` to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return '\n'.join(
        '  '.join(f'{c:{"<" if i < num_left else ">"}{w}}' for i, (c, w) in enumerate(zip(row, widths, strict=True)))
        for row in rows
    )
