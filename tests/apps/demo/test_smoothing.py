import numpy as np
import pytest

from handkp_plugins.apps.demo.smoothing import OneEuroFilter, Trajectory, measure_lag


def run(one_euro: OneEuroFilter, times: np.ndarray, values: np.ndarray, size: float = 1.0) -> np.ndarray:
    return np.stack([one_euro(value, seconds, size) for seconds, value in zip(times, values, strict=True)])


def by_the_paper(times: np.ndarray, values: np.ndarray, min_cutoff: float, beta: float, speed_cutoff: float) -> list:
    """Algorithm 1 for one coordinate, line by line."""

    def alpha(rate: float, cutoff: float) -> float:
        tau = 1 / (2 * np.pi * cutoff)
        return 1 / (1 + tau * rate)

    filtered, speed = [float(values[0])], 0.0
    for before, now, value in zip(times[:-1], times[1:], values[1:], strict=True):
        rate = 1 / (now - before)
        change = (value - filtered[-1]) * rate
        share = alpha(rate, speed_cutoff)
        speed = share * change + (1 - share) * speed
        share = alpha(rate, min_cutoff + beta * abs(speed))
        filtered.append(share * value + (1 - share) * filtered[-1])
    return filtered


def test_the_papers_algorithm_at_uneven_times():
    rng = np.random.default_rng(0)
    times = np.cumsum(rng.uniform(0.01, 0.2, 50))
    values = rng.normal(size=(50, 3, 1)).cumsum(0)
    smoothed = run(OneEuroFilter(0.8, 2.0, 1.5), times, values)
    for k in range(3):
        np.testing.assert_allclose(smoothed[:, k, 0], by_the_paper(times, values[:, k, 0], 0.8, 2.0, 1.5))


def test_speed_is_that_of_a_place_and_not_of_a_coordinate():
    """A turned movement is smoothed alike."""
    times = np.arange(40) / 30
    line = np.stack([np.sin(5 * times), np.zeros(40)], 1)[:, None]
    angle = 0.7
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    np.testing.assert_allclose(
        run(OneEuroFilter(), times, line @ turn), run(OneEuroFilter(), times, line) @ turn, atol=1e-12
    )


def test_a_larger_picture_is_smoothed_alike():
    times = np.arange(40) / 30
    values = np.random.default_rng(1).normal(size=(40, 21, 2)).cumsum(0)
    np.testing.assert_allclose(
        run(OneEuroFilter(), times, 7 * values, size=70), 7 * run(OneEuroFilter(), times, values, size=10)
    )


def test_trembling_goes_and_a_fast_hand_is_hardly_late():
    rng, times = np.random.default_rng(0), np.arange(300) / 30
    still = rng.normal(0, 1, (300, 21, 2))
    smoothed = run(OneEuroFilter(), times, still, size=200)
    assert smoothed[30:].std() < 0.5 * still.std()
    ramp = np.broadcast_to((600 * times)[:, None, None], (300, 21, 2))  # four hand sizes a second
    fast, slow = OneEuroFilter(), OneEuroFilter(beta=0)
    late = [(ramp - run(one_euro, times, ramp, size=200))[-1, 0, 0] / 600 for one_euro in (fast, slow)]
    assert late[0] < 0.02 and late[1] == pytest.approx(1 / (2 * np.pi * 1.5), abs=1e-3)
    assert late[0] == pytest.approx(fast.delay[0], rel=1e-3) and late[1] == pytest.approx(slow.delay[0], abs=1e-3)


@pytest.mark.parametrize('jitter', [0.0, 0.3])
@pytest.mark.parametrize('lag', [0.0, 0.021, 0.140])
def test_a_known_lag_is_measured(lag: float, jitter: float):
    rng = np.random.default_rng(0)
    times = (np.arange(200) + rng.uniform(0, jitter, 200)) / 60

    def place(seconds: np.ndarray) -> np.ndarray:
        phases = np.arange(42).reshape(21, 2)
        return 40 * np.sin(7 * seconds[:, None, None] + phases) + 20 * np.sin(11.3 * seconds[:, None, None])

    path = Trajectory(times, place(times), place(times - lag), 150.0)
    assert measure_lag([path, path]) == pytest.approx(lag, abs=0.002)


def test_the_filters_own_delay_is_what_is_measured_on_slow_movement():
    times = np.arange(600) / 30
    raw = np.broadcast_to((30 * np.sin(times))[:, None, None], (600, 21, 2))
    smoothed = run(OneEuroFilter(beta=0), times, raw)
    assert measure_lag([Trajectory(times, raw, smoothed, 1.0)]) == pytest.approx(1 / (2 * np.pi * 1.5), abs=0.004)


def test_no_lag_where_nothing_moves_or_too_shortly():
    times = np.arange(60) / 30
    still = np.ones((60, 21, 2))
    moving = still * times[:, None, None] * 100
    assert measure_lag([]) is None
    assert measure_lag([Trajectory(times, still, still, 100.0)]) is None
    assert measure_lag([Trajectory(times[:12], moving[:12], moving[:12], 100.0)]) is None
    assert measure_lag([Trajectory(times, moving, moving, 100.0)]) == 0


def test_bad_numbers():
    for bad in (dict(min_cutoff=0), dict(beta=-1), dict(speed_cutoff=float('nan'))):
        with pytest.raises(ValueError, match='beta: expected numbers above 0, and beta from 0 on, got'):
            OneEuroFilter(**bad)
    one_euro = OneEuroFilter()
    one_euro(np.zeros((21, 2)), 1.0)
    for values, seconds, size in (
        (np.zeros((21, 2)), 1.0, 1),
        (np.zeros((20, 2)), 2.0, 1),
        (np.zeros((21, 2)), 2.0, 0),
    ):
        with pytest.raises(ValueError, match=r'a time after 1.0 s, a size above 0 and the shape \(21, 2\), got'):
            one_euro(values, seconds, size)
