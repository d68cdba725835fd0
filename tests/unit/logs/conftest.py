import pytest


@pytest.fixture
def clock(monkeypatch):
    """Monotonic seconds, for ``clock[0] += 60``."""
    clock = [1000.0]
    monkeypatch.setattr("gateway.logs.floods.monotonic", lambda: clock[0])
    return clock
