import base64
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import quickstart_report
from quickstart_report import System, _worst, write_report

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


class Records(list):
    """A data set as the report reads it."""

    get_data_info = list.__getitem__


class Named:
    """A network without parameters."""

    def __init__(self, name: str) -> None:
        self.name = name

    def parameters(self) -> list:
        return []


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


def test_a_hand_without_labels_is_not_the_worst():
    errors = np.array([2.0, np.nan, 5.0, 0.0, np.nan])
    assert _worst(errors, 4).tolist() == [2, 0, 3, 1]


def test_only_what_is_shown_is_predicted(picture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The worst hands of the first system need all its predictions, the others are shown on six pictures."""
    truth = np.arange(42.0).reshape(1, 21, 2)
    samples = [
        dict(img_path=str(picture), bbox=np.full((1, 4), i), keypoints=truth, keypoints_visible=np.ones((1, 21)))
        for i in range(11)
    ]
    monkeypatch.setattr(quickstart_report, 'DATASETS', SimpleNamespace(build=lambda config: Records(samples)))
    monkeypatch.setattr(quickstart_report, 'init_model', lambda config, checkpoint: Named(checkpoint))
    predicted = {'a': [], 'b': []}

    def predict(model: Named, image: np.ndarray, bbox: np.ndarray) -> list[dict]:
        predicted[model.name].append(int(bbox[0, 0]))
        return [dict(keypoints=truth[0] + bbox[0, 0], scores=np.ones(21))]

    monkeypatch.setattr(quickstart_report, 'predict', predict)
    config = SimpleNamespace(test_dataloader=SimpleNamespace(dataset=None))
    scores = dict.fromkeys(quickstart_report._SCORES.values(), 0.5)
    curve = dict(pck=[0.0] * 50)
    systems = [System(name, scores, curve, config, name, 1.0) for name in predicted] + [System('mean', scores, curve)]
    written, table = write_report(tmp_path, systems, 110, [picture], [])
    assert predicted == {'a': list(range(11)), 'b': [0, 2, 4, 6, 8, 10]}
    assert written['num_test_images'] == 11 and 'mean' in table
    assert (tmp_path / 'worst.png').is_file() and (tmp_path / 'predictions.png').is_file()
