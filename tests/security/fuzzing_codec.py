"""Requests at `/codec/decode` that nobody should get a payload opened for; the same for the same seed."""

import base64
import json
import random
from collections.abc import Callable, Iterator
from typing import Any, Final

from temporalio.api.common.v1 import Payload

from tests.security.fuzzing import Fuzzed, Headers, request
from web.codec import CODEC_PATH, COOKIE

DECODE: Final = f"{CODEC_PATH}/decode"


class CodecFuzzer:
    """Knows the token, the address of the Web UI, and a payload that can be opened."""

    def __init__(self, seed: int, token: str, ui_origin: str, sealed: Payload) -> None:
        self._random = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret
        self._token = token
        self._ui_origin = ui_origin
        self._sealed = sealed
        self._body = body_of(sealed)

    def requests(self, count: int) -> Iterator[Fuzzed]:
        kinds: tuple[Callable[[], bytes], ...] = (
            self.wrong_token,
            self.wrong_origin,
            self.unreadable_payloads,
        )
        for number in range(count):
            make = kinds[number % len(kinds)]
            yield Fuzzed(make.__name__, make())

    def wrong_token(self) -> bytes:
        """The page is the Web UI's, or there is none; nobody is signed in."""
        token = self._token
        guess = self._random.choice(
            ["", token[:-1], token + "x", token.upper(), token[::-1], f"{token} {token}", "null", "*", "\x00"]
        )
        headers: Headers = self._random.choice(
            [
                [("authorization", f"Bearer {guess}")],
                [("authorization", guess)],
                [("authorization", f"Basic {base64.b64encode(token.encode()).decode()}")],
                [("cookie", f"{COOKIE}={guess}")],
                [("cookie", f"{COOKIE}={token}"), ("origin", self._ui_origin)],
                [("cookie", f"{COOKIE}={2**40}.{'0' * 64}"), ("origin", self._ui_origin)],
                [("x-authorization", f"Bearer {token}")],
            ]
        )
        return request("POST", self._random.choice([DECODE, f"{DECODE}?token={token}"]), headers, self._body)

    def wrong_origin(self) -> bytes:
        """The token is right, the page that asks is not ours."""
        origin = self._random.choice(
            [
                "null",
                "",
                "https://evil.example",
                f"{self._ui_origin}.evil.example",
                f"{self._ui_origin}/",
                "*",
            ]
        )
        return request("POST", DECODE, [("origin", origin), self._right()], self._body)

    def unreadable_payloads(self) -> bytes:
        """From who may ask: whatever is in them, it is answered."""
        return request("POST", DECODE, [self._right()], self._unreadable())

    def _right(self) -> tuple[str, str]:
        return ("authorization", f"Bearer {self._token}")

    def _unreadable(self) -> bytes:
        encrypted = base64.b64encode(b"binary/encrypted").decode()
        metadata: dict[str, Any] = {"encoding": encrypted, "key-id": self._word()}
        shapes: list[Any] = [
            {"payloads": [{"metadata": metadata, "data": self._word()}]},
            {"payloads": [{"metadata": {"encoding": encrypted}, "data": ""}] * 500},
            {"payloads": {"metadata": metadata}},
            {"payloads": [{"metadata": {"encoding": "%%%"}, "data": 2**70}]},
            {"payloads": None},
            [[[]]],
        ]
        return self._random.choice(
            [
                json.dumps(self._random.choice(shapes)).encode(),
                self._random.randbytes(self._random.randrange(2_000)),
                b'{"payloads":' * 20_000,
                self._body[:-20],
                self._with_a_wrong_bit(),
                b"",
            ]
        )

    def _with_a_wrong_bit(self) -> bytes:
        """Of what is decrypted: a letter of its base64 can be padding, and change nothing."""
        data = bytearray(self._sealed.data)
        data[self._random.randrange(len(data))] ^= 1 << self._random.randrange(8)
        return body_of(Payload(metadata=self._sealed.metadata, data=bytes(data)))

    def _word(self) -> str:
        return base64.b64encode(self._random.randbytes(self._random.randrange(80))).decode()


def body_of(payload: Payload) -> bytes:
    metadata = {name: base64.b64encode(value).decode() for name, value in payload.metadata.items()}
    data = base64.b64encode(payload.data).decode()
    return json.dumps({"payloads": [{"metadata": metadata, "data": data}]}).encode()
