"""`doctor` asks the Web UI, the bot's codec and a collector of traces as they are asked in earnest."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from admin.doctor_sight import COMPOSE_CODEC, COMPOSE_UI, examine_codec, examine_traces, examine_web_ui
from admin.findings import Finding, Level
from bot_serving import codec_routes
from local.processes import LOCALHOST, free_port
from local.temporal import TemporalServer
from settings import load_settings
from tests.admin.test_doctor import NOWHERE, tools
from tests.telemetry.collector import collecting
from tests.web.serving import serving

COMPOSE: Final = Path(__file__).parents[2] / "docker-compose.yml"
UI: Final = "http://localhost:8233"
KEYS: Final = {
    "TEMPORAL_PAYLOAD_KEY": "k1:" + base64.b64encode(b"k" * 32).decode(),
    "CODEC_TOKEN": "the-token-of-the-engineers-123",
    "TEMPORAL_UI_URL": UI,
}
OTHER_KEY: Final = "k2:" + base64.b64encode(b"o" * 32).decode()


@asynccontextmanager
async def bots_codec(**environment: str) -> AsyncIterator[str]:
    """Its port, as WEB_PORT has it."""
    routes = codec_routes(load_settings({**KEYS, **environment}))
    async with serving(Starlette(routes=routes.routes() if routes is not None else [])) as origin:
        yield origin.rpartition(":")[2]


async def asked(port: str, **environment: str) -> Finding:
    (found,) = await examine_codec(tools(**{**KEYS, "WEB_PORT": port, **environment}))
    return found


async def test_the_bots_codec_decrypts_what_is_encrypted_here() -> None:
    async with bots_codec() as port:
        found = await asked(port)
    assert (found.level, f":{port}/codec decrypts" in found.said) == (Level.OK, True), found


@pytest.mark.parametrize(
    ("of_the_bot", "said"),
    [
        ({"CODEC_TOKEN": "another-token-than-the-engineers"}, "refuses CODEC_TOKEN"),
        ({"TEMPORAL_UI_URL": "http://ui.example.com"}, "refuses pages of TEMPORAL_UI_URL"),
        ({"CODEC_TOKEN": ""}, "is no codec"),
        ({"TEMPORAL_PAYLOAD_KEY": OTHER_KEY}, "cannot decrypt what is encrypted here"),
    ],
)
async def test_a_bot_that_was_set_up_otherwise_is_wrong(of_the_bot: dict[str, str], said: str) -> None:
    async with bots_codec(**of_the_bot) as port:
        found = await asked(port)
    assert (found.level, said in found.said, bool(found.do)) == (Level.WRONG, True, True), found
    assert KEYS["CODEC_TOKEN"] not in str(found)


async def test_something_else_at_the_codecs_place_is_wrong() -> None:
    async def decode(_: Any) -> Response:
        return PlainTextResponse("welcome")

    async with serving(Starlette(routes=[Route("/codec/decode", decode, methods=["POST"])])) as origin:
        found = await asked(origin.rpartition(":")[2])
    assert (found.level, "is no codec" in found.said) == (Level.WRONG, True), found


async def test_a_bot_that_is_away_is_a_warning_here_and_nothing_in_a_container() -> None:
    port = str(free_port())
    here = await asked(port, TEMPORAL_ADDRESS="localhost:7233")
    container = await asked(port, TEMPORAL_ADDRESS="temporal:7233")
    assert (here.level, bool(here.do)) == (Level.WARNING, True)
    assert (container.level, "not tried" in container.said) == (Level.OK, True)


async def test_the_token_goes_to_nobody_who_is_only_said_to_be_the_codec() -> None:
    """Whatever answers as the Web UI could name itself."""

    async def ui(_: Any) -> Response:
        return JSONResponse({"Version": "2", "Codec": {"Endpoint": "http://elsewhere.example.com/codec"}})

    async with serving(Starlette(routes=[Route("/api/v1/settings", ui)])) as origin:
        found = await asked(str(free_port()), TEMPORAL_UI_URL=origin)
    assert (found.level, "not tried from here" in found.said) == (Level.OK, True), found


async def test_payloads_that_are_not_encrypted_and_those_that_nobody_shows() -> None:
    (off,) = await examine_codec(tools())
    (unseen,) = await examine_codec(tools(TEMPORAL_PAYLOAD_KEY=KEYS["TEMPORAL_PAYLOAD_KEY"]))
    assert ("not set" in off.said, "without CODEC_TOKEN" in unseen.said) == (True, True)
    assert {off.level, unseen.level} == {Level.OK}


async def test_the_web_ui_says_where_its_pages_ask(tmp_path: Path) -> None:
    """Temporal's own, and the bot as it is told of its origin."""
    ui_port = free_port()
    ui = f"http://{LOCALHOST}:{ui_port}"
    async with bots_codec(TEMPORAL_UI_URL=ui) as port:
        codec_url = f"http://{LOCALHOST}:{port}/codec"
        server = TemporalServer(tmp_path / "temporal", ui_port=ui_port, codec_url=codec_url)
        await server.start()
        (shown,) = await examine_web_ui(tools(**{**KEYS, "TEMPORAL_UI_URL": ui}))
        found = await asked(str(free_port()), TEMPORAL_UI_URL=ui)
        await server.stop()
    assert (shown.level, "version 2." in shown.said) == (Level.OK, True), shown
    assert (found.level, f"{codec_url} decrypts" in found.said) == (Level.OK, True), found


