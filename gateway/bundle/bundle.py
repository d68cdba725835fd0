"""Putting a bundle together."""

import io
import json
import os
import tarfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import IO

from gateway.bundle.cleaning import Cleaning
from gateway.bundle.logs import last_lines
from gateway.bundle.versions import versions
from gateway.doctor import Facts
from gateway.errors import JournalDown
from gateway.findings import Finding
from gateway.journal import KeptReject, Queries, particulars

_REJECTS = 1000
_README = """What this gateway is and how it is, for a bug report.

Passwords and other secrets of the configuration are hidden (…), and no readings are in here. Names of sources, topics,
addresses, the log and the reasons of rejects are{payloads}. Please look through it before you send it.

"""


def collect(
    facts: Facts, findings: Sequence[Finding], status: object, cleaning: Cleaning, *, payloads: bool
) -> Mapping[str, str]:
    """Return the files of a bundle, by name, without secrets.

    Parameters
    ----------
    facts, findings
        Doctor's.
    status
        STATUS as the gateway gave it; None: it didn't.
    cleaning
        Has learnt.
    payloads
        Whether what was refused is shown, and not only why.
    """
    journal = facts.control.with_name("journal.db") if facts.control is not None else None
    said = {
        "versions.json": {"gateway": facts.version, "running": facts.running and facts.running.version} | versions(),
        "status.json": status if status is not None else {"error": facts.silence or "the gateway isn't running"},
        "doctor.json": [asdict(finding) for finding in findings],
        "configuration.json": {"path": str(facts.path), "problems": [str(problem) for problem in facts.problems]},
        "journal.json": particulars(journal) if journal is not None else None,
        "rejects.json": _rejects(journal, payloads=payloads) if journal is not None else None,
    }
    files = {name: _json(cleaning.value(value)) for name, value in said.items()}
    files |= {f"configuration/{name}": text for name, text in cleaning.configuration().items()}
    files["log.txt"] = cleaning.text(last_lines(facts.pid))
    readme = _README.format(payloads=", and what was refused too" if payloads else "; what was refused isn't")
    return {"README.txt": readme + "\n".join(sorted(files)) + "\n"} | files


def write(files: Mapping[str, str], target: Path) -> None:
    """Write them as a ``.tar.gz`` that its owner alone can read; raises ``FileExistsError`` and other ``OSError``."""
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        try:
            _write(files, file)
        except BaseException:
            target.unlink()
            raise


def _write(files: Mapping[str, str], file: IO[bytes]) -> None:
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        for name, text in files.items():
            data = text.encode(errors="replace")
            member = tarfile.TarInfo(f"bundle/{name}")
            member.size, member.mode, member.mtime = len(data), 0o600, int(time.time())
            archive.addfile(member, io.BytesIO(data))


def _rejects(journal: Path, *, payloads: bool) -> object:
    queries = Queries(journal)
    try:
        found, total = queries.newest_rejects(_REJECTS)
    except JournalDown as error:
        return {"error": str(error)}
    finally:
        queries.close()
    return {"total": total, "rejects": [_reject(reject, payloads=payloads) for reject in found]}


def _reject(reject: KeptReject, *, payloads: bool) -> dict[str, object]:
    shown: dict[str, object] = {
        "id": reject.id,
        "source": reject.source,
        "topic": reject.topic.decode(errors="backslashreplace"),
        "reason": reject.reason,
        "rule": reject.rule,
        "size": reject.size,
        "truncated": reject.truncated,
        "first": reject.first_ts,
        "last": reject.last_ts,
        "count": reject.count,
    }
    if payloads:
        shown["payload"] = reject.payload.decode(errors="backslashreplace")
    return shown


def _json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
