import base64
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pytest

from handkp_plugins.visualization.report import Section, data_uri, format_table, render_report


class Collector(HTMLParser):
    """Tags, attributes and text of a page; complains about a tag closed in the wrong place."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.stack, self.tags, self.text = [], [], []
        self.feed(page)
        assert self.stack == []

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ('meta', 'img'):
            self.stack.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.stack.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / 'p.png'
    cv2.imwrite(str(path), np.full((4, 5, 3), 77, np.uint8))
    return path


def test_the_page_holds_everything_and_loads_nothing(picture: Path):
    sections = [
        Section('Scores <1>', ['a & b', 'c'], table=[['net', 'EPE'], ['ours', '2.5'], ['<b>', '9']]),
        Section('Pictures', image=picture, commands=['python x.py --a "b"']),
    ]
    page = Collector(render_report('Hands & <co>', sections))
    text = ' '.join(page.text)
    for expected in ('Hands & <co>', 'Scores <1>', 'a & b', '<b>', 'python x.py --a "b"'):
        assert expected in text
    names = [tag for tag, _ in page.tags]
    assert (names.count('tr'), names.count('th'), names.count('td')) == (3, 2, 4)
    (image,) = [attrs for tag, attrs in page.tags if tag == 'img']
    head, content = image['src'].split(',')
    assert head == 'data:image/png;base64'
    assert base64.b64decode(content) == picture.read_bytes()
    assert not any('http' in str(value) or key == 'href' for _, attrs in page.tags for key, value in attrs.items())


def test_errors(tmp_path: Path):
    with pytest.raises(ValueError, match=r"table of 'T': expected rows of one length, got \[2, 1\]"):
        render_report('t', [Section('T', table=[['a', 'b'], ['c']])])
    with pytest.raises(ValueError, match=r"got '\.gif'"):
        data_uri(tmp_path / 'a.gif')
    with pytest.raises(FileNotFoundError):
        data_uri(tmp_path / 'a.png')


def test_format_table():
    assert format_table([['net', 'EPE'], ['ours', '2']]) == 'net   EPE\nours    2'
