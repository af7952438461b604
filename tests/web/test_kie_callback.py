"""The route over a real socket, as KIE calls it."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx
import pytest
from pydantic import SecretStr

from clients.kie_callbacks import callback_url
from clients.kie_signatures import callback_signature
from tests.web.serving import serving
from web.health import HealthRoutes, Readiness
from web.kie_callback import BODY_BYTES_MAX, KieCallbackRoute
from web.server import build_app
from workflows.start import Delivered, TemporalUnavailable

ATTEMPT = "abc123-v1-a1"
SECRET = SecretStr("callback secret")
WEBHOOK_SECRET = SecretStr("set up at KIE")
NOW = datetime(2026, 11, 21, 20, 0, tzinfo=UTC)
TASK = "0123456789abcdef0123456789abcdef"
SUCCESS = {"code": 200, "msg": "ok", "data": {"taskId": TASK, "state": "success"}}


@dataclass
class Workflows:
    """Takes signals, as Temporal would."""

    answer: Delivered | TemporalUnavailable = Delivered.DELIVERED
    signals: list[tuple[str, str]] = field(default_factory=list)

    async def signal(self, attempt_id: str, kie_task_id: str) -> Delivered:
        if isinstance(self.answer, TemporalUnavailable):
            raise self.answer
        self.signals.append((attempt_id, kie_task_id))
        return self.answer


@pytest.fixture
def workflows() -> Workflows:
    return Workflows()


@pytest.fixture
async def origin(workflows: Workflows) -> AsyncIterator[str]:
    async def ready() -> Readiness:
        return Readiness()

    route = KieCallbackRoute(SECRET, workflows.signal, WEBHOOK_SECRET, clock=lambda: NOW)
    async with serving(build_app(route, HealthRoutes(ready))) as address:
        yield address


async def call(url: str, content: bytes | str, headers: dict[str, str] | None = None) -> int:
    async with httpx.AsyncClient(timeout=20, trust_env=False) as http:
        return (await http.post(url, content=content, headers=headers)).status_code


@pytest.mark.parametrize(
    "body",
    [
        SUCCESS,
        {"code": 501, "msg": "failed", "data": {"taskId": TASK, "state": "fail", "failCode": "500"}},
        {"code": 200, "data": {"task_id": TASK}},
        {"taskId": TASK},
        {"data": None, "task_id": TASK},
    ],
)
async def test_every_known_shape_wakes_the_workflow(origin: str, workflows: Workflows, body: object) -> None:
    assert await call(callback_url(origin, SECRET, ATTEMPT), json.dumps(body)) == 200
    assert workflows.signals == [(ATTEMPT, TASK)]


async def test_closed_workflow_is_answered_with_success(origin: str, workflows: Workflows) -> None:
    workflows.answer = Delivered.NO_SUCH_WORKFLOW
    assert await call(callback_url(origin, SECRET, ATTEMPT), json.dumps(SUCCESS)) == 200


async def test_kie_is_asked_to_call_again_while_temporal_is_away(origin: str, workflows: Workflows) -> None:
    workflows.answer = TemporalUnavailable("UNAVAILABLE")
    assert await call(callback_url(origin, SECRET, ATTEMPT), json.dumps(SUCCESS)) == 503


@pytest.mark.parametrize(
    "path", ["/kie/abc123-v1-a1/0000", "/kie/abc123-v1-a1/ä", "/kie/abc123-v1-a1/", "/kie", "/"]
)
async def test_wrong_token_finds_nothing(origin: str, workflows: Workflows, path: str) -> None:
    assert await call(origin + path, json.dumps(SUCCESS)) == 404
    assert not workflows.signals


async def test_token_of_another_attempt_finds_nothing(origin: str, workflows: Workflows) -> None:
    url = callback_url(origin, SECRET, "abc123-v1-a2").replace("-a2", "-a1")
    assert await call(url, json.dumps(SUCCESS)) == 404
    assert not workflows.signals


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no json",
        b"\xff\xfe",
        b"[]",
        b"null",
        b'"text"',
        b"{}",
        b'{"data": []}',
        b'{"data": {"taskId": 7}}',
        b'{"data": {"taskId": ""}}',
        b'{"data": {"taskId": "a b"}}',
        b'{"taskId": "' + b"a" * 129 + b'"}',
        b"[" * 60_000,
    ],
)
async def test_malformed_body(origin: str, workflows: Workflows, body: bytes) -> None:
    assert await call(callback_url(origin, SECRET, ATTEMPT), body) == 400
    assert not workflows.signals


async def test_body_has_a_limit(origin: str, workflows: Workflows) -> None:
    body = json.dumps({**SUCCESS, "param": "x" * BODY_BYTES_MAX})
    assert await call(callback_url(origin, SECRET, ATTEMPT), body) == 413
    assert not workflows.signals


def signed(timestamp: str, secret: SecretStr = WEBHOOK_SECRET) -> dict[str, str]:
    signature = callback_signature(secret, TASK, timestamp)
    return {"X-Webhook-Signature": signature, "X-Webhook-Timestamp": timestamp}


def at(offset_seconds: int) -> str:
    return str(int(NOW.timestamp()) + offset_seconds)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (signed(at(0)), 200),
        (signed(at(-300)), 200),
        (signed(at(-301)), 403),
        (signed(at(301)), 403),
        (signed(at(0), SecretStr("another")), 403),
        ({**signed(at(0)), "X-Webhook-Timestamp": at(-1)}, 403),
        ({**signed(at(0)), "X-Webhook-Timestamp": "now"}, 403),
        ({"X-Webhook-Signature": "x"}, 403),
    ],
)
async def test_signature_where_there_is_one(
    origin: str, workflows: Workflows, headers: dict[str, str], status: int
) -> None:
    assert await call(callback_url(origin, SECRET, ATTEMPT), json.dumps(SUCCESS), headers) == status
    assert bool(workflows.signals) is (status == 200)


async def test_only_post_is_answered(origin: str) -> None:
    async with httpx.AsyncClient(timeout=20, trust_env=False) as http:
        assert (await http.get(callback_url(origin, SECRET, ATTEMPT))).status_code == 405
