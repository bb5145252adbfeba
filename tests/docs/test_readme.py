"""What the documents name exists: files, configs, options of tools, make targets."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest
from helpers.paths import ROOT

DOCUMENTS = [
    ROOT / 'README.md',
    ROOT / 'CONTRIBUTING.md',
    ROOT / 'data' / 'README.md',
    *ROOT.glob('docs/*.md'),
    *ROOT.glob('configs/*/README.md'),
]


PASSED_ON = {'tools/finger_tapping.py': 'tools/demo.py'}
"""Tools that pass options on, and to which."""


def commands(document: Path) -> list[list[str]]:
    """The commands in a document's fenced blocks, continued lines joined, without comments."""
    text = '\n'.join(re.findall(r'```\w*\n(.*?)```', document.read_text(), re.S))
    lines = [line for line in text.replace('\\\n', ' ').splitlines() if re.match(r'(python|bash|make|tools/)', line)]
    return [shlex.split(line, comments=True) for line in lines]


def name(document: Path) -> str:
    return str(document.relative_to(ROOT))


@pytest.mark.parametrize('document', DOCUMENTS, ids=name)
def test_links_lead_somewhere(document):
    links = re.findall(r'\]\((?!https?:|#|mailto:)([^)#\s]+)', document.read_text())
    assert not [link for link in links if not (document.parent / link).exists()]


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
        if tool:
            source = (ROOT / tool).read_text() + (ROOT / PASSED_ON.get(tool, tool)).read_text()
            source += (ROOT / 'handkp_plugins' / 'cli' / 'train_test.py').read_text()
            unknown = [w for w in words if w.startswith('--') and f"'{w.split('=')[0]}'" not in source]
            assert not unknown, (name(document), tool, unknown)


def test_make_targets_of_the_readme_exist():
    targets = [words[1] for words in commands(ROOT / 'README.md') if words[0] == 'make']
    assert {'demo', 'test'} <= set(targets)
    for target in targets:
        assert subprocess.run(['make', '-n', target], cwd=ROOT, capture_output=True).returncode == 0


def test_table_of_systems_links_their_folders():
    systems = {p.parent.name for p in ROOT.glob('configs/*/README.md')}
    assert systems
    readme = (ROOT / 'README.md').read_text()
    assert not [s for s in systems if f'configs/{s}' not in readme]
