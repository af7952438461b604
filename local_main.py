"""Everything on one machine: `make run`. What has no credentials in `.env` is played by a stand-in."""

import asyncio
import contextlib
import os
import shlex
import signal
import sys
from collections.abc import Coroutine
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.panel import Panel

from environment import WrongSetting, port_in
from local.folder import FolderUnusable
from local.foreground import is_started_by_make, run_in_foreground
from local.processes import LOCALHOST, Child, ChildFailed, in_words
from local.progress import ConsoleProgress
from local.stack import DATABASE, Ports, PortTaken, Stack, StackPlan
from local.standins import Service, made_up_credentials, services_with_credentials
from serving import EXIT_FAILED, EXIT_WRONG_SETTING, Stop, StopRequested
from settings import load_kie_keys, load_settings, read_environment

ROOT: Final = Path(__file__).parent
_PORTS: Final = {
    "chat": 8090,
    "web": 8088,
    "temporal": 7233,
    "temporal_ui": 8233,
    "postgres": 5544,
    "kie": 8091,
    "openai": 8092,
}
_OF_OTHER_MACHINES: Final = (
    "DATABASE_URL",
    "TEMPORAL_ADDRESS",
    "TEMPORAL_NAMESPACE",
    "MEDIA_URL",
    "METRICS_PORT",
)
_WITHOUT_A_PAGE: Final = {Service.KIE: "KIE", Service.OPENAI: "OpenAI"}
_FIRST_ON_THE_CHAT_PAGE: Final = "700000001"
_STARTED_AGAIN: Final = "NEUROCARDS_STARTED_AGAIN"


app = typer.Typer(pretty_exceptions_enable=False, rich_markup_mode=None, add_completion=False)


@app.command()
def main(
    data: Annotated[Path, typer.Option(help="where everything is kept")] = ROOT / ".data",
) -> None:
    """Start it all; Ctrl-C stops it. CHAT_PORT and the like choose other ports, 0 takes a free one."""
    try:
        plan = make_plan(data)
    except WrongSetting as wrong:
        sys.stderr.write(f"{wrong}\n")
        raise typer.Exit(EXIT_WRONG_SETTING) from None
    raise typer.Exit(asyncio.run(run(plan, Console())))


def make_plan(data: Path) -> StackPlan:
    """Raise WrongSetting before anything is started."""
    environment = {name: value for name, value in read_environment().items() if name.isupper()}
    ports = Ports(
        **{name: port_in(environment, f"{name.upper()}_PORT", port) for name, port in _PORTS.items()}
    )
    environment.pop("WEB_PORT", None)  # ours is among the ports
    real = services_with_credentials(environment)
    made_up = made_up_credentials(frozenset(Service) - real, environment)
    if Service.TELEGRAM not in real:
        environment.setdefault("ADMIN_TG_IDS", _FIRST_ON_THE_CHAT_PAGE)
        environment["TELEGRAM_API_BASE"] = "http://127.0.0.1"  # the stand-in's, whose port is not known yet
    load_settings({"KIE_WEBHOOK_SECRET": "made when it starts", **made_up, **environment})
    load_kie_keys(environment)
    return StackPlan(
        folder=data,
        environment=environment,
        real=real,
        ports=ports,
        standin_options={Service.KIE: ["--data", str(data.absolute() / "kie")]},
        web_ui=True,
        metrics=True,
    )


async def run(plan: StackPlan, console: Console) -> int:
    stop = Stop()
    stop.listen()
    signal.signal(signal.SIGTSTP, signal.SIG_IGN)  # stopped servers would only look broken
    progress = ConsoleProgress(console)
    stack = Stack(plan, progress)
    try:
        await _unless_stopped(stack.start(), stop)
    except StopRequested:
        return 0
    except (PortTaken, FolderUnusable) as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_WRONG_SETTING
    except ChildFailed as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_FAILED
    except OSError as error:  # a full disk, a folder that is somebody else's
        where = "" if error.filename else f"{plan.folder}: "
        sys.stderr.write(f"{where}{in_words(error)}\n")
        return EXIT_FAILED
    console.print(_addresses(stack))
    try:
        return await _watch(stack, stop, progress)
    finally:
        progress.say("stopping ...")
        await stack.stop()
        progress.say("stopped; the data is in " + str(stack.folder.path))


