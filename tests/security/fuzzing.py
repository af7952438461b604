"""Requests that nobody should get anything for, as bytes. The same seed makes the same ones."""

import base64
import gzip
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from pydantic import SecretStr

from clients.kie_callbacks import CALLBACK_PATH, callback_token
from clients.kie_signatures import callback_signature
from clients.telegram_webhooks import SECRET_HEADER, WEBHOOK_PATH, webhook_digest

METHODS: Final = (
    "GET",
    "HEAD",
    "PUT",
    "DELETE",
    "PATCH",
    "OPTIONS",
    "TRACE",
    "CONNECT",
    "post",
    "POST\x00",
    "",
)
HUGE: Final = (2**63, -(2**63) - 1, 2**64, 10**30, 10**400)
KINDS_OF_NOBODY: Final = ("poll", "inline_query", "chat_boost", "kind_of_next_year", "\x00", "message\x00")
Headers = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Fuzzed:
    kind: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Known:
    """What the attacker knows; he is given more than he could."""

    webhook_secret: SecretStr
    callback_secret: SecretStr
    attempt_id: str
    other_attempt_id: str
    tg_user_id: int
    now: datetime


class Fuzzer:
    def __init__(self, seed: int, known: Known) -> None:
        self._random = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret
        self._known = known
        self._hook = f"{WEBHOOK_PATH}/{webhook_digest(known.webhook_secret)}"
        self._right = (SECRET_HEADER, known.webhook_secret.get_secret_value())

    def requests(self, count: int) -> Iterator[Fuzzed]:
        kinds: tuple[Callable[[], bytes], ...] = (
            *(self.wrong_secret, self.unreadable_update, self.impossible_numbers, self.kind_of_nobody),
            *(self.wrong_token, self.unreadable_callback, self.wrong_signature),
            *(self.method, self.path, self.head_flood, self.framing, self.no_http),
        )
        for number in range(count):
            make = kinds[number % len(kinds)]
            yield Fuzzed(make.__name__, make())

    # -- Telegram's address

    def wrong_secret(self) -> bytes:
        """A good update, but not from Telegram."""
        secret = self._right[1]
        wrong = [
            *("", " ", secret[:-1], secret[1:], secret + "x", f"{secret} {secret}", secret.upper(), "null"),
            *(
                secret[::-1],
                secret.replace("a", "а"),
                f"{secret},{secret}",
                self._word(),
                webhook_digest(SecretStr("x")),
            ),
        ]
        headers = [] if self._maybe() else [(SECRET_HEADER, self._random.choice(wrong))]
        headers += [("authorization", f"Bearer {secret}")] if self._maybe() else []
        path = f"{self._hook}?{SECRET_HEADER}={secret}" if self._maybe() else self._hook
        return request("POST", path, headers, _json(self._update()))

    def unreadable_update(self) -> bytes:
        return request("POST", self._hook, [self._right, *self._types()], self._unreadable())

    def impossible_numbers(self) -> bytes:
        huge = self._random.choice(HUGE)
        update = self._update()
        person, chat = update["message"]["from"], update["message"]["chat"]
        if self._maybe():
            update["update_id"] = huge
        else:
            chat["id"] = person["id"] = huge
        if self._maybe():
            query = {"id": "1", "from": {**person, "id": huge}, "chat_instance": "1", "data": "menu"}
            update = {"update_id": 7, "callback_query": query}
        return request("POST", self._hook, [self._right], _json(update))

    def kind_of_nobody(self) -> bytes:
        kind = self._random.choice(KINDS_OF_NOBODY)
        update = {"update_id": self._number(), kind: self._anything(3)}
        return request("POST", self._hook, [self._right], _json(update))

    # -- KIE's address

    def wrong_token(self) -> bytes:
        known = self._known
        token = callback_token(known.callback_secret, known.attempt_id)
        other = callback_token(known.callback_secret, known.other_attempt_id)
        empty = callback_token(SecretStr(""), known.attempt_id)
        attempt_id = self._random.choice(
            [known.attempt_id, known.attempt_id.upper(), f"{known.attempt_id}%00", "%2e%2e", self._word()]
        )
        wrong = [
            other,
            empty,
            token[:-1],
            token[:32],
            token + "0",
            token.upper(),
            "%00",
            "..",
            "*",
            self._word(),
        ]
        path = f"{CALLBACK_PATH}/{attempt_id}/{self._random.choice(wrong)}"
        return request("POST", path, [], self._success())

    def unreadable_callback(self) -> bytes:
        forged = {
            "data": {"taskId": self._random.choice(["", "../x", "a b", "\x00", 7, None, "x" * 200, "é"])}
        }
        body = _json(forged) if self._maybe() else self._unreadable()
        return request("POST", self._callback(), self._types(), body)

    def wrong_signature(self) -> bytes:
        """The address is right; the task is not the one that was signed, nor the secret, nor the time."""
        known, now = self._known, int(self._known.now.timestamp())
        task_id, secret, at = self._random.choice(
            [
                ("another-task", known.callback_secret, str(now)),
                ("forged", SecretStr(self._word()), str(now)),
                ("forged", known.callback_secret, str(now - 4_000)),
                ("forged", known.callback_secret, str(now + 4_000)),
            ]
        )
        signature = callback_signature(secret, task_id, at)
        shown = self._random.choice([signature, signature[:-1], "", "=", self._word()])
        headers = [("x-webhook-signature", shown)]
        if self._maybe():
            headers.append(
                ("x-webhook-timestamp", at if self._maybe() else self._random.choice(["", "nan", "9" * 99]))
            )
        return request("POST", self._callback(), headers, self._success())

    # -- either, or neither

    def method(self) -> bytes:
        path = self._hook if self._maybe() else self._callback()
        headers = [self._right, ("x-http-method-override", "POST")]
        return request(self._random.choice(METHODS), path, headers, self._success())

    def path(self) -> bytes:
        """The secret is right, the address is not."""
        start = self._hook if self._maybe() else self._callback()
        tricks = [
            *(
                f"{start}/",
                f"/{start}",
                f"{start}/../x",
                f"{start}%2f..",
                f"{start};a=b",
                f"{start}%00",
                f"{start}.",
            ),
            *(start.swapcase(), start[:-1], start.replace("/", "//"), start.replace("/", "\\"), f"/.{start}"),
            *(
                f"http://127.0.0.1:1{start}x",
                "*",
                "/",
                "/../../etc/passwd",
                "/%c0%ae%c0%ae/",
                "/health/../ready/x",
            ),
            *(f"/{'a' * 50_000}", f"{start}{'/x' * 5_000}", f"/{'%25' * 3_000}"),
        ]
        return request("POST", self._random.choice(tricks), [self._right], _json(self._anything(2)))

    def head_flood(self) -> bytes:
        floods: list[Headers] = [
            [(f"x-{number}", self._word()) for number in range(3_000)],
            [("x-long", "x" * 200_000)],
            [(SECRET_HEADER, self._word())] * 500,
            [("cookie", "a=b; " * 5_000)],
            [("x-" + "n" * 60_000, "x")],
        ]
        return request("POST", self._hook, self._random.choice(floods), _json(self._update()))

    def framing(self) -> bytes:
        """Lengths that lie, and bodies that hide a second request."""
        body = self._success()
        hidden = request("POST", self._hook, [(SECRET_HEADER, self._word())], _json(self._update()))
        framings: list[Headers] = [
            [("content-length", str(len(body) + 1_000))],
            [("content-length", "-1")],
            [("content-length", "9" * 30)],
            [("content-length", "0x10")],
            [("content-length", "3"), ("content-length", str(len(body)))],
            [("content-length", "5"), ("transfer-encoding", "chunked")],
            [("transfer-encoding", "chunked, chunked")],
            [("transfer-encoding", "\x0bchunked")],
            [("transfer-encoding", "gzip")],
            [("transfer-encoding", "chunked")],
            [("expect", "100-continue"), ("content-length", "999999999")],
        ]
        path = f"{self._hook}x" if self._maybe() else self._callback() + "0"
        return _head("POST", path, self._random.choice(framings)) + body + hidden

    def no_http(self) -> bytes:
        return self._random.choice(
            [
                self._random.randbytes(self._random.randrange(1, 3_000)),
                b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + self._random.randbytes(400),
                f"POST {self._hook}\r\n".encode(),
                f"POST {self._hook} HTTP/9.9\r\n\r\n".encode(),
                b"\r\n" * 2_000,
                b"\x00" * 5_000,
                f"POST {self._hook} HTTP/1.1\r\nhost: x\r\n x: folded\r\n\r\n".encode(),
            ]
        )

    # -- parts

    def _callback(self) -> str:
        known = self._known
        return f"{CALLBACK_PATH}/{known.attempt_id}/{callback_token(known.callback_secret, known.attempt_id)}"

    def _success(self) -> bytes:
        return _json({"code": 200, "data": {"taskId": f"forged{self._number()}", "state": "success"}})

    def _update(self) -> dict[str, Any]:
        person = {"id": self._known.tg_user_id, "is_bot": False, "first_name": "Eve\x00"}
        chat = {"id": self._known.tg_user_id, "type": "private", "first_name": "Eve"}
        message = {"message_id": self._number(), "date": 1, "chat": chat, "from": person, "text": "/start"}
        return {"update_id": self._number(), "message": message}

    def _unreadable(self) -> bytes:
        good = _json(self._update())
        return self._random.choice(
            [
                self._random.randbytes(self._random.randrange(0, 2_000)),
                good[: self._random.randrange(len(good))],
                b"[" * 60_000,
                b'{"a":' * 9_000 + b"1" + b"}" * 9_000,
                b"x" * 1_100_000,
                b'{"update_id": ' + b"9" * 60_000 + b"}",
                gzip.compress(good, mtime=0),
                base64.b64encode(good),
                good.decode().encode("utf-16"),
                b'{"update_id": NaN, "message": Infinity}',
                b'{"update_id": 1, "message": "\\ud800"}',
                _json(self._anything(4)),
                _json([self._update()]),
                _json({"update_id": str(self._number()), "message": self._anything(3)}),
                _json({**self._update(), "update_id": None}),
            ]
        )

    def _anything(self, depth: int) -> Any:
        """Any JSON, none of which holds a task of KIE's or a message of Telegram's."""
        if depth == 0 or self._random.random() < 0.2:
            return self._random.choice(
                [
                    None,
                    True,
                    False,
                    0,
                    -1,
                    1.5e300,
                    "",
                    "\x00",
                    "\u202e",
                    "'; drop table users; --",
                    "{{7*7}}",
                    *HUGE,
                ]
            )
        if self._maybe():
            return [self._anything(depth - 1) for _ in range(self._random.randrange(4))]
        return {self._word(): self._anything(depth - 1) for _ in range(self._random.randrange(4))}

    def _types(self) -> Headers:
        found = self._random.choice(
            [
                ("content-type", "application/json"),
                ("content-type", "application/x-www-form-urlencoded"),
                ("content-type", "multipart/form-data; boundary=x"),
                ("content-type", "text/plain; charset=utf-7"),
                ("content-type", ""),
                ("content-encoding", "gzip"),
                ("content-encoding", "br, gzip, deflate"),
            ]
        )
        return [found]

    def _maybe(self) -> bool:
        return self._random.random() < 0.5

    def _number(self) -> int:
        return self._random.randrange(1, 2**31)

    def _word(self) -> str:
        return f"{self._random.getrandbits(128):032x}"


def request(method: str, path: str, headers: Headers, body: bytes) -> bytes:
    return _head(method, path, [*headers, ("content-length", str(len(body)))]) + body


def _head(method: str, path: str, headers: Headers) -> bytes:
    lines = [
        f"{method} {path} HTTP/1.1",
        "host: bot.example",
        *(f"{name}: {value}" for name, value in headers),
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()
