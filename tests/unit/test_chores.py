from gateway.chores import Chores


def test_a_chore_that_fails_is_told_once_and_harms_no_other(caplog):
    notes, done = [], []
    chores = Chores(notes)
    for _ in range(3):
        chores.do("sums", lambda: 1 / 0)
        chores.do("list", done.append, "done")
    assert notes == ["the gateway's own sums failed; its log says why"]
    assert done == ["done"] * 3
    (record,) = caplog.records
    assert record.getMessage() == "the gateway's own sums failed"
    assert record.exc_info


def test_another_kind_of_failure_is_logged_too_and_another_chore_noted_too(caplog):
    notes = []
    chores = Chores(notes)
    chores.do("sums", lambda: 1 / 0)
    chores.do("sums", lambda: {}["x"])
    chores.do("list", lambda: {}["x"])
    assert len(caplog.records) == 3
    assert [note.split()[3] for note in notes] == ["sums", "list"]
