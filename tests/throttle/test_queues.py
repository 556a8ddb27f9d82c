"""Queues: the numbers of the talk and of the textbook, and no number where there is no answer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from throttle.queues import busy_to_idle, growth, variation, wait


@pytest.mark.parametrize(("load", "times"), [(0.5, 1), (0.8, 4), (0.9, 9), (0.95, 19), (0.99, 99)])
def test_the_waits_of_the_phoenix_project(load: float, times: float) -> None:
    assert busy_to_idle(load) == pytest.approx(times)
    assert wait(load, 1, 1.0) == pytest.approx(times)


def test_one_server_and_three_at_90_per_cent() -> None:
    assert wait(0.9, 1, 1.0) == pytest.approx(9.0)
    assert wait(0.9, 3, 1.0) == pytest.approx(2.75, abs=0.005)


def test_variation_of_arrivals_and_tasks_scales_the_wait() -> None:
    assert wait(0.9, 1, 2.0, arrivals=0.0, tasks=1.0) == pytest.approx(9.0)
    assert wait(0.9, 1, 1.0, arrivals=0.0, tasks=0.0) == 0.0


@pytest.mark.parametrize("load", [1.0, 1.0001, 3.0])
def test_at_full_load_there_is_no_number(load: float) -> None:
    assert wait(load, 1, 1.0) is None
    assert wait(load, 4, 1.0) is None
    assert busy_to_idle(load) is None


def test_the_backlog_grows_by_what_is_above_the_hours() -> None:
    assert growth(1.25, 40) == pytest.approx(10)
    assert growth(1.0, 40) == 0
    assert growth(0.7, 40) == 0


def test_a_queue_without_servers_is_an_error() -> None:
    with pytest.raises(ValueError, match="needs a server"):
        wait(0.5, 0, 1.0)


def test_variation() -> None:
    assert variation([4.0, 4.0, 4.0]) == 0
    assert variation([1.0, 3.0]) == pytest.approx(2 / 4)
    assert variation([5.0]) is None
    assert variation([0.0, 0.0]) is None


@given(st.floats(0.01, 0.999), st.integers(1, 20))
def test_more_servers_wait_less_and_more_load_waits_more(load: float, servers: int) -> None:
    here, more, busier = wait(load, servers, 1.0), wait(load, servers + 1, 1.0), wait((load + 1) / 2, servers, 1.0)
    assert here is not None
    assert more is not None
    assert busier is not None
    assert 0 < more < here < busier
