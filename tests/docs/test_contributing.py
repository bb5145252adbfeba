"""The tables of CONTRIBUTING.md and the drawing agree with the code."""

import re

from helpers.paths import ROOT

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib

TEXT = (ROOT / 'CONTRIBUTING.md').read_text()
CONTRACTS = tomllib.loads((ROOT / 'pyproject.toml').read_text())['tool']['importlinter']['contracts']
LAYERS = [layer.split(' | ') for layer in CONTRACTS[0]['layers']]
PACKAGE = ROOT / 'handkp_plugins'
ROOMS = {p.parent.name for p in PACKAGE.glob('[a-z]*/__init__.py')} | {p.stem for p in PACKAGE.glob('[a-z]*.py')}
ROOMS -= set(CONTRACTS[0]['exhaustive_ignores'])


def table(heading: str) -> list[list[str]]:
    """The rows below a heading of the first table, as cells."""
    section = TEXT.split(f'## {heading}\n')[1].split('\n## ')[0]
    rows = [line for line in section.splitlines() if line.startswith('|')][2:]
    return [[cell.strip() for cell in row.strip('|').split('|')] for row in rows]


def test_rooms_and_what_they_may_import():
    forbidden = {
        (source, module)
        for contract in CONTRACTS
        if contract['type'] == 'forbidden'
        for source in contract['source_modules']
        for module in contract['forbidden_modules']
    }
    expected = {
        room: {
            below
            for layer in LAYERS[i + 1 :]
            for below in layer
            if (f'handkp_plugins.{room}', f'handkp_plugins.{below}') not in forbidden
        }
        for i, layer in enumerate(LAYERS)
        for room in layer
    }
    found = {room.strip('`'): set(re.findall(r'\w+', imports)) for room, _, imports in table('Rooms')}
    assert found == expected
    assert found.keys() == ROOMS


def test_rooms_stand_in_the_order_of_the_layers():
    assert [row[0].strip('`') for row in table('Rooms')] == [room for layer in LAYERS for room in layer]


def test_places_for_what_is_added_exist():
    rows = table('Where to add what')
    place = re.compile(r'`((?:handkp_plugins|configs|data|docs|tests|tools|mkdocs)[^`]*)`')
    names = [n for row in rows for n in place.findall(str(row))]
    assert len(rows) >= 8 and len(names) > 2 * len(rows)
    assert not [n for n in names if not (ROOT / n).exists()]


def test_the_drawing_shows_each_room():
    drawing = (ROOT / 'docs' / 'architecture.svg').read_text()
    assert not [p.parent.name for p in PACKAGE.glob('[a-z]*/__init__.py') if f'>{p.parent.name}<' not in drawing]
