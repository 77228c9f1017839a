"""The `Research` workflow: design, train, backtest, assess."""

from temporalio import workflow
from temporalio.common import SearchAttributePair, TypedSearchAttributes

with workflow.unsafe.imports_passed_through():
    from activities.jobs import AssessmentTask, DesignTask
    from activities.research import ResearchActivities
    from quant.gates import backtest_gate, training_gate
    from quant.models import (
        MAX_SEED,
        AssessmentInput,
        AssessmentResult,
        BacktestInput,
        BacktestResult,
        DesignInput,
        DesignResult,
        GateDecision,
        TrainingInput,
        TrainingResult,
    )
    from quant.spec import StrategySpec
    from storage.ledger import Experiment
    from workflows import policies, search_attributes
    from workflows.backtest import Backtest
    from workflows.contract import OperationInfo, OperationMetadata, OperationType, Phase
    from workflows.failures import WRONG_ARGUMENTS
    from workflows.ids import make_step_id
    from workflows.messages import (
        BacktestRequest,
        BacktestSummary,
        ResearchRequest,
        ResearchResult,
    )
    from workflows.operation import Operation
    from workflows.training import Training


@workflow.defn(failure_exception_types=WRONG_ARGUMENTS)
class Research:
    """A sequence of steps: two child activities, and between them two child workflows."""

    @workflow.init
    def __init__(self, request: ResearchRequest | None = None) -> None:
        # All of its fields are optional, so whoever starts a research by hand may leave it out.
        self._request = request = request or ResearchRequest()
        self._seed = (
            workflow.random().randint(0, MAX_SEED) if request.seed is None else request.seed
        )
        self._operation = Operation(
            OperationType.RESEARCH,
            OperationMetadata(
                symbol=request.symbol,
                timeframe=request.timeframe,
                parameters={
                    "brief": request.brief,
                    "strategy_name": request.strategy,
                    "designer": request.designer,
                    "model": request.model,
                    "trials": request.trials,
                    "seed": self._seed,
                    "bypass_gates": request.bypass_gates,
                },
            ),
            owner=request.owner,
            priority=request.priority,
        )
        self._spec: StrategySpec | None = None
        self._design_result: DesignResult | None = None
        self._training: TrainingResult | None = None
        self._backtest_result: BacktestResult | None = None
        self._gate_rejection: str | None = None
        self._result: ResearchResult | None = None

    @workflow.run
    async def run(
        self,
        request: ResearchRequest | None = None,  # noqa: ARG002 - kept in init
    ) -> ResearchResult:
        """Conduct the research. A gate that rejects is an outcome, not an error."""
        return await self._operation.conduct(self._research, self._record)

    @workflow.query
    def operation(self) -> OperationInfo:
        """Return this operation."""
        return self._operation.snapshot()

    async def _research(self) -> ResearchResult:
        spec = await self._design()
        training = await self._train(spec)
        if self._passes(training_gate(training)):
            backtest = await self._backtest(spec, training)
            self._passes(backtest_gate(backtest))
        assessment = await self._assess(spec, training)
        return self._conclude(spec, training, assessment)

    async def _design(self) -> StrategySpec:
        self._operation.enter(
            Phase.DESIGNING,
            SearchAttributePair(search_attributes.OPERATION_TYPE, OperationType.RESEARCH),
            SearchAttributePair(search_attributes.SYMBOL, self._request.symbol),
            SearchAttributePair(search_attributes.OWNER, self._request.owner),
        )
        if self._request.strategy is not None:
            return await policies.record(
                ResearchActivities.load_strategy,
                self._request.strategy,
                summary=f"Load strategy {self._request.strategy}",
            )
        design_id = self._step_id(OperationType.DESIGN)
        design = await self._operation.run_child(
            design_id,
            OperationType.DESIGN,
            policies.compute(
                ResearchActivities.design,
                DesignTask(
                    operation_id=design_id,
                    input=DesignInput(
                        data=self._request.data,
                        trials=self._request.trials,
                        seed=self._seed,
                        brief=self._request.brief,
                    ),
                ),
                summary=f"Design: {self._request.trials} trials",
            ),
        )
        self._design_result = design
        return design.spec

    async def _train(self, spec: StrategySpec) -> TrainingResult:
        self._spec = spec
        self._operation.info.metadata.parameters["strategy_name"] = spec.name
        self._operation.enter(Phase.TRAINING)
        training_id = self._step_id(OperationType.TRAINING)
        self._training = await self._operation.run_child(
            training_id,
            OperationType.TRAINING,
            policies.child_workflow(
                Training.run,
                TrainingInput(data=self._request.data, spec=spec, seed=self._seed),
                child_id=training_id,
                task_queue=policies.TRAINING_QUEUE,
                attributes=self._child_attributes(OperationType.TRAINING),
                summary=f"Training of {spec.name}",
            ),
        )
        return self._training

    async def _backtest(self, spec: StrategySpec, training: TrainingResult) -> BacktestResult:
        self._operation.enter(Phase.BACKTESTING)
        backtest_id = self._step_id(OperationType.BACKTEST)
        self._backtest_result = await self._operation.run_child(
            backtest_id,
            OperationType.BACKTEST,
            policies.child_workflow(
                Backtest.run,
                BacktestRequest(
                    training_id=self._step_id(OperationType.TRAINING),
                    input=BacktestInput(
                        data=self._request.data,
                        spec=spec,
                        seed=self._seed,
                        model_sha256=training.model_sha256,
                    ),
                ),
                child_id=backtest_id,
                task_queue=policies.BACKTEST_QUEUE,
                attributes=self._child_attributes(OperationType.BACKTEST),
                summary=f"Backtest of {spec.name}",
            ),
        )
        return self._backtest_result

    async def _assess(self, spec: StrategySpec, training: TrainingResult) -> AssessmentResult:
        self._operation.enter(Phase.ASSESSING)
        assessment_id = self._step_id(OperationType.ASSESSMENT)
        return await self._operation.run_child(
            assessment_id,
            OperationType.ASSESSMENT,
            policies.compute(
                ResearchActivities.assessment,
                AssessmentTask(
                    operation_id=assessment_id,
                    backtest_id=self._backtest_result and self._step_id(OperationType.BACKTEST),
                    input=AssessmentInput(
                        operation_id=self._operation.info.operation_id,
                        data=self._request.data,
                        spec=spec,
                        seed=self._seed,
                        brief=self._request.brief,
                        design=self._design_result,
                        training=training,
                        backtest=self._backtest_result,
                        gate_rejection=self._gate_rejection,
                    ),
                ),
                summary="Assess significance",
            ),
        )

    def _passes(self, decision: GateDecision) -> bool:
        if decision.passed or self._request.bypass_gates:
            return True
        self._gate_rejection = decision.reason
        self._operation.info.metadata.parameters["gate_rejection_reason"] = decision.reason
        return False

    def _conclude(
        self, spec: StrategySpec, training: TrainingResult, assessment: AssessmentResult
    ) -> ResearchResult:
        self._operation.enter(
            Phase.DONE, SearchAttributePair(search_attributes.VERDICT, assessment.verdict)
        )
        training_id = self._step_id(OperationType.TRAINING)
        assessment_id = self._step_id(OperationType.ASSESSMENT)
        self._result = ResearchResult(
            strategy_name=spec.name,
            verdict=assessment.verdict,
            summary=assessment.summary,
            seed=self._seed,
            data_hash=training.data.content_hash,
            gate_rejection_reason=self._gate_rejection,
            backtest_result=self._backtest_result and BacktestSummary.of(self._backtest_result),
            statistics=assessment.statistics,
            model_path=f"{training_id}/{training.model_artifact}",
            model_sha256=training.model_sha256,
            report_path=f"{assessment_id}/{assessment.report_artifact}",
        )
        self._operation.info.result_summary = self._result.model_dump(mode="json")
        return self._result

    async def _record(self) -> None:
        info = self._operation.info
        await policies.record(
            ResearchActivities.record_experiment,
            Experiment(
                operation_id=info.operation_id,
                status=info.status.value,
                owner=self._request.owner,
                symbol=self._request.symbol,
                timeframe=self._request.timeframe,
                seed=self._seed,
                data_hash=self._training.data.content_hash if self._training else None,
                strategy=self._spec and self._spec.model_dump(mode="json"),
                metrics=self._result.model_dump(mode="json") if self._result else None,
                verdict=self._result.verdict if self._result else None,
                error=info.error_message,
                started_at=info.created_at,
                finished_at=workflow.now(),
            ),
            summary=f"Record: {info.status.value}",
        )

    def _step_id(self, step: OperationType) -> str:
        return make_step_id(self._operation.info.operation_id, step)

    def _child_attributes(self, child_type: OperationType) -> TypedSearchAttributes:
        return TypedSearchAttributes(
            [
                SearchAttributePair(search_attributes.OPERATION_TYPE, child_type),
                SearchAttributePair(
                    search_attributes.PARENT_OPERATION_ID, self._operation.info.operation_id
                ),
                SearchAttributePair(search_attributes.SYMBOL, self._request.symbol),
                SearchAttributePair(search_attributes.OWNER, self._request.owner),
            ]
        )
