"""Whether a JSON text gives one key twice: orjson keeps the last without a word.

RFC 8259, section 4, leaves open what that means, so it is refused. Each key has one colon: where a
text has as many colons as its document has keys and strings with colons, none was lost, and
counting takes a fraction of a microsecond (of a flat object, the decoder does it). Only where colons are
left over it is parsed again.
"""

import json
from typing import Any

from gateway.errors import Rejected

_ESCAPED = b"\\u003"
"""How ``\\u003a``, a colon that isn't one in the text, begins."""


def check_keys(payload: bytes, document: object) -> None:
    """Raise ``Rejected`` if an object in ``payload``, of which orjson made ``document``, has a key twice."""
    if _ESCAPED in payload or payload.count(b":") != _colons(document):
        json.loads(payload.decode(), object_pairs_hook=_distinct, parse_int=float)  # float: of any length


def _colons(document: object) -> int:
    """Return how many colons the text of ``document`` has at least."""
    count = 0
    nodes = [document]
    while nodes:
        node = nodes.pop()
        if isinstance(node, str):
            count += node.count(":")
        elif isinstance(node, dict):
            count += len(node) + "".join(node).count(":")
            nodes.extend(node.values())
        elif isinstance(node, list):
            nodes.extend(node)
    return count


def _distinct(pairs: list[tuple[str, Any]]) -> None:
    names: set[str] = set()
    for name, _ in pairs:
        if name in names:
            raise Rejected(f"{name}: is there twice")
        names.add(name)
