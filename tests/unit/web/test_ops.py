from gateway.chores import Chores
from gateway.ledger import Ledger
from gateway.rejects import Rejects
from gateway.web.ops import Ops


class Sockets:
    """One operator, to whom sending fails as often as is asked for."""

    def __init__(self, failures):
        self.sent, self._failures = [], failures

    def clients(self):
        return 1

    def members(self):
        return ["operator"]

    def unsent(self, viewer):
        return 0

    def send(self, viewer, event, payload):
        if self._failures:
            raise self._failures.pop()
        self.sent.append((event, payload["ledger"]["received"]))


class Turns:
    """Stops after some turns, with a message more in each."""

    def __init__(self, count, ledger):
        self._left, self._ledger = count, ledger

    def wait(self, timeout_s):
        self._ledger.received("bench")
        self._left -= 1
        return self._left < 0


def test_a_turn_that_fails_is_not_the_last_and_each_kind_is_logged_once(caplog):
    ledger, notes = Ledger(["bench"]), []
    sockets = Sockets([ValueError("one"), ValueError("another"), KeyError("a third")])
    Ops(sockets, ledger, Rejects(None, None, [])).run(Turns(5, ledger), Chores(notes))
    assert sockets.sent == [("ledger", 4), ("ledger", 5)]
    assert [record.exc_info[0] for record in caplog.records] == [KeyError, ValueError]
    assert notes == ["the gateway's own news for operators failed; its log says why"]
