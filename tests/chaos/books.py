"""Reads the ledger as often as it can, and never believes it."""

import http.client
import json
import threading
import urllib.error
import urllib.request
from typing import Any, Self

OUTCOMES = ("stored", "rejected", "duplicate", "ignored", "dropped", "in_flight")
_AWAY = (urllib.error.URLError, OSError, http.client.HTTPException)


class Auditor:
    """Looks at status over and over while a test runs; a context manager that fails at its end.

    A daemon that isn't there is no finding; books that don't add up are, in any source at any look.
    """

    def __init__(self, url: str) -> None:
        self.looks = 0
        self.findings: list[str] = []
        self._url = url + "/api/v1/status"
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(15.0)
        assert self.looks > 0, "the ledger was never seen"
        assert not self.findings, self.findings[:5]

    def _run(self) -> None:
        while not self._stop.wait(0.1):
            try:
                with urllib.request.urlopen(self._url, timeout=5.0) as answer:
                    status = json.load(answer)
            except _AWAY:
                continue
            self.looks += 1
            self._check(status)

    def _check(self, status: dict[str, Any]) -> None:
        sources = {source["name"]: source["ledger"] for source in status["sources"]}
        for name, books in {**sources, "all": status["ledger"]}.items():
            if books["received"] != sum(books[outcome] for outcome in OUTCOMES) or min(books.values()) < 0:
                self.findings.append(f"{name}: {books}")
        total = {key: sum(books[key] for books in sources.values()) for key in status["ledger"]}
        if total != status["ledger"]:
            self.findings.append(f"sources add up to {total}, not {status['ledger']}")
