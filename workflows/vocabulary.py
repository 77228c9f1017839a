"""What the workflows of a research need from outside their module, in one import.

The sandbox executes the module of a workflow anew for every run. Its imports are passed through and
execute nothing, but for every module that is named the sandbox enters and leaves a context, which
costs as much as the rest of a workflow task.
"""

from activities.jobs import AssessmentTask, BacktestTask, DesignTask, LanguageModel, TrainingTask
from activities.research import ResearchActivities
from quant.messages.artifacts import Artifact
from quant.messages.base import FrozenModel
from quant.messages.data import DataSource
from quant.messages.steps import (
    MAX_SEED,
    AssessmentInput,
    AssessmentResult,
    BacktestInput,
    BacktestResult,
    DesignInput,
    GateDecision,
    TrainingInput,
    TrainingResult,
)
from quant.messages.strategy import StrategySpec
from quant.search.plan import SearchPlan
from quant.verdict.gates import check_backtest, check_training
from workflows import metrics, policies
from workflows.interface import search_attributes
from workflows.interface.contract import (
    FINISHED_QUERY,
    OPERATION_QUERY,
    OperationInfo,
    OperationStatus,
    OperationType,
    Phase,
)
from workflows.interface.failures import WRONG_ARGUMENTS
from workflows.interface.ids import make_step_id
from workflows.interface.messages import (
    BacktestRequest,
    BacktestSummary,
    FinishedSteps,
    ResearchInput,
    ResearchResult,
)
from workflows.operation import Operation
from workflows.requests.experiment import make_experiment
from workflows.requests.parameters import describe_finished, describe_request, make_model_path
from workflows.requests.steps import describe_backtest, describe_training
from workflows.requests.unused_fields import complete_input
from workflows.search import conduct_design

__all__ = [
    "FINISHED_QUERY",
    "MAX_SEED",
    "OPERATION_QUERY",
    "WRONG_ARGUMENTS",
    "Artifact",
    "AssessmentInput",
    "AssessmentResult",
    "AssessmentTask",
    "BacktestInput",
    "BacktestRequest",
    "BacktestResult",
    "BacktestSummary",
    "BacktestTask",
    "DataSource",
    "DesignInput",
    "DesignTask",
    "FinishedSteps",
    "FrozenModel",
    "GateDecision",
    "LanguageModel",
    "Operation",
    "OperationInfo",
    "OperationStatus",
    "OperationType",
    "Phase",
    "ResearchActivities",
    "ResearchInput",
    "ResearchResult",
    "SearchPlan",
    "StrategySpec",
    "TrainingInput",
    "TrainingResult",
    "TrainingTask",
    "check_backtest",
    "check_training",
    "complete_input",
    "conduct_design",
    "describe_backtest",
    "describe_finished",
    "describe_request",
    "describe_training",
    "make_experiment",
    "make_model_path",
    "make_step_id",
    "metrics",
    "policies",
    "search_attributes",
]
