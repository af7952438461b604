"""What yesterday was like: each administrator reads it once."""

from datetime import date, timedelta

from temporalio import activity

from activities import contracts
from activities.admins import Admins
from activities.contracts import Nothing
from activities.failing import for_now, unreachable
from activities.payloads import DailyReportSent
from clients.telegram import TelegramNotSent, TelegramRateLimited
from domain.failures import Failure, FailureClass
from store.daily_reports import DailyReports
from texts import report_cards


class ReportActivities:
    def __init__(self, reports: DailyReports, admins: Admins) -> None:
        self._reports = reports
        self._admins = admins

    @activity.defn(name=contracts.SEND_DAILY_REPORT.name)
    async def send_daily_report(self, _: Nothing) -> DailyReportSent:
        """Only of yesterday, however many days were missed."""
        day = self._reports.yesterday()
        reached = 0
        for place in self._admins.places:
            if await self._reports.begin(day, place):
                reached += await self._tell(day, place)
        return DailyReportSent(day=day.isoformat(), admins=reached)

    async def _tell(self, day: date, place: int) -> bool:
        """What surely was not sent is tried again, beginning with him."""
        report = await self._reports.read(day)
        try:
            return await self._admins.tell_one(place, lambda language: report_cards.daily(language, report))
        except TelegramNotSent:
            await self._reports.withdraw(day, place)
            raise unreachable("Telegram") from None
        except TelegramRateLimited as limited:
            await self._reports.withdraw(day, place)
            pause = timedelta(seconds=limited.retry_after_seconds)
            raise for_now(Failure(FailureClass.RATE_LIMIT, code="Telegram 429"), pause) from None
