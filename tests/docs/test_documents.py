"""What the documents name exists: files, configs, options of tools, modules."""

import importlib
import re
import shlex
from pathlib import Path

import pytest
from helpers.paths import ROOT
from helpers.tool_module import load_tool

from handkp_plugins.apps.demo.options import parse_demo_args

DOCUMENTS = [
    ROOT / 'README.md',
    ROOT / 'CONTRIBUTING.md',
    ROOT / 'CHANGELOG.md',
    ROOT / 'data' / 'README.md',
    *ROOT.glob('docs/*.md'),
    *ROOT.glob('configs/*/README.md'),
    *ROOT.glob('handkp_plugins/shipped_weights/*.md'),
]

_COMMAND = re.compile(r'(?:[A-Z_]+=\S+ )*(?:taskset -c \d )?(?=python|bash|make|tools/)')


def commands(document: Path) -> list[list[str]]:
    """The commands in a document's fenced blocks, continued lines joined, without comments and variables."""
    text = '\n'.join(re.findall(r'^ *```\w*\n(.*?)^ *```', document.read_text(), re.S | re.M))
    lines = [line.strip() for line in text.replace('\\\n', ' ').splitlines()]
    return [shlex.split(_COMMAND.sub('', line, count=1), comments=True) for line in lines if _COMMAND.match(line)]


def source_of(tool: str) -> str:
    """The tool's source, with that of the modules that lie beside it or are shared by command lines."""
    text = (ROOT / tool).read_text()
    beside = [(ROOT / tool).with_name(f'{name}.py') for name in re.findall(r'^from (\w+) import', text, re.M)]
    shared = (ROOT / 'handkp_plugins' / 'cli').glob('*.py')
    return text + ''.join(p.read_text() for p in (*beside, *shared) if p.is_file())


def name(document: Path) -> str:
    return str(document.relative_to(ROOT))


@pytest.mark.parametrize('document', DOCUMENTS, ids=name)
def test_links_lead_somewhere(document):
    links = re.findall(r'\]\((?!https?:|#|mailto:)([^)#\s]+)', document.read_text())
    assert not [link for link in links if not (document.parent / link).exists()]


def test_each_config_has_a_link_on_its_systems_page():
    leaves = [p for p in ROOT.glob('configs/*/*.py') if p.parent.name != '_base_']
    pages = {p.parent: p.read_text() for p in ROOT.glob('configs/*/README.md')}
    assert len(leaves) > 50 and not [name(p) for p in leaves if f']({p.name})' not in pages[p.parent]]


@pytest.mark.parametrize('document', DOCUMENTS, ids=name)
def test_no_placeholder_is_left(document):
    lines = document.read_text().splitlines()
    assert not [line for line in lines if re.fullmatch(r'[A-Z]{4,}(_[A-Z]+)*|.*\b[A-Z]+_(TABLE|LINE|SECTION).*', line)]


@pytest.mark.parametrize('document', DOCUMENTS, ids=name)
def test_commands_name_files_that_exist(document):
    named = {w for words in commands(document) for w in words if re.match(r'(tools|configs|tests)/[\w/.-]+\.\w+$', w)}
    assert not [w for w in named if not (ROOT / w).is_file()]


@pytest.mark.parametrize('document', DOCUMENTS, ids=name)
def test_commands_use_options_that_the_tools_know(document):
    for words in commands(document):
        tool = next((w for w in words if re.match(r'tools/.*\.py$', w)), None)
        if tool in ('tools/demo.py', 'tools/finger_tapping.py'):
            arguments = words[words.index(tool) + 1 :]
            if tool != 'tools/demo.py':  # it passes the other options on
                arguments = ['clip.mp4', *load_tool('finger_tapping').parse_args(arguments)['demo_options']]
            parse_demo_args(arguments)  # exits at an option that it does not know
        elif tool:
            source = source_of(tool)
            unknown = [w for w in words if w.startswith('--') and f"'{w.split('=')[0]}'" not in source]
            assert not unknown, (name(document), tool, unknown)


@pytest.mark.parametrize('document', DOCUMENTS, ids=name)
def test_make_targets_exist(document):
    targets = set(re.findall(r'^([a-z]+):', (ROOT / 'Makefile').read_text(), re.M))
    assert not [words[1] for words in commands(document) if words[0] == 'make' and words[1] not in targets]


@pytest.mark.parametrize('document', DOCUMENTS, ids=name)
def test_imports_in_commands_work(document):
    for words in commands(document):
        if words[1:2] == ['-c']:
            module, function = re.match(r'from (handkp_plugins[\w.]*) import (\w+)', words[2]).groups()
            assert hasattr(importlib.import_module(module), function)


def test_each_promise_names_its_tests():
    promises = [row for row in (ROOT / 'docs' / 'reliability.md').read_text().splitlines() if row.startswith('| ')]
    rows = [row for row in promises if '| tests |' not in row]
    named = [re.findall(r'`([^`]+)`', row.rsplit('|', 2)[1]) for row in rows]
    assert len(rows) > 12 and all(named)
    assert not [place for places in named for place in places if not (ROOT / 'tests' / place).exists()]


def test_modules_of_the_changelog_exist():
    table = re.search(r'\| before \| now \|\n(.*?)\n\n', (ROOT / 'CHANGELOG.md').read_text(), re.S)[1]
    modules = [m for row in table.splitlines()[1:] for m in re.findall(r'`([\w.]+)`', row.split('|')[2])]
    places = [ROOT / 'handkp_plugins' / module.replace('.', '/') for module in modules]
    assert len(modules) > 10 and not [p for p in places if not (p.is_dir() or p.with_suffix('.py').is_file())]


def test_the_table_of_make_demo_stands_once():
    places = [name(d) for d in DOCUMENTS if 'lite, shipped and tuned' in d.read_text()]
    assert places == ['docs/start.md']
