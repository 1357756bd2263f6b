"""Trains a model that says at departure whether a flight will arrive more than 15 minutes late."""

import argparse
import json
import os
from pathlib import Path

# A thread with nothing to do sleeps, instead of spinning on a core that others could use.
os.environ["OMP_WAIT_POLICY"] = "PASSIVE"

import mlflow
import mlflow.onnx
import numpy as np
import pandas as pd
import yaml
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, Schema, TensorSpec
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import log_loss, roc_auc_score

NAME = "late"
ID, TIME, LABEL = "row_id", "T", "label"
GOLDEN_ROWS = 1000
CURVE_STEP = 5


def read_params() -> dict:
    return yaml.safe_load(Path(__file__).with_name("params.yaml").read_text())["train"]


def split(frame: pd.DataFrame, holdout_days: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The last days are held out: flights of one day share their weather, so no day is in both."""
    frame = frame.sort_values([TIME, ID], ignore_index=True)
    held_out = frame[TIME] >= frame[TIME].max() - pd.Timedelta(days=holdout_days)
    return frame[~held_out], frame[held_out]


def scores(label: pd.Series, late: np.ndarray) -> dict[str, float]:
    return {"auc": roc_auc_score(label, late), "log_loss": log_loss(label, late)}


def fit(train: pd.DataFrame, features: list[str], params: dict) -> HistGradientBoostingClassifier:
    model = HistGradientBoostingClassifier(
        learning_rate=params["learning_rate"],
        max_iter=params["iterations"],
        max_leaf_nodes=params["leaves"],
        min_samples_leaf=params["min_samples_leaf"],
        l2_regularization=params["l2"],
        early_stopping=False,
        random_state=params["seed"],
    )
    return model.fit(inputs(train, features), train[LABEL])


def inputs(frame: pd.DataFrame, features: list[str]) -> np.ndarray:
    """In single precision, as the model is asked later; a missing value stays NaN."""
    return frame[features].to_numpy(dtype=np.float32, na_value=np.nan)


def export(model: HistGradientBoostingClassifier, features: list[str]):
    """One input of all features in order; the probabilities as a plain tensor [rows, 2]."""
    return to_onnx(
        model,
        initial_types=[("features", FloatTensorType([None, len(features)]))],
        options={"zipmap": False},
        target_opset={"": 18, "ai.onnx.ml": 3},
        name=NAME,
    )


def signature(features: list[str]) -> ModelSignature:
    return ModelSignature(
        inputs=Schema([ColSpec(DataType.float, name) for name in features]),
        outputs=Schema(
            [
                TensorSpec(np.dtype(np.int64), (-1,), "label"),
                TensorSpec(np.dtype(np.float32), (-1, 2), "probabilities"),
            ]
        ),
    )


def log_curve(
    model: HistGradientBoostingClassifier, parts: dict[str, pd.DataFrame], features: list[str]
) -> None:
    """The log-loss after every few trees, of rows learnt from and of rows never seen."""
    staged = [model.staged_predict_proba(inputs(rows, features)) for rows in parts.values()]
    for iteration, probabilities in enumerate(zip(*staged, strict=True), start=1):
        if iteration % CURVE_STEP == 0:
            losses = {
                f"{name}_log_loss_curve": log_loss(rows[LABEL], probability[:, 1])
                for (name, rows), probability in zip(parts.items(), probabilities, strict=True)
            }
            mlflow.log_metrics(losses, step=iteration)


def golden(
    model: HistGradientBoostingClassifier, held_out: pd.DataFrame, features: list[str], seed: int
) -> pd.DataFrame:
    """Rows with the answers that any faithful copy of the model must give."""
    rows = held_out.sample(min(GOLDEN_ROWS, len(held_out)), random_state=seed).sort_values(
        [TIME, ID]
    )
    table = rows[[ID]].copy()
    table[TIME] = rows[TIME].dt.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    table[features] = inputs(rows, features)
    table["prediction"] = model.predict_proba(inputs(rows, features))[:, 1]
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="training set, a Parquet file")
    parser.add_argument(
        "--out", type=Path, required=True, help="folder for the model and its metrics"
    )
    args = parser.parse_args()
    params = read_params()

    frame = pd.read_parquet(args.data)
    frame[LABEL] = frame[LABEL].astype(int)
    features = [name for name in frame.columns if name not in (ID, TIME, LABEL)]
    train, held_out = split(frame, params["holdout_days"])
    if params["shuffle_labels"]:
        train[LABEL] = train[LABEL].sample(frac=1, random_state=params["seed"]).to_numpy()

    mlflow.set_experiment(NAME)
    with mlflow.start_run() as run:
        sizes = {"rows": len(train), "held_out_rows": len(held_out), "features": len(features)}
        mlflow.log_params(params | sizes)
        model = fit(train, features, params)
        metrics = scores(held_out[LABEL], model.predict_proba(inputs(held_out, features))[:, 1])
        mlflow.log_metrics(metrics)
        sample = train.sample(min(len(train), len(held_out)), random_state=params["seed"])
        log_curve(model, {"train": sample, "held_out": held_out}, features)
        mlflow.log_dict({"features": features, "label": LABEL}, "features.json")
        mlflow.log_table(golden(model, held_out, features, params["seed"]), "golden.json")
        onnx_model = export(model, features)
        mlflow.onnx.log_model(
            onnx_model,
            name="model",
            registered_model_name=NAME,
            signature=signature(features),
            onnx_execution_providers=["CPUExecutionProvider"],
            pip_requirements=["onnx", "onnxruntime"],
        )

    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "model.onnx").write_bytes(onnx_model.SerializeToString())
    summary = {name: round(value, 6) for name, value in metrics.items()}
    (args.out / "metrics.json").write_text(json.dumps(summary, indent=2) + "\n")
    print(f"run {run.info.run_id}: {summary}")


if __name__ == "__main__":
    main()
