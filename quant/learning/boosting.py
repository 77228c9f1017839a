"""LightGBM, run so that equal input gives equal models, bit for bit.

It runs with one thread and deterministic histograms, and grows a model in *chunks*. Each chunk
starts from the text of the model so far and from its own seed. LightGBM cannot save the state of
its random number generators. A resumed training therefore equals an uninterrupted one only if both
convert the model to text at the same iterations. Models are kept as LightGBM's text, never pickled.
"""

import hashlib
from collections.abc import Callable, Iterator
from typing import Any, Final

import lightgbm as lgb
import numpy as np

from errors import DamagedArtifact
from quant.bars.bars import Floats
from quant.learning.samples import Samples
from quant.messages.strategy import ModelSpec

FIRST_CHUNK: Final = 50

OnIteration = Callable[[int, float, float | None], None]
"""Called with the iteration, counted from 1 in each chunk, the train loss and the valid loss."""


def chunk_ends(iterations: int) -> Iterator[int]:
    """Yield the iterations at which chunks end.

    A chunk has `FIRST_CHUNK` iterations, or half of those already done if that is more. Every
    chunk begins by predicting with all trees so far, so chunks of constant length would take
    quadratic time.
    """
    end = 0
    while end < iterations:
        end = min(iterations, end + max(FIRST_CHUNK, end // 2))
        yield end


def derive_seed(*parts: int) -> int:
    """Return a seed from 0 to 2^31 - 1 that depends on all parts and on their order."""
    digest = hashlib.sha256(":".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1


def grow(
    model: str,
    train: Samples,
    valid: Samples | None,
    spec: ModelSpec,
    *,
    iterations: int,
    seed: int,
    on_iteration: OnIteration | None = None,
) -> str:
    """Add trees to a model.

    Args:
        model: Text of the model so far; empty to start one.
        train: Rows to learn from.
        valid: Rows for the valid loss of `on_iteration`; None for no such loss.
        spec: The parameters; `num_iterations` is ignored.
        iterations: Number of trees to add.
        seed: Seed of row and column sampling in this chunk.
        on_iteration: Called after each tree; None computes no losses.

    Returns:
        The text of the grown model.
    """
    return _train(
        model, train, valid, spec, iterations=iterations, seed=seed, on_iteration=on_iteration
    ).model_to_string()


def grow_and_predict(train: Samples, features: Floats, spec: ModelSpec, *, seed: int) -> Floats:
    """Train a model that nobody will see, and return what it predicts.

    Equal to `predict` by the text of the same model, bit for bit, but without writing and reading
    that text.

    Args:
        train: Rows to learn from.
        features: Rows to predict, shape (rows, features).
        spec: The parameters.
        seed: Seed of row and column sampling.

    Returns:
        The probability of label 1, shape (rows,).
    """
    return _predict(
        _train("", train, None, spec, iterations=spec.num_iterations, seed=seed), features
    )


def predict(model: str, features: Floats) -> Floats:
    """Return the probability of label 1, shape (rows,), for features of shape (rows, features)."""
    return _predict(_load(model), features)


def _predict(booster: lgb.Booster, features: Floats) -> Floats:
    return np.asarray(booster.predict(features, num_threads=1), dtype=np.float64)


def compute_importance(model: str) -> dict[str, float]:
    """Return the share of each feature in the total split gain; all 0 without any split."""
    booster = _load(model)
    gains = np.asarray(booster.feature_importance("gain"), dtype=np.float64)
    total = float(gains.sum())
    shares = gains / total if total > 0.0 else gains
    return dict(zip(booster.feature_name(), shares.tolist(), strict=True))


def _train(
    model: str,
    train: Samples,
    valid: Samples | None,
    spec: ModelSpec,
    *,
    iterations: int,
    seed: int,
    on_iteration: OnIteration | None = None,
) -> lgb.Booster:
    train_set = lgb.Dataset(train.features, label=train.labels, feature_name=train.names)
    sets = {"train": train_set}
    if valid is not None:
        sets["valid"] = lgb.Dataset(valid.features, label=valid.labels, reference=train_set)
    return lgb.train(
        _build_parameters(spec, seed),
        train_set,
        num_boost_round=iterations,
        init_model=_load(model) if model else None,
        valid_sets=list(sets.values()) if on_iteration else None,
        valid_names=list(sets) if on_iteration else None,
        callbacks=[_make_callback(on_iteration)] if on_iteration else None,
        keep_training_booster=True,
    )


def _load(model: str) -> lgb.Booster:
    """Return the model of a text.

    Raises:
        DamagedArtifact: The text is none of LightGBM's.
    """
    try:
        return lgb.Booster(model_str=model)
    except lgb.basic.LightGBMError as error:
        raise DamagedArtifact(
            f"The stored model is damaged ({str(error)[:100]}). Start over with `ktrdr retry`."
        ) from error


def _build_parameters(spec: ModelSpec, seed: int) -> dict[str, Any]:
    return {
        "objective": "binary",
        "metric": "binary_logloss",
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 1,
        "verbosity": -1,
        "seed": seed,
        "learning_rate": spec.learning_rate,
        "num_leaves": spec.num_leaves,
        "min_data_in_leaf": spec.min_data_in_leaf,
        "lambda_l2": spec.lambda_l2,
        "feature_fraction": spec.feature_fraction,
        "bagging_fraction": spec.bagging_fraction,
        "bagging_freq": 1 if spec.bagging_fraction < 1.0 else 0,
    }


def _make_callback(on_iteration: OnIteration) -> Callable[[lgb.callback.CallbackEnv], None]:
    def report_losses(env: lgb.callback.CallbackEnv) -> None:
        losses = {result[0]: result[2] for result in env.evaluation_result_list or []}
        # LightGBM numbers iterations by the trees so far. It keeps none that cannot be split.
        number = env.iteration - env.begin_iteration + 1
        on_iteration(number, losses["train"], losses.get("valid"))

    return report_losses
