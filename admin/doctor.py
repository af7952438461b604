"""doctor: every setting and every outside service tried, one line each, and what to do."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Annotated, Final

import typer
from rich.text import Text

from admin.console import AsJson, say, show, show_json, table
from admin.doctor_database import examine_database
from admin.doctor_logins import examine_backup_login, examine_owner
from admin.doctor_services import (
    examine_backups,
    examine_disk,
    examine_kie,
    examine_media,
    examine_openai,
    examine_public_address,
    examine_telegram,
)
from admin.doctor_settings import SettingLine, examine_settings, setting_lines
from admin.doctor_sight import examine_codec, examine_traces, examine_web_ui
from admin.doctor_temporal import examine_temporal
from admin.findings import Finding, Level, examine
from admin.timeline import counted
from admin.tools import Tools, run
from serving import EXIT_FAILED

app = typer.Typer()

_EXAMINED: Final[dict[str, Callable[[Tools], Awaitable[Iterable[Finding]]]]] = {
    "PostgreSQL": examine_database,
    "DATABASE_OWNER_URL": examine_owner,
    "BACKUP_DATABASE_URL": examine_backup_login,
    "Temporal": examine_temporal,
    "TEMPORAL_UI_URL": examine_web_ui,
    "payload codec": examine_codec,
    "OTEL_EXPORTER_OTLP_ENDPOINT": examine_traces,
    "Telegram": examine_telegram,
    "KIE": examine_kie,
    "OpenAI": examine_openai,
    "MEDIA_URL": examine_media,
    "BACKUP_URL": examine_backups,
    "disk": examine_disk,
    "PUBLIC_BASE_URL": examine_public_address,
}
_STYLES: Final = {Level.OK: "green", Level.WARNING: "yellow", Level.WRONG: "bold red"}


@app.command()
def doctor(
    *,
    settings: Annotated[bool, typer.Option("--settings", help="list every setting, too")] = False,
    as_json: AsJson = False,
) -> None:
    """Try every setting and every outside service, and say what to do; 1 where something is wrong."""
    run(lambda tools: _doctor(tools, lists=settings, as_json=as_json))


async def _doctor(tools: Tools, *, lists: bool, as_json: bool) -> int:
    tried = await asyncio.gather(*(examine(what, partial(look, tools)) for what, look in _EXAMINED.items()))
    findings = [*examine_settings(tools.settings), *(finding for each in tried for finding in each)]
    lines = setting_lines(tools.settings)
    if as_json:
        show_json({"findings": findings, "settings": lines})
    else:
        _show(findings, lines if lists else [])
    return EXIT_FAILED if any(finding.level is Level.WRONG for finding in findings) else 0


def _show(findings: list[Finding], lines: list[SettingLine]) -> None:
    if lines:
        listed = table("setting", "value", "")
        for line in lines:
            listed.add_row(line.name, line.value, "default" if line.is_default else "")
        show(listed, Text())
    shown = table("", "what", "how it is")
    for finding in findings:
        said = f"{finding.said}\n→ {finding.do}" if finding.do else finding.said
        shown.add_row(Text(finding.level.value, style=_STYLES[finding.level]), finding.what, said)
    show(shown)
    say(_sum(findings))


def _sum(findings: list[Finding]) -> str:
    wrong = sum(finding.level is Level.WRONG for finding in findings)
    warnings = sum(finding.level is Level.WARNING for finding in findings)
    if not wrong and not warnings:
        return "all well"
    return f"{counted(wrong, 'thing')} wrong, {counted(warnings, 'warning')}"
