"""Where output goes."""

import os
import sys

from rich.console import Console
from rich.table import Table

_PIPED_WIDTH = 200
"""Wide enough that nothing is folded in a file or in grep's input."""


def console() -> Console:
    """Return a console as wide as the terminal; what is piped isn't cut to a guess of its width."""
    piped = not sys.stdout.isatty() and "COLUMNS" not in os.environ
    return Console(width=_PIPED_WIDTH if piped else None, markup=False, highlight=False, emoji=False, soft_wrap=False)


def table(*headings: str, right: tuple[str, ...] = ()) -> Table:
    """Return a table without lines around it; those of its columns that are numbers go ``right``."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        made.add_column(heading, justify="right" if heading in right else "left", overflow="fold")
    return made
