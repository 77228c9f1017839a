"""What a verdict is counted by: always the ledger, never what a request says."""

from errors import InvalidInput
from quant.messages.artifacts import Artifact, parse_artifact
from quant.messages.data import DateRange
from quant.messages.record.trials import Trial, TrialOnBars
from quant.messages.steps import AssessmentInput, AssessmentResult, BacktestInput
from storage.artifacts import ArtifactStore
from storage.ledger.ledger import Ledger
from storage.ledger.records import Experiment

_EARLIEST, _LATEST = "0000", "9999"


def record_look(ledger: Ledger, operation_id: str, inp: BacktestInput) -> None:
    """Record the look that a backtest is about to take."""
    traded = (
        ledger.identities.get_holdout(inp.data) if inp.days is None else _describe_days(inp.days)
    )
    ledger.looks.record(
        operation_id,
        inp.data,
        fingerprint=inp.spec.trial_fingerprint(inp.seed),
        model_sha256=inp.model_sha256,
        traded=traded,
    )


def add_counts(ledger: Ledger, inp: AssessmentInput, *, reproduces: str | None) -> AssessmentInput:
    """Add how many trials and looks the market has had, its identity, and the head of the ledger.

    The strategy and its look are recorded first. They are there already, unless a research was
    started by hand with steps that are said to have finished. A reproduction keeps the counts of
    its original, if these are the recorded ones and it judges the same strategy on the same bars.
    """
    bars = inp.training.data.source
    fingerprint = inp.spec.trial_fingerprint(inp.seed)
    trial = Trial(number=0, fingerprint=fingerprint, sharpe=None, parameters={})
    ledger.trials.record(inp.operation_id, [TrialOnBars(data=bars, trial=trial)])
    if inp.backtest is not None:
        ledger.looks.record(
            inp.operation_id,
            bars,
            fingerprint=fingerprint,
            model_sha256=inp.training.model_sha256,
            traded=ledger.identities.get_holdout(bars),
        )
    counts = _find_original_counts(ledger, inp, reproduces) or {
        "trials_ever": max(1, ledger.trials.count(bars)),
        "holdout_looks": max(1, ledger.looks.count(bars)),
    }
    found = {"market": ledger.identities.identify(bars), "ledger_head": ledger.chain.get_head()}
    return inp.model_copy(update=counts | found)


def require_assessed(experiment: Experiment, artifacts_url: str) -> None:
    """Check that the verdict of a research is the one that its assessment has stored.

    Raises:
        InvalidInput: It is not: the workflow was started by hand with a finished assessment.
    """
    if experiment.verdict is None:
        return
    path = str((experiment.metrics or {}).get("report_path", ""))
    step, own = path.rpartition("/")[0], f"{experiment.operation_id}."
    content = (
        ArtifactStore(artifacts_url).open(step).read(Artifact.ASSESSMENT)
        if step.startswith(own)
        else None
    )
    stored = content and parse_artifact(AssessmentResult, content, Artifact.ASSESSMENT)
    if not stored or stored.verdict != experiment.verdict:
        raise InvalidInput(
            f"The verdict `{experiment.verdict}` of {experiment.operation_id} is not that of its "
            "stored assessment. A research must be assessed here to be recorded.",
            field="finished",
        )


def _describe_days(days: DateRange) -> tuple[str, str]:
    first = str(days.start_date) if days.start_date else _EARLIEST
    # The last day belongs to it until its end.
    last = f"{days.end_date}T~" if days.end_date else _LATEST
    return first, last


def _find_original_counts(
    ledger: Ledger, inp: AssessmentInput, reproduces: str | None
) -> dict[str, int] | None:
    """Return the counts of the research that this one repeats; None if it does not repeat it."""
    original = ledger.experiments.get(reproduces) if reproduces else None
    if original is None or original.metrics is None or original.strategy is None:
        return None
    statistics = original.metrics.get("statistics") or {}
    same = (
        original.metrics.get("data_hash") == inp.training.data.content_hash
        and original.metrics.get("model_sha256") == inp.training.model_sha256
        and original.seed == inp.seed
    )
    names = ("trials_ever", "holdout_looks")
    return {name: statistics[name] for name in names} if same and statistics else None
