"""The page's own logic, without a browser: node's test runner on the modules as they are."""

import subprocess
from pathlib import Path

import pytest

from tests.support.node import node

TESTS = sorted(Path(__file__).with_name("js").glob("*.test.js"))


@pytest.mark.parametrize("tests", TESTS, ids=[path.stem for path in TESTS])
def test_module(tests: Path) -> None:
    done = subprocess.run([node(), "--test", str(tests)], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
