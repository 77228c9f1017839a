"""The `Research` workflow: design, train, backtest, assess."""

from temporalio import workflow
from temporalio.common import SearchAttributePair

with workflow.unsafe.imports_passed_through():
    from workflows.backtest import Backtest
    from workflows.notification import tell
    from workflows.training import Training
    from workflows.vocabulary import (
        FINISHED_QUERY,
        MAX_SEED,
        OPERATION_QUERY,
        WRONG_ARGUMENTS,
        Artifact,
        AssessmentInput,
        AssessmentResult,
        AssessmentTask,
        BacktestInput,
        BacktestRequest,
        BacktestResult,
        BacktestSummary,
        DataSource,
        DesignInput,
        DesignTask,
        FinishedSteps,
        FrozenModel,
        GateDecision,
        LanguageModel,
        Operation,
        OperationInfo,
        OperationStatus,
        OperationType,
        Phase,
        ResearchActivities,
        ResearchInput,
        ResearchResult,
        SearchPlan,
        StrategySpec,
        TrainingInput,
        TrainingResult,
        check_backtest,
        check_training,
        complete_input,
        conduct_design,
        describe_finished,
        describe_request,
        make_experiment,
        make_model_path,
        make_step_id,
        metrics,
        policies,
        search_attributes,
    )


