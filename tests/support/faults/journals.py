"""The journal."""

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.support.faults.box import Box
from tests.support.faults.fault import fault
from tests.support.ports import wait_until


def kept(box: Box) -> Path:
    """Let a gateway keep some readings; return the journal that it leaves."""
    daemon = box.daemon()
    wait_until(lambda: daemon.ledger()["stored"] > 5, "some readings are stored")
    daemon.stop()
    return daemon.socket.with_name("journal.db")


def damage(path: Path) -> None:
    """Overwrite all pages but the first, as a dying card does."""
    with path.open("r+b") as file:
        size = file.seek(0, 2)
        file.seek(4096)
        file.write(b"\xa5" * (size - 4096))


@fault("the journal is damaged", "journal-damaged", "sets the file aside", said=["is damaged"])
def damaged(box: Box) -> None:
    """A journal whose pages were overwritten."""
    damage(kept(box))


@fault(
    "a damaged journal was set aside", "journal-set-aside", ".recover", said=["journal.db.damaged-"], severity="warning"
)
def set_aside(box: Box) -> None:
    """A gateway that was started on a damaged journal."""
    damage(kept(box))
    box.stack.close()
    box.daemon()


@fault("the journal is no journal", "journal-damaged", "sets the file aside", said=["not a database"])
def no_journal(box: Box) -> None:
    """A text of that name."""
    (box.folder / "state").mkdir()
    (box.folder / "state" / "journal.db").write_text("my shopping list\n" * 500)


@fault("the journal is another program's", "journal-not-ours", "move the file away", said=["another program"])
def foreign(box: Box) -> None:
    """An SQLite file of that name."""
    (box.folder / "state").mkdir()
    with closing(sqlite3.connect(box.folder / "state" / "journal.db")) as connection:
        connection.execute("CREATE TABLE recipes (name TEXT)")


@fault("the journal is of a newer gateway", "journal-not-ours", "change state_dir", said=["by a newer gateway"])
def newer(box: Box) -> None:
    """A journal with a higher version."""
    with closing(sqlite3.connect(kept(box))) as connection:
        connection.execute("PRAGMA user_version = 9999")


@fault("another gateway has the journal", "journal-in-use", "a state_dir of its own", said=["is in use by"])
def in_use(box: Box) -> None:
    """A running gateway whose control socket was removed."""
    box.daemon().socket.unlink()