async def _unless_stopped(starting: Coroutine[Any, Any, None], stop: Stop) -> None:
    """Ctrl-C while it starts ends what was started so far."""
    start, stopping = asyncio.create_task(starting), asyncio.create_task(stop.wait())
    await asyncio.wait([start, stopping], return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not start.done():
        start.cancel()
        await asyncio.wait([start])
        raise StopRequested
    start.result()


async def _watch(stack: Stack, stop: Stop, progress: ConsoleProgress) -> int:
    """Bot and workers are started again when they end; without a server nothing else makes sense."""
    keepers = [
        asyncio.create_task(program.keep_running(progress.say, partial(_note, stack)))
        for program in stack.programs
    ]
    servers = {asyncio.create_task(child.wait()): child for child in stack.server_children()}
    stopping = asyncio.create_task(stop.wait())
    everything: list[asyncio.Task[Any]] = [stopping, *servers, *keepers]
    done, pending = await asyncio.wait(everything, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    await asyncio.wait(pending)
    if stopping in done:
        return 0
    for keeper in done.intersection(keepers):
        keeper.result()  # raises: a keeper ends no other way
    return _report([child for task, child in servers.items() if task in done])


def _note(stack: Stack) -> None:
    """A disk that is full for a moment ends nothing."""
    with contextlib.suppress(OSError):
        stack.note_children()


def _report(ended: list[Child]) -> int:
    for child in ended:
        sys.stderr.write(f"{child.failed(f'ended with {child.exit_code}')}\n")
    return EXIT_FAILED


def _addresses(stack: Stack) -> Panel:
    if Service.TELEGRAM in stack.standins:
        chat = f"Chat page            {stack.chat_url}  (the first person there is the administrator)"
    else:
        chat = "Chat                 in Telegram, with your bot"
    played = ", ".join(stack.standins) or "nobody: all services are real"
    lines = [
        chat,
        f"Temporal Web UI      {stack.temporal.ui_url}",
        *([f"  it decrypts after  {stack.codec_url}"] if stack.codec_url else []),
        f"Played by stand-ins  {played}",
        *_servers(stack),
        *_metrics(stack),
        f"Data and logs        {_shown(stack.folder.path)}",
        *_left_aside(stack),
        "",
        "Commands beside it, in another terminal:",
        f"  ENV_FILE={_shown(stack.env_path)} .venv/bin/python admin_main.py doctor",
        f"  set -a; . {_shown(stack.env_path)}; set +a; .venv/bin/temporal workflow list",
        "",
        "Ctrl-C stops",
    ]
    return Panel("\n".join(lines), title="Neurocards", expand=False, padding=(1, 2))


def _servers(stack: Stack) -> list[str]:
    """Where everything else listens; passwords are in the file that is named below."""
    played = [
        f"Stand-in for {title:<7} {stack.standins[service].url}"
        for service, title in _WITHOUT_A_PAGE.items()
        if service in stack.standins
    ]
    return [
        f"Bot's web server     http://{LOCALHOST}:{stack.web_port}",
        f"Temporal             {stack.temporal.address}",
        f"PostgreSQL           {LOCALHOST}:{stack.postgres.port}, database {DATABASE}",
        *played,
    ]


def _shown(path: Path) -> str:
    """As it is typed in the project's folder."""
    shown = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
    return shlex.quote(str(shown))


def _metrics(stack: Stack) -> list[str]:
    """Each program has its own, for Prometheus or for the eye."""
    measured = [program for program in stack.programs if program.metrics_url]
    return [f"Metrics of {program.name:<9} {program.metrics_url}" for program in measured]


def _left_aside(stack: Stack) -> list[str]:
    """A setting for other machines must not seem to work here."""
    given = [name for name in _OF_OTHER_MACHINES if name in stack.plan.environment]
    return [f"Not used here        {', '.join(given)}: it brings its own servers"] if given else []


if __name__ == "__main__":
    if is_started_by_make() and _STARTED_AGAIN not in os.environ:
        os.environ[_STARTED_AGAIN] = "1"
        sys.exit(run_in_foreground([sys.executable, *sys.argv]))
    app()
