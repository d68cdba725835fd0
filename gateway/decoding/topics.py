"""Topic patterns: MQTT's wildcards, and names for the levels that say device and metric.

``sensors/{device}/+/x/#``: ``{device}`` and ``{metric}`` each match one level and keep it, ``+``
matches one level, ``#`` the rest (MQTT 5, section 4.7).
"""

import re

from gateway.decoding.words import shown

_NAMES = ("device", "metric")
_ONE_LEVEL = {"+": "[^/]*"} | {f"{{{name}}}": f"(?P<{name}>[^/]*)" for name in _NAMES}
_MAX_BYTES = 65535  # of an MQTT string: MQTT 5, section 1.5.4


class TopicPattern:
    """Which topics are meant, and what their levels name.

    Raises
    ------
    ValueError
        The pattern can match nothing; in words for the author of gateway.toml.
    """

    def __init__(self, pattern: str) -> None:
        levels = pattern.split("/")
        _check(pattern, levels)
        self.pattern = pattern
        self.filter = "/".join("+" if level in _ONE_LEVEL else level for level in levels)
        """What to subscribe to: ``sensors/+/+/x/#``."""
        self.names = frozenset(name for name in _NAMES if f"{{{name}}}" in levels)
        """Which of ``device`` and ``metric`` a topic gives."""
        self._regex = re.compile(_regex(levels), re.DOTALL)

    def match(self, topic: str) -> dict[str, str] | None:
        """Return what the levels of ``topic`` name (``{"device": "kitchen"}``), or None if it isn't meant."""
        found = self._regex.fullmatch(topic)
        return None if found is None else found.groupdict()

    def mismatch(self, topic: str) -> str:
        """Return the first reason why ``topic`` isn't meant, level by level; empty if it is."""
        if self.match(topic) is not None:
            return ""
        levels, wanted = topic.split("/"), self.pattern.split("/")
        if levels[0].startswith("$") and wanted[0] in (*_ONE_LEVEL, "#"):
            return f"starts with {shown(levels[0])}, and {wanted[0]} in front doesn't match the broker's own topics"
        for number, (level, want) in enumerate(zip(levels, wanted, strict=False), 1):
            if want not in (level, *_ONE_LEVEL, "#"):
                return f"level {number} is {shown(level)}, the pattern wants {shown(want)}"
        return _other_length(len(levels), wanted)

    def __repr__(self) -> str:
        return f"TopicPattern({self.pattern!r})"


def _other_length(count: int, wanted: list[str]) -> str:
    has = f"has {count} level" if count == 1 else f"has {count} levels"
    if wanted[-1] == "#":
        return f"{has}, the pattern at least {len(wanted) - 1}"
    return f"{has}, the pattern has {len(wanted)}"


def _regex(levels: list[str]) -> str:
    # A wildcard in front doesn't match the broker's own topics: MQTT 5, section 4.7.2.
    guard = r"(?!\$)" if levels[0] in (*_ONE_LEVEL, "#") else ""
    if levels[-1] != "#":
        return guard + _join(levels)
    if len(levels) == 1:
        return f"{guard}.*"
    return f"{guard}{_join(levels[:-1])}(?:/.*)?"  # "a/#" means "a" too


def _join(levels: list[str]) -> str:
    return "/".join(_ONE_LEVEL.get(level) or re.escape(level) for level in levels)


def _check(pattern: str, levels: list[str]) -> None:
    if not pattern:
        raise ValueError("topic pattern is empty")
    if "\0" in pattern or len(pattern.encode("utf-8", "replace")) > _MAX_BYTES:
        raise ValueError(f"topic pattern: at most {_MAX_BYTES} bytes and no NUL are possible in MQTT")
    if levels[0] == "$share":
        raise ValueError("topic pattern: $share/… is a kind of subscription, no topic starts with it")
    if "#" in levels[:-1]:
        raise ValueError(f"topic pattern {pattern!r}: # stands for the rest and can only come last")
    for level in levels:
        _check_level(pattern, level)
    for name in _NAMES:
        if levels.count(f"{{{name}}}") > 1:
            raise ValueError(f"topic pattern {pattern!r}: {{{name}}} is there more than once")


def _check_level(pattern: str, level: str) -> None:
    if level in _ONE_LEVEL or level == "#" or not re.search(r"[+#{}]", level):
        return
    unknown = re.fullmatch(r"\{([^{}]*)\}", level)
    if unknown:
        raise ValueError(f"topic pattern {pattern!r}: unknown {level}, there are {{device}} and {{metric}}")
    raise ValueError(f"topic pattern {pattern!r}: level {level!r} mixes text and wildcard; each has a level of its own")
