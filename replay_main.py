"""Replays one workflow with the code of today: `make replay ID=order-… | FILE=history.json`."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import typer
from temporalio.client import Client, WorkflowHistory
from temporalio.runtime import LoggingConfig, Runtime, TelemetryConfig, TelemetryFilter

from admin.console import EXIT_INTERRUPTED, check_words, end, fail, say, show_json
from environment import WrongSetting
from replaying import CannotReplay, Differs, fetch, read, replay, workflow_id_of
from serving import NotYet, reach_temporal, temporal_converter
from settings import Settings, load_settings

EXIT_DIFFERS: Final = 1
EXIT_CANNOT: Final = 2
# The SDK's threads let go of Python, or the process sometimes aborts at its very end.
_LAST_PAUSE_SECONDS: Final = 0.5

app = typer.Typer(pretty_exceptions_enable=False, rich_markup_mode=None, add_completion=False)


@app.command()
def main(
    id: Annotated[str, typer.Option(help="a workflow, an order, a video or an attempt")] = "",  # noqa: A002 - what people type
    file: Annotated[str, typer.Option(help="a history from the Web UI or `workflow show -o json`")] = "",
    run: Annotated[str, typer.Option(help="of several runs with this id, that one")] = "",
    data: Annotated[str, typer.Option(help="the data folder of a `make run` that is stopped")] = "",
    *,
    debug: Annotated[bool, typer.Option("--debug", help="stop at breakpoint() in workflows")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="for programs")] = False,
) -> None:
    """0: code and history agree. 1: they differ. 2: there is nothing to replay."""
    if bool(id) == bool(file):
        fail("say which one: ID=order-… or FILE=history.json")
        raise typer.Exit(EXIT_CANNOT)
    wanted = _Wanted(workflow_id_of(id), file, run, data, debug=debug, as_json=as_json)
    raise typer.Exit(end(_code_of(wanted)))


def _code_of(wanted: "_Wanted") -> int:
    try:
        asyncio.run(_replay(load_settings(), wanted))
    except (CannotReplay, WrongSetting) as missing:
        fail(str(missing))
        return EXIT_CANNOT
    except Differs as differs:
        fail(f"{wanted.file or wanted.workflow_id} does not replay: {differs}")
        return EXIT_DIFFERS
    except KeyboardInterrupt:
        fail("interrupted")
        return EXIT_INTERRUPTED
    return 0


@dataclass(frozen=True, slots=True)
class _Wanted:
    workflow_id: str
    file: str
    run_id: str
    data: str
    debug: bool
    as_json: bool


async def _replay(settings: Settings, wanted: _Wanted) -> None:
    Runtime.set_default(_quiet_runtime())
    converter = temporal_converter(settings.temporal_payload_key)
    try:
        history = read(Path(wanted.file)) if wanted.file else await _fetch(settings, wanted)
        replayed = await replay(history, converter, debug=wanted.debug)
        if wanted.as_json:
            show_json(replayed)
        else:
            say("\n".join(replayed.lines()))
    finally:
        await asyncio.sleep(_LAST_PAUSE_SECONDS)


async def _fetch(settings: Settings, wanted: _Wanted) -> WorkflowHistory:
    async with AsyncExitStack() as stack:
        if wanted.data:
            settings = await stack.enter_async_context(_stored(settings, Path(wanted.data)))
        return await fetch(await _client(settings), wanted.workflow_id, wanted.run_id)


async def _client(settings: Settings) -> Client:
    try:
        return await reach_temporal(settings)
    except NotYet as missing:
        raise CannotReplay(f"cannot go on without {missing}") from None


@asynccontextmanager
async def _stored(settings: Settings, folder: Path) -> AsyncIterator[Settings]:
    """The Temporal server of a `make run`, only for the moment. What runs has its own, on its own port."""
    from local.folder import DataFolder, FolderInUse, FolderUnusable  # noqa: PLC0415 - of one machine; no image has it
    from local.processes import ChildFailed  # noqa: PLC0415
    from local.temporal import NAMESPACE, TemporalServer  # noqa: PLC0415

    if not (folder / "temporal" / "temporal.sqlite").exists():
        raise CannotReplay(f"{folder} is not the data of a make run")
    owned = DataFolder(folder)
    try:
        owned.take()
    except FolderInUse:
        raise CannotReplay(f"Neurocards runs on {folder}: leave DATA out, its server is there") from None
    except FolderUnusable as error:
        raise CannotReplay(str(error)) from None
    server = TemporalServer(folder / "temporal", ui_port=None)
    try:
        await server.start()
        yield settings.model_copy(
            update={"temporal_address": server.address, "temporal_namespace": NAMESPACE}
        )
    except ChildFailed as failed:
        first_line, _, _ = str(failed).partition("\n")
        raise CannotReplay(f"Temporal cannot read what it stored in {folder}: {first_line}") from None
    finally:
        await server.stop()
        owned.release()


def _quiet_runtime() -> Runtime:
    """What the SDK logs of a history that differs is said in one sentence here."""
    quiet = TelemetryFilter(core_level="OFF", other_level="OFF")
    return Runtime(telemetry=TelemetryConfig(logging=LoggingConfig(filter=quiet)))


if __name__ == "__main__":
    check_words(sys.argv[1:])
    app()
