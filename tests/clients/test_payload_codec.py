"""What Temporal gets to see, and what we read of it again."""

import base64
import secrets

import pytest
from pydantic import SecretStr
from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.exceptions import ApplicationError

from clients.payload_codec import KEY_ID, CannotDecrypt, EncryptionCodec, payload_codec
from serving import temporal_converter
from workflows.contracts import OrderInput

ORDER = OrderInput(order_id="order-nobody-may-read", tg_user_id=7, video_count=1)


def new_key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


KEY_1, KEY_2 = f"k1:{new_key()}", f"k2:{new_key()}"


def codec(*keys: str) -> EncryptionCodec:
    return payload_codec(SecretStr(",".join(keys)))


async def written(*keys: str) -> Payload:
    (payload,) = await temporal_converter(SecretStr(",".join(keys))).encode([ORDER])
    return payload


async def read(payload: Payload, *keys: str) -> OrderInput:
    converter = temporal_converter(SecretStr(",".join(keys)))
    (order,) = await converter.decode([payload], [OrderInput])
    assert isinstance(order, OrderInput)
    return order


async def test_what_is_encrypted_comes_back_and_cannot_be_read_on_the_way() -> None:
    payload = await written(KEY_1)
    assert payload.metadata == {"encoding": b"binary/encrypted", KEY_ID: b"k1"}
    for hidden in (b"nobody", b"order_id", b"json/plain"):
        assert hidden not in payload.SerializeToString()
    assert await read(payload, KEY_1) == ORDER


async def test_the_same_never_looks_the_same() -> None:
    assert (await written(KEY_1)).data != (await written(KEY_1)).data


async def test_without_a_key_everything_stays_readable() -> None:
    payload = await written()
    assert b"order-nobody-may-read" in payload.data
    assert await read(payload) == ORDER


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ((), (KEY_1,)),  # switched on
        ((KEY_1,), ("plain", KEY_1)),  # switched off
        (("plain", KEY_1), (KEY_1,)),
        ((KEY_1,), (KEY_1, KEY_2)),
        ((KEY_1, KEY_2), (KEY_2, KEY_1)),
        ((KEY_2, KEY_1), (KEY_2,)),
    ],
)
async def test_what_was_written_before_a_step_is_read_after_it(
    before: tuple[str, ...], after: tuple[str, ...]
) -> None:
    assert await read(await written(*before), *after) == ORDER
    if "plain" in after:
        assert b"order-nobody-may-read" in (await written(*after)).data


@pytest.mark.parametrize("keys", [(), (KEY_2,), ("plain", KEY_2)])
async def test_a_missing_key_is_named(keys: tuple[str, ...]) -> None:
    with pytest.raises(CannotDecrypt, match="'k1', which TEMPORAL_PAYLOAD_KEY does not name"):
        await codec(*keys).decode([await written(KEY_1)])


async def test_another_key_of_the_same_name_is_told_apart() -> None:
    with pytest.raises(CannotDecrypt, match="not the one it was"):
        await codec(f"k1:{new_key()}").decode([await written(KEY_1)])


@pytest.mark.parametrize("spoiled", [b"", b"short", b"x" * 40])
async def test_what_nobody_encrypted_is_refused(spoiled: bytes) -> None:
    payload = await written(KEY_1)
    payload.data = spoiled
    with pytest.raises(CannotDecrypt):
        await codec(KEY_1).decode([payload])


async def test_one_changed_bit_is_noticed() -> None:
    payload = await written(KEY_1)
    payload.data = payload.data[:-1] + bytes([payload.data[-1] ^ 1])
    with pytest.raises(CannotDecrypt):
        await codec(KEY_1).decode([payload])


async def test_a_failure_shows_its_type_and_nothing_else() -> None:
    """The type is the failure class: the Web UI and the alerts go by it."""
    failure, converter = Failure(), temporal_converter(SecretStr(KEY_1))
    error = ApplicationError("said by a person", {"reason": "a person"}, type="USER_VIOLATION")
    error.__cause__ = ValueError("said by a person")
    await converter.encode_failure(error, failure)
    seen = failure.SerializeToString()
    assert b"USER_VIOLATION" in seen
    assert b"person" not in seen
    back = await converter.decode_failure(failure)
    assert isinstance(back, ApplicationError)
    assert (back.message, back.details) == ("said by a person", ({"reason": "a person"},))
    assert str(back.__cause__) == "ValueError: said by a person"


async def test_a_failure_of_before_is_read_with_a_key() -> None:
    failure = Failure()
    await temporal_converter(SecretStr("")).encode_failure(ApplicationError("as it was"), failure)
    assert failure.message == "as it was"
    back = await temporal_converter(SecretStr(KEY_1)).decode_failure(failure)
    assert isinstance(back, ApplicationError)
    assert back.message == "as it was"
