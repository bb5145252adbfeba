"""The mean pose and chance on made-up clips, by hand."""

import json
from pathlib import Path

import pytest
from helpers.mini_clips import clip_records, write_clips
from helpers.paths import CONFIGS
from helpers.tool_module import load_tool
from mmengine.config import Config

tool = load_tool('analysis/clip_baselines')
SMALL = CONFIGS / 'htt' / 'htt_small_generated-96x72.py'


def test_scores_by_hand(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    """The training has a video of 3 frames, so the mean lies 1 mm in depth from the first and the last one."""
    write_clips(tmp_path / 'train', clip_records((3,)))
    write_clips(tmp_path / 'test', clip_records((3, 5)))
    cfg = Config.fromfile(SMALL)
    for split in ('train', 'test'):
        cfg[f'{split}_dataloader'].dataset.ann_file = f'{split}/ann.json'
    cfg.dump(tmp_path / 'config.py')
    scores = tool.main(tmp_path / 'config.py', str(tmp_path), tmp_path / 'scores.json')
    near, far = [1, 0, 1], [(1 + d * d) ** 0.5 for d in (-1, 0, 1, 2, 3)]  # the second video lies 1 mm beside
    assert scores['MEPE'] == pytest.approx((sum(near) + sum(far)) / 8, abs=1e-3)
    assert scores['MEPE/occluded'] == pytest.approx(scores['MEPE/visible'])
    assert scores['MEPE-RA'] == pytest.approx(0, abs=1e-3)
    assert scores['action_accuracy'] == pytest.approx(1 / 3) and scores['object_accuracy'] == pytest.approx(3 / 8)
    assert json.loads((tmp_path / 'scores.json').read_text()) == pytest.approx(scores)
    assert '| MEPE |' in capsys.readouterr().out


def test_a_config_of_images_is_refused() -> None:
    with pytest.raises(ValueError, match='dataset: expected HandClipDataset, got SyntheticHandDataset'):
        tool.main(CONFIGS / 'pmsdsnet' / 'pmsdsnet_lite_synthetic-128.py')
