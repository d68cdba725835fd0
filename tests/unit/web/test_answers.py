from gateway.web import answers
from gateway.web.answers import Answers
from gateway.web.protocol import CONNECTION

MIB = 2**20


class Reader:
    """A connection that can be ended."""

    def __init__(self):
        self.ended = False

    def end(self):
        self.ended = True


class Body(list):
    closed = False

    def close(self):
        self.closed = True


def ask(app, reader, size, *, says_size=True):
    body = Body([b"x"])

    def answer(environ, start_response):
        start_response("200 OK", [("Content-Length", str(size))] if says_size else [])
        return body

    app._app = answer
    started = []
    result = app({CONNECTION: reader}, lambda status, headers: started.append(status))
    assert started == ["200 OK"]
    assert list(result) == [b"x"]
    return body, result


def test_past_the_bound_the_readers_of_old_answers_are_cut_off(monkeypatch):
    monkeypatch.setattr(answers, "_MOST_BYTES", 3 * MIB)
    app = Answers(None)
    readers = [Reader() for _ in range(4)]
    for reader in readers:
        ask(app, reader, MIB)
    assert [reader.ended for reader in readers] == [True, False, False, False]
    ask(app, Reader(), 2 * MIB + 1)
    assert [reader.ended for reader in readers] == [True, True, True, True]


def test_what_is_out_counts_no_more(monkeypatch):
    monkeypatch.setattr(answers, "_MOST_BYTES", 3 * MIB)
    app = Answers(None)
    readers = [Reader() for _ in range(6)]
    for reader in readers:
        body, result = ask(app, reader, 2 * MIB)
        result.close()
        assert body.closed
    assert not any(reader.ended for reader in readers)


def test_small_answers_and_streams_are_left_alone():
    app = Answers(None)
    for size, says_size in ((1000, True), (MIB, False)):
        body, result = ask(app, Reader(), size, says_size=says_size)
        assert result is body
    assert ask(app, Reader(), 100 * MIB)[1] is not None  # one alone may be larger than the bound
