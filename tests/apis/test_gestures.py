"""Reading signs with the network that a checkpoint holds."""

import numpy as np
import pytest
import torch
from helpers.tiny_gesture_net import CLASSES, write_gesture_net
from helpers.tiny_model import write_tiny_model

from handkp_plugins.apis.gestures import GestureReader
from handkp_plugins.errors import CheckpointError


class Scripted(torch.nn.Module):
    """Gives the probability of ``right`` that the first keypoint's x says."""

    @staticmethod
    def data_preprocessor(data):
        return data

    def forward(self, inputs):
        right = inputs[:, 0, 0]
        return torch.stack([1 - right, right], 1).log()


@pytest.fixture
def reader(tmp_path):
    found = GestureReader(*write_gesture_net(tmp_path), 'cpu', frames=3)
    found.model = Scripted()
    return found


def hand(right: float) -> np.ndarray:
    return np.full((21, 2), right)


def test_the_checkpoint_names_the_classes(tmp_path):
    found = GestureReader(*write_gesture_net(tmp_path), 'cpu')
    assert found.classes == CLASSES and found.model.num_classes == 2
    points = np.random.default_rng(0).uniform(0, 300, (2, 21, 2))
    read = found.read(list(points))
    assert [sign in CLASSES and 0.5 <= share <= 1 for sign, share in read] == [True, True]
    assert found.read([]) == []


def test_single_images_do_not_vote(reader):
    assert [reader.read([hand(r)])[0][0] for r in (0.9, 0.1, 0.9)] == ['right', 'left', 'right']


def test_the_last_frames_vote_for_each_hand(reader):
    frames = [(0.9, 0.2), (0.9, 0.2), (0.3, 0.9), (0.3, 0.9), (0.3, 0.9)]
    read = [reader.read_frame([hand(a), hand(b)]) for a, b in frames]
    assert [sign for (sign, _), _ in read] == ['right', 'right', 'right', 'left', 'left']
    assert [sign for _, (sign, _) in read] == ['left', 'left', 'left', 'right', 'right']
    assert read[2][0][1] == pytest.approx((0.9 + 0.9 + 0.3) / 3)


def test_a_hand_that_left_has_no_vote(reader):
    for _ in range(3):
        reader.read_frame([hand(0.9)])
    assert reader.read_frame([]) == []
    assert reader.read_frame([hand(0.1)])[0][0] == 'left'


def test_a_hand_keeps_its_votes_by_its_number(reader):
    for _ in range(2):
        reader.read_frame([hand(0.9), hand(0.2)], [4, 7])
    assert [sign for sign, _ in reader.read_frame([hand(0.6)], [7])] == ['left']  # (0.2 + 0.2 + 0.6) / 3
    assert [sign for sign, _ in reader.read_frame([hand(0.9), hand(0.3)], [7, 4])] == ['right', 'left']


def test_what_is_refused(tmp_path):
    config, checkpoint = write_gesture_net(tmp_path, meta={})
    with pytest.raises(CheckpointError, match=r'gestures\.pth: expected names of classes'):
        GestureReader(config, checkpoint)
    with pytest.raises(ValueError, match='frames: expected an integer from 1, got 0'):
        GestureReader(config, checkpoint, frames=0)
    (tmp_path / 'pose').mkdir()
    with pytest.raises(ValueError, match=r'tiny\.py: expected a network with num_classes, got TopdownPose'):
        GestureReader(write_tiny_model(tmp_path / 'pose')[0], checkpoint)
