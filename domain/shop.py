"""The rules of the shop that the operator sets."""

from dataclasses import dataclass

from domain.payments import Package


@dataclass(frozen=True, slots=True)
class ShopRules:
    """`video_models` in the order of preference. Limits are those of one user."""

    packages: tuple[Package, ...] = ()
    terms_version: int = 1
    admins: tuple[int, ...] = ()
    video_models: tuple[str, ...] = ()
    welcome_per_day: int = 500
    messages_per_second: float = 3.0
    messages_burst_seconds: float = 10.0
    open_orders_max: int = 10
    orders_per_day_max: int = 100
