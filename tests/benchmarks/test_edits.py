"""Edits of a plan that the checker must notice, a bounded sample of them; ``benchmarks.edits`` tries more."""

from __future__ import annotations

import random

import pytest
from benchmarks.edits import replanned, unnoticed


@pytest.mark.parametrize("seed", [5, 8])
def test_an_edit_of_a_plan_is_noticed_or_known_to_be_free(seed: int) -> None:
    cases = replanned(seed, 8)
    assert cases
    for case in cases:
        tried, found = unnoticed(case, 1, random.Random(seed))
        assert tried > 100
        assert [one for one in found if one.allowed is None] == []
