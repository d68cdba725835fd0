"""Looks for secrets in whatever a program says, in all the forms in which they could be there."""

import base64
import json
from collections.abc import Iterator, Mapping
from urllib.parse import quote


def leaks(secrets: Mapping[str, str], said: Mapping[str, str | bytes]) -> list[str]:
    """Return what was found where, in words; empty: nothing.

    Parameters
    ----------
    secrets
        By what they are, such as "the broker's password".
    said
        Texts and files by what they are: a log, an answer, a bundle.
    """
    found = []
    for where, content in said.items():
        data = content.encode() if isinstance(content, str) else content
        for what, secret in secrets.items():
            found += [f"{what}, {form}, in {where}" for form, text in _forms(secret) if text in data]
    return found


def _forms(secret: str) -> Iterator[tuple[str, bytes]]:
    data = secret.encode()
    yield "as it is", data
    yield "as JSON", json.dumps(secret)[1:-1].encode()
    yield "in an address", quote(secret, safe="").encode()
    yield "in hex", data.hex().encode()
    for start in range(3):  # base64 of what has it somewhere inside
        whole = base64.b64encode(b"\0" * start + data)
        yield "in base64", whole[4 if start else 0 : len(whole) // 4 * 4 - 4]