async def test_a_web_ui_without_codec_shows_nothing_of_what_is_encrypted(temporal_ui: str) -> None:
    (plain,) = await examine_web_ui(tools(TEMPORAL_UI_URL=temporal_ui))
    (encrypted,) = await examine_web_ui(tools(**{**KEYS, "TEMPORAL_UI_URL": temporal_ui}))
    assert plain.level is Level.OK
    assert (encrypted.level, "asks nobody" in encrypted.said) == (Level.WARNING, True)


async def test_a_login_in_front_of_the_web_ui_is_well_and_another_page_is_not() -> None:
    async def login(_: Any) -> Response:
        return Response(status_code=401)

    async def shop(_: Any) -> Response:
        return JSONResponse({"sells": "socks"})

    found = [await behind(login), await behind(shop)]
    assert [each.level for each in found] == [Level.OK, Level.WARNING]
    assert "is no Web UI" in found[1].said


async def behind(page: Any) -> Finding:
    async with serving(Starlette(routes=[Route("/api/v1/settings", page)])) as origin:
        (found,) = await examine_web_ui(tools(TEMPORAL_UI_URL=origin))
    return found


async def test_a_web_ui_that_is_away_is_a_warning_here_and_nothing_in_a_container() -> None:
    (here,) = await examine_web_ui(tools(TEMPORAL_UI_URL=NOWHERE, TEMPORAL_ADDRESS="127.0.0.1:7233"))
    (container,) = await examine_web_ui(tools(TEMPORAL_UI_URL=NOWHERE, TEMPORAL_ADDRESS="temporal:7233"))
    assert (here.level, container.level) == (Level.WARNING, Level.OK)


def test_docker_names_them_so() -> None:
    services = yaml.safe_load(COMPOSE.read_text())["services"]
    assert COMPOSE_UI == "http://temporal-ui:8080"
    assert services["temporal-ui"]["ports"] == ["127.0.0.1:8233:8080"]
    port = services["bot"]["environment"]["WEB_PORT"]
    assert f"http://bot:{port}/codec" == COMPOSE_CODEC


async def test_a_collector_takes_traces() -> None:
    with collecting() as collector:
        (found,) = await examine_traces(tools(OTEL_EXPORTER_OTLP_ENDPOINT=collector.url))
        (elsewhere,) = await examine_traces(tools(OTEL_EXPORTER_OTLP_ENDPOINT=f"{collector.url}/otlp"))
    assert (found.level, collector.spans) == (Level.OK, [])
    assert (elsewhere.level, "answers 404" in elsewhere.said) == (Level.WARNING, True)


async def test_without_a_collector_orders_go_on() -> None:
    (away,) = await examine_traces(tools(OTEL_EXPORTER_OTLP_ENDPOINT=NOWHERE))
    assert (away.level, "without traces" in away.do) == (Level.WARNING, True)
    assert await examine_traces(tools()) == []


@pytest.fixture
async def temporal_ui(tmp_path: Path) -> AsyncIterator[str]:
    server = TemporalServer(tmp_path / "temporal")
    await server.start()
    yield server.ui_url
    await server.stop()
