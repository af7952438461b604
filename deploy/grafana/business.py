"""What is sold, what comes in, what goes back, and how long people wait."""

from typing import Final

from deploy.grafana.panels import Dashboard, Kind, Panel, Query, Section, Unit, day, half_and_most, rate


def _today(title: str, description: str, expression: str, unit: Unit = Unit.COUNT) -> Panel:
    return Panel(title, description, unit, (Query(expression, title.lower()),), Kind.STAT, width=4)


_REFUNDED: Final = day("neurocards_credits_total", 'kind="refunded"')
_DECIDED: Final = day("neurocards_credits_total", 'kind=~"captured|refunded"')

_TODAY: Final = Section(
    "The last 24 hours",
    (
        _today("Orders accepted", "accepted by a tap on Generate", day("neurocards_orders_accepted_total")),
        _today(
            "Videos delivered",
            "also those that wait for a user who blocked the bot: they are paid for",
            day("neurocards_videos_total", 'outcome=~"DELIVERED|WAITING"'),
        ),
        _today(
            "Stars paid",
            "Telegram Stars; one star is about 0.013 USD to us",
            day("neurocards_stars_total", 'outcome="paid"'),
        ),
        _today("Stars sent back", "refunds of payments", day("neurocards_stars_total", 'outcome="refunded"')),
        _today(
            "Share refunded",
            "of the credits that were decided on: captured or refunded",
            f"{_REFUNDED} / {_DECIDED}",
            Unit.SHARE,
        ),
        _today(
            "Under way now",
            "videos that are accepted, and not settled yet",
            "sum(max by (stage) (neurocards_open_videos))",
        ),
    ),
)

_ORDERS: Final = Section(
    "Orders",
    (
        Panel(
            "Orders accepted per hour",
            "by template; the evening peak is 20:00 to 22:00 in Moscow",
            Unit.COUNT,
            (Query("sum by (template) (increase(neurocards_orders_accepted_total[1h]))", "{{template}}"),),
            stacked=True,
        ),
        Panel(
            "Orders ended per hour",
            "by how many of their videos came",
            Unit.COUNT,
            (Query("sum by (outcome) (increase(neurocards_orders_total[1h]))", "{{outcome}}"),),
            stacked=True,
        ),
        Panel(
            "Videos per hour",
            "DELIVERED and WAITING are paid; FAILED and CANCELLED went back to their users",
            Unit.COUNT,
            (Query("sum by (outcome) (increase(neurocards_videos_total[1h]))", "{{outcome}}"),),
            stacked=True,
        ),
    ),
)

_MONEY: Final = Section(
    "Income and refunds",
    (
        Panel(
            "Stars per hour",
            "paid, unclear (no credits were given; a person decides), sent back",
            Unit.COUNT,
            (Query("sum by (outcome) (increase(neurocards_stars_total[1h]))", "{{outcome}}"),),
        ),
        Panel(
            "Credits per hour",
            "what became of them: reserved by orders, captured for videos, refunded, bought, given away",
            Unit.COUNT,
            (Query("sum by (kind) (increase(neurocards_credits_total[1h]))", "{{kind}}"),),
        ),
        Panel(
            "Videos by video model per hour",
            "what delivered videos were made with",
            Unit.COUNT,
            (
                Query(
                    'sum by (video_model) (increase(neurocards_videos_total{outcome="DELIVERED"}[1h]))',
                    "{{video_model}}",
                ),
            ),
            stacked=True,
        ),
    ),
)

_WAITING: Final = Section(
    "Waiting",
    (
        Panel(
            "From the tap to the video",
            "delivered videos only; 45 minutes are promised, 1 to 5 are usual",
            Unit.SECONDS,
            half_and_most("neurocards_video_duration_seconds", 'outcome="DELIVERED"'),
        ),
        Panel(
            "Videos under way",
            "by stage",
            Unit.COUNT,
            (Query("max by (stage) (neurocards_open_videos)", "{{stage}}"),),
            stacked=True,
        ),
        Panel(
            "Waiting for a KIE account",
            "how many videos, and how long the first of them has waited; after 15 minutes it is refunded",
            Unit.COUNT,
            (
                Query("max(neurocards_queued_videos)", "videos"),
                Query("max(neurocards_queue_age_seconds)", "the first waits, seconds"),
            ),
        ),
        Panel(
            "From KIE to the chat",
            "60 s are promised for 99.5 %",
            Unit.SECONDS,
            half_and_most("neurocards_delivery_duration_seconds"),
        ),
        Panel(
            "Stay in the queue",
            "of videos that were admitted to a KIE account",
            Unit.SECONDS,
            half_and_most("neurocards_admission_wait_seconds"),
        ),
        Panel(
            "Failed videos",
            "by failure class; USER_VIOLATION is the user's own photo or text",
            Unit.PER_SECOND,
            (
                Query(
                    rate("neurocards_videos_total", "failure_class", 'outcome="FAILED"'), "{{failure_class}}"
                ),
            ),
            stacked=True,
        ),
    ),
)

BUSINESS: Final = Dashboard("business", "business", (_TODAY, _ORDERS, _MONEY, _WAITING), since="now-24h")
