"""All parts of the store, built once per process."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from domain.admission import AdmissionLimits, BlockSpans
from domain.clock import Clock
from domain.keys import KeyRef
from domain.policy import OrderPolicy
from store.accounts import Accounts
from store.admission import Admission
from store.alerts import Alerts
from store.database import Database
from store.ledger import Ledger
from store.limits import RateLimits
from store.messages import Messages
from store.orders import Orders
from store.pacing import Pacing
from store.services import OutageRules, Services
from store.videos import Videos
from store.waiting_drafts import WaitingDrafts


@dataclass(frozen=True, slots=True)
class Stores:
    ledger: Ledger
    orders: Orders
    videos: Videos
    messages: Messages
    admission: Admission
    accounts: Accounts
    services: Services
    alerts: Alerts
    waiting_drafts: WaitingDrafts
    pacing: Pacing


def build_stores(
    database: Database,
    clock: Clock,
    policy: OrderPolicy,
    keys: Sequence[KeyRef] = (),
    video_models: Sequence[str] = (),
    time_scale: float = 1.0,
) -> Stores:
    """The limits of KIE's accounts are KIE's and do not scale; how long we avoid somebody does."""
    ledger = Ledger(database, clock)
    limits = AdmissionLimits(
        slot_hold_seconds=policy.kie_wait_seconds, wait_max_seconds=policy.admission_wait_seconds
    )
    return Stores(
        ledger=ledger,
        orders=Orders(database, ledger, clock, timedelta(seconds=policy.order_deadline_seconds)),
        videos=Videos(database, ledger, clock),
        messages=Messages(database, clock),
        admission=Admission(database, clock, keys, video_models, limits),
        accounts=Accounts(database, clock, keys, BlockSpans().scaled(time_scale), limits),
        services=Services(database, clock, OutageRules(probe_seconds=policy.outage_pause_seconds_max)),
        alerts=Alerts(database, clock),
        waiting_drafts=WaitingDrafts(database, clock),
        pacing=Pacing(RateLimits(database, clock)),
    )
