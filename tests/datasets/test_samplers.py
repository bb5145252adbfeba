"""Epochs of a fixed number of samples."""

import pytest

from handkp_plugins.datasets.samplers import FixedEpochSampler


def epochs(sampler: FixedEpochSampler, count: int) -> list[list[int]]:
    result = []
    for epoch in range(count):
        sampler.set_epoch(epoch)
        result.append(list(sampler))
    return result


@pytest.mark.parametrize(('length', 'per_epoch'), [(10, 4), (3, 8), (5, 5)])
def test_epochs_go_through_the_whole_set(length: int, per_epoch: int) -> None:
    sampler = FixedEpochSampler(range(length), per_epoch, seed=1)
    assert len(sampler) == per_epoch
    drawn = epochs(sampler, length)  # per_epoch walks through the set
    assert {len(e) for e in drawn} == {per_epoch}
    chain = sum(drawn, [])
    walks = [chain[i : i + length] for i in range(0, len(chain), length)]
    assert len(walks) == per_epoch and all(sorted(w) == list(range(length)) for w in walks)
    assert len({tuple(w) for w in walks}) > 1
    sampler.set_epoch(2)
    assert list(sampler) == drawn[2]  # as after resuming


def test_processes_share_an_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = []
    for rank in range(3):
        monkeypatch.setattr('mmengine.dataset.sampler.get_dist_info', lambda rank=rank: (rank, 3))
        parts.append(list(FixedEpochSampler(range(12), 10, seed=1)))
    assert [len(p) for p in parts] == [4, 4, 4]
    assert sorted(sum(parts, [])) == list(range(12))


def test_an_empty_epoch_is_refused() -> None:
    with pytest.raises(ValueError, match='samples_per_epoch: .* got 0'):
        FixedEpochSampler(range(3), 0)


def test_an_empty_set_is_refused() -> None:
    with pytest.raises(ValueError, match='dataset: expected a set with samples, got an empty one'):
        FixedEpochSampler([], 4)