@workflow.defn(failure_exception_types=WRONG_ARGUMENTS)
class Research:
    """Four steps: activities, two child workflows, an activity."""

    plan = SearchPlan()

    @workflow.init
    def __init__(self, request: ResearchInput | None = None) -> None:
        # All fields are optional, so a research that is started by hand needs no input.
        self._request = request = complete_input(request or ResearchInput())
        self._finished = request.finished or _make_first_state(request)
        self._operation = Operation(
            OperationType.RESEARCH,
            describe_request(request, self._finished.seed),
            owner=request.owner,
            priority=request.priority,
            goal=request.goal,
        )
        self._operation.info.understood = request.understood
        self._operation.info.warnings = list(request.warnings or ())
        for step in self._finished.list_steps():
            self._operation.add_step(step, OperationStatus.COMPLETED)
        self._show_finished()
        self._gate_rejection: str | None = None
        self._result: ResearchResult | None = None

    @workflow.run
    async def run(
        self,
        request: ResearchInput | None = None,  # noqa: ARG002 - see init
    ) -> ResearchResult:
        """Run the research. A gate that rejects is an outcome, not an error."""
        return await self._operation.run(self._research, self._record)

    @workflow.query(name=OPERATION_QUERY)
    def describe(self) -> OperationInfo:
        """Return this operation."""
        return self._operation.snapshot()

    @workflow.query(name=FINISHED_QUERY)
    def finished_steps(self) -> FinishedSteps:
        """Return the results of the steps that have finished."""
        return self._finished

    async def _research(self) -> ResearchResult:
        spec = self._finished.spec or await self._design()
        training = self._finished.training or await self._train(spec)
        if self._passes(check_training(training, self._request.gates.training)):
            backtest = self._finished.backtest or await self._backtest(spec, training)
            self._passes(check_backtest(backtest, self._request.gates.backtest))
        assessment = self._finished.assessment or await self._assess(spec, training)
        return self._conclude(spec, training, assessment)

    async def _design(self) -> StrategySpec:
        self._operation.enter(Phase.DESIGNING)
        if self._request.strategy is not None:
            spec = await policies.read(
                ResearchActivities.load_strategy,
                self._request.strategy,
                summary=f"Load strategy {self._request.strategy}",
            )
            spec = self._request.set_benchmark(spec)
            self._keep(spec=spec)
            return spec
        original = self._request.reproduces
        task = DesignTask(
            operation_id=self._operation.step_id(OperationType.DESIGN),
            input=DesignInput(
                data=self._bars,
                trials=self._request.trials,
                seed=self._finished.seed,
                brief=self._request.brief,
                features=self._request.features,
                long_only=self._request.long_only,
            ),
            memory=self._request.starts_from_memory,
            memory_of=original and make_step_id(original.operation_id, OperationType.DESIGN),
            language_model=self._language_model,
            plan=self.plan,
        )
        search = conduct_design(self._operation, task, self.plan, self._request.design_method)
        design = await self._operation.run_step(OperationType.DESIGN, search)
        spec = self._request.set_benchmark(design.spec)
        self._keep(design=design, spec=spec)
        return spec

    async def _train(self, spec: StrategySpec) -> TrainingResult:
        original = self._request.reproduces
        self._operation.enter(
            Phase.TRAINING, SearchAttributePair(search_attributes.STRATEGY, spec.name)
        )
        training = await self._operation.run_child_workflow(
            OperationType.TRAINING,
            Training.run,
            TrainingInput(
                data=self._bars,
                spec=spec,
                seed=self._finished.seed,
                benchmark_hash=original and original.benchmark_hash,
            ),
            strategy=spec.name,
            task_queue=policies.TRAINING_QUEUE,
            summary=f"Training of {spec.name}",
        )
        self._keep(training=training)
        return training

    async def _backtest(self, spec: StrategySpec, training: TrainingResult) -> BacktestResult:
        self._operation.enter(Phase.BACKTESTING)
        backtest = await self._operation.run_child_workflow(
            OperationType.BACKTEST,
            Backtest.run,
            BacktestRequest(
                training_id=self._operation.step_id(OperationType.TRAINING),
                input=BacktestInput(
                    data=self._bars,
                    spec=spec,
                    seed=self._finished.seed,
                    model_sha256=training.model_sha256,
                    benchmark_hash=training.benchmark_hash,
                ),
            ),
            strategy=spec.name,
            task_queue=policies.BACKTEST_QUEUE,
            summary=f"Backtest of {spec.name}",
        )
        self._keep(backtest=backtest)
        return backtest

    async def _assess(self, spec: StrategySpec, training: TrainingResult) -> AssessmentResult:
        self._operation.enter(Phase.ASSESSING)
        design, backtest = self._finished.design, self._finished.backtest
        original = self._request.reproduces
        assessment = await self._operation.run_activity(
            OperationType.ASSESSMENT,
            ResearchActivities.assessment,
            AssessmentTask(
                operation_id=self._operation.step_id(OperationType.ASSESSMENT),
                design_id=design and self._operation.step_id(OperationType.DESIGN),
                training_id=self._operation.step_id(OperationType.TRAINING),
                backtest_id=backtest and self._operation.step_id(OperationType.BACKTEST),
                input=AssessmentInput(
                    operation_id=self._operation.info.operation_id,
                    data=self._bars,
                    spec=spec,
                    seed=self._finished.seed,
                    brief=self._request.brief,
                    understood=self._request.understood,
                    warnings=self._request.warnings or (),
                    design=design,
                    training=training,
                    backtest=backtest,
                    gate_rejection=self._gate_rejection,
                    trials_ever=original.trials_ever if original else 1,
                    holdout_looks=original.holdout_looks if original else 1,
                ),
                counted=original is not None,
                reproduces=original and original.operation_id,
                language_model=None if original else self._language_model,
            ),
            summary="Assess significance",
        )
        self._keep(assessment=assessment)
        return assessment

    @property
    def _bars(self) -> DataSource:
        """The bars. Once a step has used them, their hash makes sure that they stay the same."""
        used = self._finished.design or self._finished.training
        original = self._request.reproduces
        content_hash = used.data.content_hash if used else original and original.data_hash
        return self._request.data.model_copy(update={"content_hash": content_hash})

    @property
    def _language_model(self) -> LanguageModel | None:
        if self._request.designer != "llm":
            return None
        return LanguageModel(name=self._request.model, max_cost=self._request.max_cost)

    def _keep(self, **results: FrozenModel) -> None:
        self._finished = self._finished.model_copy(update=results)
        self._show_finished()

    def _show_finished(self) -> None:
        info = self._operation.info
        info.metadata.parameters |= describe_finished(self._finished, info.operation_id)

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
        metrics.count_verdict(assessment.verdict)
        self._result = ResearchResult(
            strategy_name=spec.name,
            verdict=assessment.verdict,
            summary=assessment.summary,
            seed=self._finished.seed,
            data_hash=training.data.content_hash,
            benchmark_hash=training.benchmark_hash,
            gate_rejection_reason=self._gate_rejection,
            backtest_result=self._finished.backtest and BacktestSummary.of(self._finished.backtest),
            statistics=assessment.statistics,
            conditions=assessment.conditions,
            market=assessment.market,
            ledger_head=assessment.ledger_head,
            development_sharpe=training.sharpe,
            model_path=make_model_path(self._operation.step_id(OperationType.TRAINING)),
            model_sha256=training.model_sha256,
            report_path=f"{self._operation.step_id(OperationType.ASSESSMENT)}/{Artifact.REPORT}",
        )
        self._operation.outcome = f"{assessment.verdict} · report: `{self._result.report_path}`"
        self._operation.info.result_summary = self._result.model_dump(mode="json")
        return self._result

    async def _record(self) -> None:
        info = self._operation.snapshot()
        notice = await policies.record(
            ResearchActivities.record_experiment,
            make_experiment(self._request, info, self._finished, self._result, self._bars),
            summary=f"Record: {info.status.value}",
        )
        # Records of earlier versions returned nothing, and told people themselves.
        if notice is not None:
            await tell(notice)


def _make_first_state(request: ResearchInput) -> FinishedSteps:
    """Return the state of a new research: its seed, and the strategy that it reproduces."""
    original = request.reproduces
    seed = request.seed if original is None or original.seed is None else original.seed
    return FinishedSteps(
        seed=workflow.random().randint(0, MAX_SEED) if seed is None else seed,
        spec=original and original.spec,
    )
