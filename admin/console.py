"""How every command speaks: sentences, tables, JSON for programs, a question before what is dangerous."""

import errno
import getpass
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Annotated, Any, Final, Never, TextIO

import typer
from pydantic_core import to_json
from rich import box
from rich.console import Console, RenderableType
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from serving import EXIT_FAILED, EXIT_WRONG_SETTING

EXIT_INTERRUPTED: Final = 130  # what a shell says of Ctrl-C
_UNLIMITED_COLUMNS: Final = 100_000  # whoever reads a pipe breaks lines himself, or searches them

# Somebody copies what stands below them into his next command: never broken, never cut off.
_IDS: Final = frozenset(
    {"order", "charge", "workflow", "which", "id", "of", "KIE task", "key", "account", "base backup"}
)

AsJson = Annotated[bool, typer.Option("--json", help="for programs")]
Yes = Annotated[bool, typer.Option("--yes", help="do not ask")]
By = Annotated[str, typer.Option("--by", help="who does it, for the audit log; else the login here")]


class Refused(Exception):
    """One sentence for who sits at the terminal: what is wrong and what to do. Exit code 1 if no other."""

    def __init__(self, sentence: str, code: int = EXIT_FAILED) -> None:
        super().__init__(sentence)
        self.code = code


class Interrupted(Exception):
    """Ctrl-C or SIGTERM instead of an answer: nothing was changed."""


class _Output:
    """stdout. What cannot be written there stops no deed: it is done, and at the end it is said."""

    def __init__(self) -> None:
        self.lost: OSError | None = None

    def write(self, text: str) -> None:
        try:
            _opened(sys.stdout).write(text)
        except OSError as error:
            self.lost = self.lost or error

    def end(self) -> OSError | None:
        try:
            _opened(sys.stdout).flush()
        except OSError as error:
            self.lost = self.lost or error
        if self.lost is not None and sys.stdout is not None:  # Python would complain of it at its very end
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return self.lost


_output: Final = _Output()


def _opened(stream: TextIO | None) -> TextIO:
    """None is what Python makes of one that was closed before it began."""
    if stream is None:
        raise OSError(errno.EBADF, "it is closed")
    return stream


def say(line: str) -> None:
    _output.write(f"{line}\n")


def fail(sentence: str) -> int:
    """The exit code."""
    with suppress(OSError):  # nobody can be told anything
        _opened(sys.stderr).write(f"{sentence}\n")
    return EXIT_FAILED


def end(code: int) -> int:
    """Everything is written now, or it is said that it is not. The exit code."""
    lost = _output.end()
    if lost is None or isinstance(lost, BrokenPipeError):  # whoever read has seen enough
        return code
    what = "it" if code else "done, but it"
    fail(f"{what} could not be written to the output: {lost.strerror}")
    return code or EXIT_FAILED


def check_words(words: Sequence[str]) -> None:
    """What was typed goes into rows, requests and answers: as text. Ends the program with 2."""
    for word in words:
        shown = word.encode(errors="surrogateescape").decode(errors="backslashreplace")
        if shown != word:
            fail(f"{shown} is no text in UTF-8: type it again, or set the terminal to UTF-8")
            sys.exit(EXIT_WRONG_SETTING)


def show(*parts: RenderableType) -> None:
    """Colours and the terminal's width on a terminal, plain text and lines as long as they are elsewhere."""
    console = _console(parts)
    with console.capture() as captured:
        console.print(*parts, sep="\n")
    for line in captured.get().splitlines():
        say(line.rstrip())


def _console(parts: Sequence[RenderableType]) -> Console:
    """At least as wide as what may not be broken: a narrower terminal breaks it by itself, in the middle of
    nothing that is copied.
    """
    if sys.stdout is None or not sys.stdout.isatty():
        return Console(
            width=_UNLIMITED_COLUMNS, color_system=None, highlight=False, emoji=False, markup=False
        )
    console = Console(highlight=False, emoji=False, markup=False)
    needed = (
        Measurement.get(console, console.options.update(width=_UNLIMITED_COLUMNS), part) for part in parts
    )
    console.width = max(console.width, *(each.minimum for each in needed))
    return console


def show_json(value: Any) -> None:
    """Models, dataclasses, rows; times as ISO 8601. A secret is shown as stars."""
    say(to_json(value, indent=2).decode())


def table(*headings: str, title: str = "") -> Table:
    """The look of every table: no frame, so that it can be piped on. Long cells break, nothing is cut off."""
    made = Table(
        box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, title=title or None, title_justify="left"
    )
    for heading in headings:
        made.add_column(heading, overflow="fold", no_wrap=heading in _IDS)
    return made


def section(title: str) -> RenderableType:
    return Text(f"\n{title}", style="bold")


def confirm(question: str, *, yes: bool) -> None:
    """Raise Refused for a No, and where nobody can be asked; Interrupted."""
    if yes:
        return
    terminal = _terminal()
    if terminal is None:
        raise Refused(f"{question} Nobody can be asked here: say --yes")
    if not _answer(terminal, question):
        raise Refused("nothing was changed")


def _terminal() -> TextIO | None:
    """Where a question is seen by somebody who can answer it."""
    if sys.stdin is None or not sys.stdin.isatty():
        return None
    return next((each for each in (sys.stdout, sys.stderr) if each is not None and each.isatty()), None)


def _answer(terminal: TextIO, question: str) -> bool:
    with _interruptible():  # before it is seen: whoever reads it may press Ctrl-C at once
        terminal.write(f"{question} [y/N]: ")
        terminal.flush()
        return sys.stdin.readline().strip().lower() in {"y", "yes"}


@contextmanager
def _interruptible() -> Iterator[None]:
    """Who waits for a person hears no event loop: signals are exceptions meanwhile, and nobody else's."""
    told = signal.set_wakeup_fd(-1)
    before = {number: signal.signal(number, _interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(told)


def _interrupt(*_: object) -> Never:
    raise Interrupted


def actor(by: str) -> str:
    """Who stands in the audit log."""
    if by:
        return by
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user has no name
        raise Refused("nobody knows who you are here: say --by NAME, for the audit log") from None
