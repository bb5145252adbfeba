import json
from pathlib import Path

import pytest
from helpers.tool_module import load_tool
from mmengine.evaluator import BaseMetric
from mmengine.model import BaseModel
from mmengine.runner import Runner

tool = load_tool('analysis/aggregate_seeds')


def write(work_dir: Path, time: str = '20260101_000000', **scores) -> Path:
    file = work_dir / time / f'{time}.json'
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(dict(scores, data_time=0.1, time=0.2)))
    return work_dir


def test_mean_and_sample_deviation_by_hand(tmp_path, capsys):
    runs = [write(tmp_path / str(i), EPE=value, **{'N@5px': 10 + i}) for i, value in enumerate((1.0, 2.0, 6.0))]
    table = tool.main([str(run) for run in runs], out=str(tmp_path / 'deep' / 'table.md'))
    assert table.splitlines() == [
        '| score | mean ± std of 3 runs | min | max |',
        '|---|---|---|---|',
        '| EPE | 3 ± 2.646 | 1 | 6 |',  # deviations -2, -1, 3: sqrt(14 / 2)
        '| N@5px | 11 ± 1 | 10 | 12 |',
    ]
    assert capsys.readouterr().out == (tmp_path / 'deep' / 'table.md').read_text() == table + '\n'


def test_newest_result_of_a_work_dir_and_a_plain_file(tmp_path):
    write(tmp_path / 'a', '20260101_000000', EPE=9)
    write(tmp_path / 'a', '20260102_000000', EPE=1)
    (tmp_path / 'a' / '20260102_000000' / 'vis_data.json').write_text('{}')
    (tmp_path / 'b.json').write_text('{"EPE": 3}')
    assert '| EPE | 2 ± 1.414 | 1 | 3 |' in tool.main([str(tmp_path / 'a'), str(tmp_path / 'b.json')])


def test_one_run_has_no_deviation(tmp_path):
    assert '| EPE | 4 ± – | 4 | 4 |' in tool.main([str(write(tmp_path, EPE=4))])


def test_errors_name_the_file(tmp_path):
    first, second = write(tmp_path / 'a', EPE=1), write(tmp_path / 'b', EPE=1, AUC=2)
    with pytest.raises(ValueError, match=r"b/.*json: expected the scores of .*a/.*; only one of the two has \['AUC'\]"):
        tool.main([str(first), str(second)])
    with pytest.raises(ValueError, match='expected results that differ, got one twice'):
        tool.main([str(first), str(first)])
    with pytest.raises(FileNotFoundError, match='gone: expected a JSON file, or a work directory with a test result'):
        tool.main([str(tmp_path / 'gone')])
    for content, message in (('{', 'does not parse'), ('[]', 'got a list'), ('{"time": 1}', 'got none')):
        (tmp_path / 'bad.json').write_text(content)
        with pytest.raises(ValueError, match=f'bad.json: .*{message}'):
            tool.main([str(tmp_path / 'bad.json')])


class _Model(BaseModel):
    def forward(self, inputs, mode='predict'):
        return [0.25] * len(inputs)


class _Mean(BaseMetric):
    def process(self, data_batch, data_samples):
        self.results += data_samples

    def compute_metrics(self, results):
        return dict(score=sum(results) / len(results))


def test_reads_what_the_test_loop_writes(tmp_path):
    Runner(
        model=_Model(),
        work_dir=str(tmp_path),
        test_dataloader=dict(dataset=[dict(inputs=1.0)] * 3, sampler=dict(type='DefaultSampler', shuffle=False)),
        test_evaluator=_Mean(),
        test_cfg=dict(),
        experiment_name='aggregate',
    ).test()
    assert '| score | 0.25 ± – | 0.25 | 0.25 |' in tool.main([str(tmp_path)])
