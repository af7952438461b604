"""What a test may ask of the KIE stand-in, as JSON."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, SecretStr


class _Order(BaseModel):
    model_config = ConfigDict(extra="forbid")


class KieSettings(_Order):
    """The defaults are KIE's own limits, but for the time a video takes."""

    generation_seconds: float = Field(default=20, ge=0)
    invisible_seconds: float = Field(default=0, ge=0)
    true_status: bool = False
    credits: float = 100_000
    creates_max: int = 20
    creates_window_seconds: float = 10
    queries_max: int = 10
    queries_window_seconds: float = 1
    running_max: int = 100
    upload_ttl_seconds: float = 86_400
    result_ttl_seconds: float = 86_400
    fresh_link_ttl_seconds: float = 1_200
    callback_timeout_seconds: float = 15
    callback_retries_max: int = 3
    callback_retry_seconds: float = 5
    callback_secret: SecretStr = SecretStr("")
    callback_url_in_param: bool = True
    fetch_timeout_seconds: float = 15


class SettingsOrder(_Order):
    """Only the settings to change; `KieSettings` checks their values."""

    model_config = ConfigDict(extra="allow")


class Outcome(_Order):
    """Decides the fate of tasks whose request contains `match`."""

    match: str = ""
    skip: int = Field(default=0, ge=0)
    times: int = Field(default=1, ge=-1)
    fail_code: str = "500"
    fail_msg: str = ""
    generation_seconds: float | None = Field(default=None, ge=0)
    invisible_seconds: float | None = Field(default=None, ge=0)
    hold: bool = False
    generating: bool | None = None
    callback_url_in_param: bool | None = None
    resultless: bool = False
    result: Literal["normal", "mute", "silent", "tone", "too_large", "not_a_video", "index_last"] = "normal"
    result_bytes: int = Field(default=51 * 1024 * 1024, ge=0)
    result_urls: list[str] | None = None
    result_ttl_seconds: float | None = Field(default=None, ge=0)
    callback: Literal["normal", "lost", "twice", "forged"] = "normal"
    callback_delay_seconds: float = Field(default=0, ge=0)


class Selection(_Order):
    """Tasks by id, or by text in their request; neither means all."""

    task_id: str = ""
    match: str = ""


class Release(Selection):
    now: bool = False


class AccountOrder(_Order):
    account: str
    credits: float


class KeyOrder(_Order):
    key: str
    account: str = ""
    revoked: bool = False


class ModelOrder(_Order):
    model: str
    paused: bool = True


class CallbackOrder(Selection):
    """Sends the task's callback once more, or a forged one where `body` or `url` differ."""

    url: str = ""
    body: JsonValue = None
    headers: dict[str, str] = {}


class ResultOrder(Selection):
    """Expires the links given out so far; `gone` also refuses fresh ones."""

    gone: bool = False


def order_summary(order: BaseModel) -> dict[str, Any]:
    return order.model_dump(mode="json", exclude_defaults=True)
