"""How statements are written, where Python 3.11 doesn't mind."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_no_parameter_has_a_number():
    """Python 3.12.0 to 3.12.3 take ``?1`` for a name, and warn each time that a sequence is given for it."""
    modules = [path for package in ("gateway", "adapters") for path in (ROOT / package).rglob("*.py")]
    assert ROOT / "gateway/journal/shelf.py" in modules
    assert not [path for path in modules if re.search(r"\?\d", path.read_text())]
