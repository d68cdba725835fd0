"""gatewayctl explain."""

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.options import Options

if TYPE_CHECKING:  # at run time pydantic would slow down each TAB of shell completion
    from gateway.adapter import AdapterConfig
    from gateway.configuration import Configuration
    from gateway.explain import Account

NOT_STORED = 1
_WILDCARDS = "+#\0"


@click.command()
@click.option("--topic", metavar="TOPIC", help="On which the message comes; through every source that has topics.")
@click.option("--adapter", metavar="NAME", help="Through this source alone; needed where sources have no topics.")
@click.option("--payload", metavar="TEXT", help="Of the message: text, @FILE, or - for what comes on stdin.")
@click.option("--payload-hex", metavar="HEX", help="Of the message, where it isn't text: 7B 22 61 22 …")
@click.option("--json", "as_json", is_flag=True, help="The steps as JSON, for programs.")
@click.pass_obj
def explain(  # noqa: PLR0913, PLR0917  one parameter an option
    options: Options,
    topic: str | None,
    adapter: str | None,
    payload: str | None,
    payload_hex: str | None,
    as_json: bool,
) -> None:
    """Show what a message would become, step by step.

    No daemon is needed.

    Route, decoding, time, device, profile, and the verdict: stored as which reading, rejected with the reason that the
    gateway gives, or ignored. Nothing is sent and nothing is kept.

    Exits with 0 if it would be stored, 1 if not, 78 if the configuration can't be used.
    """
    from gateway.configuration import load  # noqa: PLC0415  not at each TAB of shell completion
    from gateway.explain import explain as accounts_of  # noqa: PLC0415  see above
    from gateway.runtime import now  # noqa: PLC0415  see above

    data, wire_topic = _data(payload, payload_hex), _wire_topic(topic)
    found = load(options.config_file(), elsewhere=True)
    sources = [
        (config, accounts_of(config, found.profiles, wire_topic, data, now()))
        for config in _sources(found, adapter, has_topic=topic is not None)
    ]
    stored = any(_all_stored(accounts) for config, accounts in sources if config.enabled or adapter)
    if as_json:
        click.echo(json.dumps({"stored": stored, "sources": [_plain(*each) for each in sources]}, indent=2))
    else:
        _print(sources)
    if not stored:
        raise click.exceptions.Exit(NOT_STORED)


def _data(payload: str | None, payload_hex: str | None) -> bytes:
    if (payload is None) == (payload_hex is None):
        raise click.UsageError("Give the message by --payload or by --payload-hex.")
    if payload is None:
        return _from_hex(payload_hex or "")
    if payload == "-":
        return sys.stdin.buffer.read()
    if payload.startswith("@"):
        return _from_file(payload[1:])
    return os.fsencode(payload)


def _from_hex(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise click.BadParameter(
            f"expected pairs of hexadecimal digits; {error}", param_hint="--payload-hex"
        ) from error


def _from_file(name: str) -> bytes:
    try:
        return Path(name).read_bytes()
    except OSError as error:
        raise click.BadParameter(f"{name}: {(error.strerror or str(error)).lower()}", param_hint="--payload") from error


def _wire_topic(topic: str | None) -> bytes:
    if topic is not None and (not topic or any(sign in topic for sign in _WILDCARDS)):
        text = "a message comes on one topic: it isn't empty, and + and # are for routes"
        raise click.BadParameter(text, param_hint="--topic")
    return os.fsencode(topic or "")


def _sources(found: "Configuration", name: str | None, *, has_topic: bool) -> Sequence["AdapterConfig"]:
    configs = [config for _, config in found.adapters]
    if name is None:
        return _with_topics(configs, has_topic=has_topic)
    chosen = [config for config in configs if config.name == name]
    if not chosen:
        raise click.BadParameter(_unknown(name, configs), param_hint="--adapter")
    if chosen[0].payloads() and _has_topics(chosen[0]) != has_topic:
        raise click.UsageError(
            f'"{name}" has no topics: leave --topic out.' if has_topic else f'"{name}" has topics: give --topic too.'
        )
    return chosen


def _with_topics(configs: Sequence["AdapterConfig"], *, has_topic: bool) -> Sequence["AdapterConfig"]:
    chosen = [config for config in configs if _has_topics(config)]
    if has_topic and chosen:
        return chosen
    text = "No source has topics: choose one by --adapter" if has_topic else "Give --topic, --adapter, or both"
    raise click.UsageError(f"{text}; {_there_are(configs)}.")


def _has_topics(config: "AdapterConfig") -> bool:
    return any(payload.topic_pattern is not None for payload in config.payloads())


def _unknown(name: str, configs: Sequence["AdapterConfig"]) -> str:
    from gateway.settings.words import did_you_mean, quoted  # noqa: PLC0415  not at each TAB of shell completion

    hint = did_you_mean(name, [config.name for config in configs]) or _there_are(configs)
    return f"no adapter is called {quoted(name)}; {hint}"


def _there_are(configs: Sequence["AdapterConfig"]) -> str:
    return "there are " + ", ".join(f'"{config.name}"' for config in configs) if configs else "there is none"


def _all_stored(accounts: Sequence["Account"]) -> bool:
    return bool(accounts) and all(account.stored for account in accounts)


def _plain(config: "AdapterConfig", accounts: Sequence["Account"]) -> dict[str, Any]:
    messages = [asdict(account) for account in accounts]
    for message in messages:
        message["stored"] = [each | {"reading": json.loads(each["reading"])} for each in message["stored"]]
    return {"adapter": config.name, "type": config.type, "enabled": config.enabled, "messages": messages}


def _print(sources: Sequence[tuple["AdapterConfig", Sequence["Account"]]]) -> None:
    from gateway.cli.explain_view import view  # noqa: PLC0415  not at each TAB of shell completion
    from gateway.cli.terminal import console  # noqa: PLC0415  see above

    for number, (config, accounts) in enumerate(sources):
        console().print("\n" * bool(number), end="")
        console().print(view(config, accounts))
