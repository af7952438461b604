"""All that the stand-in remembers, as one pydantic tree: written to disk as it is."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

Json = dict[str, Any]

FIRST_USER_ID = 700_000_001
FIRST_UPDATE_ID = 410_000_001
STARS_AT_FIRST = 10_000


class User(BaseModel):
    id: int
    first_name: str
    language_code: str = "en"
    last_name: str = ""
    username: str = ""
    has_started: bool = False
    has_blocked: bool = False
    times_blocked: int = 0
    edits_pass: bool = False
    read_message_id: int = 0
    stars: int = STARS_AT_FIRST
    event: int = 0

    def shown(self) -> Json:
        """As the Bot API shows a person."""
        optional = {
            "last_name": self.last_name,
            "username": self.username,
            "language_code": self.language_code,
        }
        return {
            "id": self.id,
            "is_bot": False,
            "first_name": self.first_name,
            **{key: value for key, value in optional.items() if value},
        }

    def chat(self) -> Json:
        shown = self.shown()
        wanted = ("id", "first_name", "last_name", "username")
        return {**{key: shown[key] for key in wanted if key in shown}, "type": "private"}


class Group(BaseModel):
    """A supergroup. The bot is in it, or has left it; who else is there does not matter."""

    id: int
    title: str = "Group"
    has_bot: bool = False

    def chat(self) -> Json:
        return {"id": self.id, "title": self.title, "type": "supergroup"}


Chat = User | Group


class Version(BaseModel):
    at: datetime
    body: Json


class Kept(BaseModel):
    """One message of a chat. `body` is the Bot API's Message; older bodies are in `versions`."""

    chat_id: int
    message_id: int
    from_bot: bool
    rang: bool
    event: int
    body: Json
    deleted: bool = False
    invoice_id: str = ""
    charge_id: str = ""  # an invoice that is paid, or its receipt
    versions: list[Version] = Field(default_factory=list)


class CallbackQuery(BaseModel):
    id: str
    user_id: int
    message_id: int
    data: str
    made_at: datetime
    answered: bool = False
    expired: bool = False


class Invoice(BaseModel):
    """What a Message does not show of an invoice is the payload; copies of the message share it."""

    id: str
    title: str
    description: str
    payload: str
    currency: str
    total_amount: int
    start_parameter: str = ""

    def shown(self) -> Json:
        return self.model_dump(exclude={"id", "payload"})


class Checkout(BaseModel):
    """A pre_checkout_query that waits; the bot's answer is an error message, or empty for yes."""

    id: str
    user_id: int
    answer: str | None = None


class Charge(BaseModel):
    charge_id: str
    provider_charge_id: str
    user_id: int
    amount: int
    currency: str
    payload: str
    paid_at: datetime
    refunded_at: datetime | None = None

    def payment(self) -> Json:
        """As successful_payment and refunded_payment both show it."""
        return {
            "currency": self.currency,
            "total_amount": self.amount,
            "invoice_payload": self.payload,
            "telegram_payment_charge_id": self.charge_id,
            "provider_payment_charge_id": self.provider_charge_id,
        }


class Toast(BaseModel):
    event: int
    at: datetime
    user_id: int
    callback_query_id: str
    text: str
    show_alert: bool
    url: str


class StoredFile(BaseModel):
    """`attachment` is the part of a Message that shows it: {"photo": […]} or {"video": {…}}."""

    file_id: str
    file_unique_id: str
    kind: str
    path: str
    mime_type: str
    file_size: int
    attachment: Json = Field(default_factory=dict)
    gone: bool = False
    link_expired: bool = False


class Update(BaseModel):
    update_id: int
    kind: str
    chat_id: int
    payload: Json

    def shown(self) -> Json:
        return {"update_id": self.update_id, self.kind: self.payload}


class Webhook(BaseModel):
    url: str = ""
    secret_token: str = ""
    max_connections: int = 40
    last_error_date: int = 0
    last_error_message: str = ""

    def is_like(self, other: "Webhook") -> bool:
        settings = {"url", "secret_token", "max_connections"}
        return self.model_dump(include=settings) == other.model_dump(include=settings)


class WebhookKnobs(BaseModel):
    """strict_ports: only Telegram's four. duplicate: each update is sent twice at the same time.
    separate_kinds: taps and changes of membership do not wait for messages, as on Telegram's servers."""

    model_config = ConfigDict(extra="forbid")

    strict_ports: bool = False
    duplicate: bool = False
    separate_kinds: bool = False
    timeout_seconds: float = Field(default=60.0, gt=0, le=600)


class Bot(BaseModel):
    id: int = 0
    first_name: str = "Neurocards"
    username: str = "neurocards_bot"
    description: str = ""
    short_description: str = ""
    descriptions: dict[str, str] = Field(default_factory=dict)  # by language; without one, the ones above
    short_descriptions: dict[str, str] = Field(default_factory=dict)
    menu_button: Json = Field(default_factory=lambda: {"type": "commands"})

    def description_for(self, language_code: str) -> str:
        return self.descriptions.get(language_code) or self.description

    def shown(self) -> Json:
        return {"id": self.id, "is_bot": True, "first_name": self.first_name, "username": self.username}


class Memory(BaseModel):
    generation: int = 1
    last_event: int = 0
    last_message_id: int = 0
    next_update_id: int = FIRST_UPDATE_ID
    next_user_id: int = FIRST_USER_ID
    next_file_number: int = 1
    bot: Bot = Field(default_factory=Bot)
    users: dict[int, User] = Field(default_factory=dict)
    groups: dict[int, Group] = Field(default_factory=dict)
    messages: dict[int, dict[int, Kept]] = Field(default_factory=dict)
    callback_queries: dict[str, CallbackQuery] = Field(default_factory=dict)
    invoices: dict[str, Invoice] = Field(default_factory=dict)
    checkouts: dict[str, Checkout] = Field(default_factory=dict, exclude=True)  # they live for seconds
    charges: dict[str, Charge] = Field(default_factory=dict)
    toasts: list[Toast] = Field(default_factory=list)
    files: dict[str, StoredFile] = Field(default_factory=dict)
    updates: dict[int, Update] = Field(default_factory=dict)
    pending: list[int] = Field(default_factory=list)
    repeats: list[int] = Field(default_factory=list)
    allowed_updates: list[str] = Field(default_factory=list)
    webhook: Webhook = Field(default_factory=Webhook)
    knobs: WebhookKnobs = Field(default_factory=WebhookKnobs)
    commands: dict[str, list[Json]] = Field(default_factory=dict)
