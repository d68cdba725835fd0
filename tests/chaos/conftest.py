"""One seed for all that is left to chance, and the short or the long form."""

import os
import random

import pytest

_SEED = pytest.StashKey[int]()
LONG = bool(os.environ.get("CHAOS_LONG"))


def pytest_configure(config):
    config.stash[_SEED] = int(os.environ.get("CHAOS_SEED") or random.SystemRandom().randrange(2**31))


def pytest_terminal_summary(terminalreporter, config):
    if _SEED in config.stash:
        terminalreporter.write_line(f"chaos: CHAOS_SEED={config.stash[_SEED]} does this again")


@pytest.fixture
def seed(request) -> int:
    """The number that everything random in a chaos test follows from; CHAOS_SEED sets it."""
    chosen = request.config.stash[_SEED]
    print(f"CHAOS_SEED={chosen}")
    return chosen


@pytest.fixture
def chance(seed) -> random.Random:
    return random.Random(seed)


@pytest.fixture
def long() -> bool:
    """Whether this is the long form, ``make chaos``."""
    return LONG
