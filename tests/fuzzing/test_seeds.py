"""Every saved input, held against the same oracle: what broke the law once is tried for ever."""

from __future__ import annotations

import pytest

from tests.fuzzing.targets import TARGETS, seeds_of

SAVED = [(target, name, data) for target in TARGETS for name, data in seeds_of(target).items()]


@pytest.mark.parametrize("target, name, data", SAVED, ids=[f"{target}-{name}" for target, name, _ in SAVED])
def test_a_saved_input_keeps_the_law(target: str, name: str, data: bytes) -> None:
    TARGETS[target].check(data)


@pytest.mark.parametrize("target", TARGETS)
def test_every_target_has_seeds_to_begin_with(target: str) -> None:
    assert len(seeds_of(target)) >= 6
