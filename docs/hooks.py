"""What MkDocs calls while it builds the site, and what Griffe calls while it reads docstrings.

Pages that stand elsewhere in the repository (README.md, configs/*/README.md, model cards) become pages of the site, and
each room of the package gets an API page. Links are written as for the repository; here a link to a page leads to that
page, and a link to another file leads to a copy of the file.
"""

import os
import re
from pathlib import Path
from typing import Any

import griffe
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / 'handkp_plugins'
PAGES = {
    'README.md': 'index.md',
    'CHANGELOG.md': 'changelog.md',
    'CONTRIBUTING.md': 'contributing.md',
    'data/README.md': 'data.md',
    **{f'configs/{p.parent.name}/README.md': f'systems/{p.parent.name}.md' for p in ROOT.glob('configs/*/README.md')},
    **{f'handkp_plugins/shipped_weights/{p.name}': f'weights/{p.name}' for p in PACKAGE.glob('shipped_weights/*.md')},
}
"""File of the repository → page of the site."""

ROOMS = sorted(p.parent.name for p in PACKAGE.glob('[a-z]*/__init__.py'))
_LINK = re.compile(r'(\]\()([^()\s#:]+)(#[^()\s]*)?(\))')


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """List the API's pages in the navigation."""
    config.nav.append({'API': [f'api/{room}.md' for room in ROOMS]})
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages from elsewhere, and those of the API."""
    for source, page in PAGES.items():
        files.append(File.generated(config, page, abs_src_path=str(ROOT / source)))
    for room in ROOMS:
        text = f'# {room}\n\n::: handkp_plugins.{room}\n'
        files.append(File.generated(config, f'api/{room}.md', content=text))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turn links between the repository's files into links of the site."""
    places = {page: source for source, page in PAGES.items()}
    folder = (ROOT / places.get(page.file.src_uri, f'docs/{page.file.src_uri}')).parent

    def rewrite(link: re.Match) -> str:
        opening, target, anchor, closing = link.groups('')
        path = Path(os.path.normpath(folder / target))
        if not path.is_relative_to(ROOT) or not path.exists():
            return link[0]  # MkDocs reports it
        name = path.relative_to(ROOT).as_posix()
        uri = PAGES.get(name) or (name.removeprefix('docs/') if name.startswith('docs/') else f'files/{name}')
        if path.is_dir():
            return link[0]
        if not files.get_file_from_path(uri):
            files.append(File.generated(config, uri, abs_src_path=str(path)))
        return opening + os.path.relpath(uri, Path(page.file.src_uri).parent) + anchor + closing

    return _LINK.sub(rewrite, markdown)


class PlainRoles(griffe.Extension):
    """Shows ``:func:`~a.b.c``` of docstrings as the code ``c``, ``::`` at a line's end as a colon, x[i][j] as it is."""

    def on_instance(self, *, obj: griffe.Object, **_: Any) -> None:
        """Change the docstring of a module, class, function or attribute."""
        if obj.docstring:
            text = re.sub(r':\w+:`~?(?:[\w.]*\.)?([\w]+)`', r'`\1`', obj.docstring.value)
            obj.docstring.value = re.sub(r'::$', ':', text, flags=re.M).replace('][', ']\\[')
