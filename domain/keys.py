"""KIE keys by name. The secret itself stays in `clients/`."""

from dataclasses import dataclass, field

from pydantic import SecretStr


@dataclass(frozen=True, slots=True)
class KeyRef:
    """What rows, payloads and logs may carry of a key."""

    key_id: str
    account: str


@dataclass(frozen=True, slots=True)
class KieKey:
    ref: KeyRef
    secret: SecretStr = field(repr=False)
