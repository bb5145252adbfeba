"""Mean ± standard deviation of the test scores of several runs that differ in their seed.

Usage, after training and testing each run in a work directory of its own:
    for seed in 0 1 2; do
        python tools/train.py CONFIG --work-dir work_dirs/x_$seed --cfg-options randomness.seed=$seed
        python tools/test.py CONFIG work_dirs/x_$seed/epoch_N.pth --work-dir work_dirs/x_$seed
    done
    python tools/analysis/aggregate_seeds.py work_dirs/x_0 work_dirs/x_1 work_dirs/x_2

A run is a JSON file of scores, or a work directory, of which the newest test result ``<time>/<time>.json`` counts.
Prints a Markdown table; the deviation is that of a sample (divided by n - 1), and counts such as ``N@5px`` are
averaged, too.
"""

import argparse
import json
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

_NOT_SCORES = ('time', 'data_time')  # MMEngine's clock, in the same file


def main(runs: Sequence[str], out: str | None = None) -> str:
    """Print and return the table for the arguments of the command line.

    Raises:
        FileNotFoundError: A run has no test result.
        ValueError: A result comes twice, does not parse, or has other scores than the first.
    """
    files = [_result_file(Path(run)) for run in runs]
    if len({file.resolve() for file in files}) < len(files):
        raise ValueError(f'runs: expected results that differ, got one twice: {", ".join(map(str, files))}')
    results = [_scores(file) for file in files]
    for file, scores in zip(files, results, strict=True):
        if scores.keys() != results[0].keys():
            differing = sorted(scores.keys() ^ results[0].keys())
            raise ValueError(f'{file}: expected the scores of {files[0]}; only one of the two has {differing}')

    lines = [f'| score | mean ± std of {len(runs)} runs | min | max |', '|---|---|---|---|']
    for name in results[0]:
        values = [scores[name] for scores in results]
        deviation = f'{statistics.stdev(values):.4g}' if len(values) > 1 else '–'
        lines.append(
            f'| {name} | {statistics.fmean(values):.4g} ± {deviation} | {min(values):.4g} | {max(values):.4g} |'
        )
    table = '\n'.join(lines)
    print(table)
    if out is not None:
        Path(out).parent.mkdir(parents=True, exist_ok=True)
        Path(out).write_text(table + '\n')
    return table


def _result_file(run: Path) -> Path:
    if run.is_file():
        return run
    found = sorted(path for path in run.glob('*/*.json') if path.stem == path.parent.name)
    if not found:
        raise FileNotFoundError(f'{run}: expected a JSON file, or a work directory with a test result; test it first')
    return found[-1]  # folders are named by time


def _scores(file: Path) -> dict[str, float]:
    try:
        content = json.loads(file.read_bytes())
    except ValueError as e:
        raise ValueError(f'{file}: expected JSON, which does not parse: {e}') from None
    if not isinstance(content, dict):
        raise ValueError(f'{file}: expected a JSON object of scores, got a {type(content).__name__}')
    scores = {k: v for k, v in content.items() if isinstance(v, (int, float)) and k not in _NOT_SCORES}
    if not scores:
        raise ValueError(f'{file}: expected one or more scores, got none')
    return scores


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('runs', nargs='+', help='work directories or JSON files, one per seed')
    parser.add_argument('--out', help='Markdown file for the table')
    arguments = vars(parser.parse_args())
    try:
        main(**arguments)
    except (OSError, ValueError) as e:  # by itself: this tool needs no PyTorch
        sys.exit(f'aggregate_seeds.py: {e}')
