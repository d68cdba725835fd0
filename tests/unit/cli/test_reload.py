import json

import pytest


def reloaded(words, *, complete=True, problems=()):
    return {
        "complete": complete,
        "words": words,
        "problems": list(problems),
        "sources": [],
        "settings": [],
        "restart": [],
    }


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (reloaded(["nothing has changed"]), 0),
        (reloaded(["source a changed, and up", "web.port changed"], complete=False), 1),
        (reloaded(["it can't be used"], complete=False, problems=["gateway.toml:1: …"]), 78),
    ],
)
def test_the_exit_code_says_whether_it_is_in_effect(run, daemon, answer, code):
    daemon.answers["/reload"] = answer
    done = run("reload")
    assert (done.exit_code, done.stdout.splitlines()) == (code, answer["words"])
    done = run("reload", "--json")
    assert (done.exit_code, json.loads(done.stdout)) == (code, answer)


def test_who_changed_where_the_socket_is_is_told_so(run, tmp_path):
    done = run("--socket", str(tmp_path / "none"), "reload")
    assert done.exit_code == 3
    assert "If the file names another state_dir than before: that needs a restart." in done.stderr


def test_what_a_sensor_named_can_not_command_the_terminal(run, daemon):
    daemon.answers["/reload"] = reloaded(["\x1b[2Jgone"])
    assert "\x1b" not in run("reload").stdout
