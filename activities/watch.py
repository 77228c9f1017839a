"""The activities of a watch: scoring new bars, and telling people what came of it."""

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities import jobs
from activities.step import StepActivities, translate_errors
from quant.messages.watch import Notice, WatchSummary


class WatchActivities(StepActivities):
    """A look at new bars, and notices."""

    @activity.defn
    async def look(self, task: jobs.WatchTask) -> WatchSummary:
        """Score the bars that came since the last look.

        Instruments are awaited in real time. It is the server's, and that of this attempt: bars are
        seen when it begins, and it may have stood in the queue for days.
        """
        now = activity.info().started_time
        look = jobs.LookTask(operation_id=task.operation_id, input=task.input, now=now)
        with translate_errors():
            return await self._run(jobs.watch, look, WatchSummary)

    @activity.defn
    async def notify(self, notice: Notice) -> None:
        """Tell people, at least once. Nothing happens if nobody wants to be told.

        A heartbeat keeps who was told, so that another attempt tells only the others.
        """
        with translate_errors():
            told: set[int] = set(*activity.info().heartbeat_details)
            async for address in self._notifier.send(notice, frozenset(told)):
                told.add(address)
                activity.heartbeat(sorted(told))
            if not told.issuperset(self._notifier.addresses):
                raise ApplicationError(
                    "Not every address of KTRDR_NOTIFY_URL has taken the notice; the log of the "
                    "worker says why.",
                    type="not_notified",
                )
