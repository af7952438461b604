"""models: the catalogue as this installation uses it, and the marks of models that rest."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import typer
from rich.text import Text

from admin.console import AsJson, By, Refused, actor, say, show, show_json, table
from admin.tools import Tools, run
from domain.accounts import ModelMark
from domain.clock import utc_now
from domain.video_models import CATALOGUE, VideoModel
from store.accounts import Accounts
from store.audit import AuditLog

app = typer.Typer(name="models", help="Show the video models; take the mark from one that rests.")


@dataclass(frozen=True, slots=True)
class ModelLine:
    """`preference` 1 is asked first; 0: VIDEO_MODELS does not name it."""

    slug: str
    preference: int
    state: str
    rests_until: datetime | None
    reason: str
    video_seconds: int
    kie_credits: float
    sound: bool
    aspect_ratios: tuple[str, ...]
    prompt_chars_max: int
    typical_seconds: float


@app.callback(invoke_without_command=True)
def models(context: typer.Context, *, as_json: AsJson = False) -> None:
    if context.invoked_subcommand is None:
        run(lambda tools: _show(tools, as_json=as_json), only_reads=True)


@app.command()
def unmark(
    slug: Annotated[str, typer.Argument(metavar="MODEL", help="as `models` shows it")],
    *,
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Try a video model again now, before its rest is over."""
    run(lambda tools: _unmark(tools, slug, actor(by), as_json=as_json))


async def _show(tools: Tools, *, as_json: bool) -> None:
    marks = {
        mark.video_model: mark for mark in await Accounts(await tools.database(), utc_now, ()).model_marks()
    }
    preferred = tools.settings.preferred_models
    order = [*preferred, *(slug for slug in CATALOGUE if slug not in preferred)]
    lines = [_line(CATALOGUE[slug], preferred, marks.get(slug)) for slug in order]
    if as_json:
        show_json({"models": lines})
    else:
        _show_table(lines)


def _line(model: VideoModel, preferred: tuple[str, ...], mark: ModelMark | None) -> ModelLine:
    used = model.slug in preferred
    state = "rests" if mark else "unused" if not used else "serves" if model.live else "paused"
    return ModelLine(
        slug=model.slug,
        preference=preferred.index(model.slug) + 1 if used else 0,
        state=state,
        rests_until=mark.unavailable_until if mark else None,
        reason=mark.reason if mark else "",
        video_seconds=model.video_seconds,
        kie_credits=model.kie_credits,
        sound=model.sound,
        aspect_ratios=tuple(model.aspect_ratios),
        prompt_chars_max=model.prompt_chars_max,
        typical_seconds=model.typical_seconds,
    )


def _show_table(lines: list[ModelLine]) -> None:
    shown = table("", "video model", "state", "clip", "KIE credits", "sound", "formats", "prompt")
    shown.columns[1].no_wrap = True
    for line in lines:
        until = f"\nuntil {line.rests_until:%m-%d %H:%M} UTC {line.reason}" if line.rests_until else ""
        shown.add_row(
            str(line.preference or ""),
            line.slug,
            Text(f"{line.state}{until}", style=_STYLES.get(line.state, "")),
            f"{line.video_seconds} s",
            f"{line.kie_credits:g}",
            "yes" if line.sound else "",
            " ".join(line.aspect_ratios) or "the photo's",
            f"{line.prompt_chars_max}",
        )
    show(shown)


async def _unmark(tools: Tools, slug: str, by: str, *, as_json: bool) -> None:
    database = await tools.database()
    if slug not in CATALOGUE:
        raise Refused(f"{slug} is no video model of the catalogue: {', '.join(CATALOGUE)}")
    lifted = await Accounts(database, utc_now, ()).lift_mark(slug)
    if not lifted:
        raise Refused(f"{slug} is not marked: see models")
    await AuditLog(database, utc_now).write_down(by, "unmark-model", slug, {})
    if as_json:
        show_json({"slug": slug, "unmarked": True})
    else:
        say(f"{slug} is asked again; KIE marks it once more if it still rests")


_STYLES = {"serves": "green", "rests": "red", "paused": "yellow"}
