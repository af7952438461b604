"""What Temporal stores is encrypted before it leaves us: AES-GCM, as Temporal's own examples wrap it."""

import os
from collections.abc import Mapping, Sequence
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from google.protobuf.message import DecodeError
from pydantic import SecretStr
from temporalio.api.common.v1 import Payload
from temporalio.converter import PayloadCodec

from domain.payload_keys import parse_payload_keys

ENCODING: Final = b"binary/encrypted"
KEY_ID: Final = "encryption-key-id"
_NONCE_BYTES: Final = 12  # random: one key is good for 2 ** 32 payloads


class CannotDecrypt(Exception):
    """For engineers. Not an ApplicationError: a workflow task that meets it waits, and its order with it."""

    @property
    def what_to_do(self) -> str:
        return (
            f"what Temporal keeps cannot be read: {self};"
            " put the earlier key back, and give a new one another name before it"
        )


class EncryptionCodec(PayloadCodec):
    """Payloads from before are read as they are, so that it can be switched on under running orders."""

    def __init__(self, writing: str | None, ciphers: Mapping[str, AESGCM]) -> None:
        self._writing = writing
        self._ciphers = ciphers

    @property
    def encrypts(self) -> bool:
        return self._writing is not None

    @property
    def decrypts(self) -> bool:
        return bool(self._ciphers)

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        if self._writing is None:
            return list(payloads)
        return [self._encrypted(payload, self._writing) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Raise CannotDecrypt for the first that no key of ours opens."""
        return [self.decoded(payload) for payload in payloads]

    def decoded(self, payload: Payload) -> Payload:
        if payload.metadata.get("encoding") != ENCODING:
            return payload
        key_id = payload.metadata.get(KEY_ID, b"").decode(errors="replace")
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise CannotDecrypt(f"encrypted with {key_id!r}, which TEMPORAL_PAYLOAD_KEY does not name")
        return _opened(cipher, payload.data, key_id)

    def _encrypted(self, payload: Payload, key_id: str) -> Payload:
        nonce = os.urandom(_NONCE_BYTES)
        hidden = self._ciphers[key_id].encrypt(nonce, payload.SerializeToString(), None)
        return Payload(metadata={"encoding": ENCODING, KEY_ID: key_id.encode()}, data=nonce + hidden)


def _opened(cipher: AESGCM, data: bytes, key_id: str) -> Payload:
    try:
        plain = cipher.decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], None)
        return Payload.FromString(plain)
    except (InvalidTag, ValueError, DecodeError):  # ValueError: too short to hold a nonce
        raise CannotDecrypt(f"the key {key_id!r} of TEMPORAL_PAYLOAD_KEY is not the one it was") from None


def payload_codec(setting: SecretStr) -> EncryptionCodec:
    """Also without a key: it then says which one is missing. Raise ValueError for a wrong setting."""
    keys = parse_payload_keys(setting.get_secret_value())
    ciphers = {key_id: AESGCM(secret.get_secret_value()) for key_id, secret in keys.secrets.items()}
    return EncryptionCodec(keys.writing, ciphers)
