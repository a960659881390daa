"""The `train` command: fit, calibrate, choose thresholds, export, check the export, log."""

from __future__ import annotations

import json
import pickle
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import average_precision_score, log_loss, roc_auc_score

from . import boosting, provenance
from .calibration import fit_isotonic
from .errors import TrainerError
from .events import Events
from .forest import anomaly_scores, fit_forest, forest_to_onnx
from .golden import golden_features
from .grid import search
from .job import required
from .onnx_trees import booster_to_onnx
from .profile import columns_of, reference_profile
from .scorer import Scorer
from .table import PART_NAMES, TRAIN, VALIDATION, Table, read_table, require_both_classes
from .thresholds import operating_point, per_category_thresholds
from .tracking import INPUTS, RELEASE, RESULT, OpenRun, Tracking

MAX_SCORE_DIFFERENCE = 1e-5
MAX_ANOMALY_DIFFERENCE = 1e-6
# scikit-learn's own scoring takes longer than the fit; evenly spaced rows are as good a proof as all of them.
ANOMALY_CHECK_ROWS = 10_000


def run(job: dict[str, Any], events: Events) -> dict[str, Any]:
    spec = required(job, "spec", dict)
    trainer = required(job, "spec.trainer", dict)
    overrides = job.get("overrides") or {}
    seed = int(overrides.get("seed", trainer["seed"]))
    params = boosting.check_params(trainer["params"] | overrides.get("params", {}), "spec.trainer.params")
    release_id = required(job, "release_id", str)
    output = Path(required(job, "output", str))
    inputs = provenance.digest_of(
        {
            "snapshot": [required(job, "snapshot.dataSnapshotId", str), required(job, "snapshot.contentSha256", str)],
            "features": required(job, "snapshot.featureRegistrySha256", str),
            "trainer": [trainer, seed, params],
            "thresholds": [spec["operating_threshold"], spec["alert_budgets"]],
            "code": provenance.code_digest(),
            "lock": provenance.lock_digest(),
        }
    )
    events.progress("connect", 0)
    tracking = Tracking(required(job, "mlflow.tracking_uri", str), required(job, "mlflow.experiment", str))
    earlier = tracking.finished_result(release_id, inputs, output)
    if earlier is not None:
        events.progress("connect", 1, "this release was trained already from the same inputs")
        return earlier
    tags = {
        RELEASE: release_id,
        INPUTS: inputs,
        "sluice.model": required(job, "model", str),
        "sluice.data_snapshot_id": job["snapshot"]["dataSnapshotId"],
        "sluice.git_sha": required(job, "git_sha", str),
        "sluice.code_sha256": provenance.code_digest(),
        "sluice.lock_sha256": provenance.lock_digest(),
        "mlflow.source.git.commit": job["git_sha"],
        "mlflow.source.name": __package__ or "",
    }
    with tracking.run(release_id, tags) as opened:
        return train(job, spec, params, seed, tracking, opened, tags, output, events)


def train(
    job: dict[str, Any], spec: dict[str, Any], params: dict[str, Any], seed: int,
    tracking: Tracking, opened: OpenRun, tags: dict[str, str], output: Path, events: Events,
) -> dict[str, Any]:  # fmt: skip
    trainer, threads = spec["trainer"], int(spec["trainer"]["threads"])
    events.progress("read", 0)
    table = read_table(required(job, "parquet", str))
    if table.feature_names != required(job, "snapshot.featureNames", list):
        raise TrainerError(
            "InvalidInput", f"The Parquet has the features {table.feature_names}, the snapshot says otherwise."
        )
    columns, as_of = columns_of(job, table.feature_names), required(job, "snapshot.asOf", str)
    fit_part, validation = table.part(TRAIN), table.part(VALIDATION)
    for split in (TRAIN, VALIDATION):
        require_both_classes(table.part(split), PART_NAMES[split])

    if trainer["grid"]:
        params = search(
            fit_part,
            params,
            trainer["grid"],
            seed=seed,
            threads=threads,
            tracking=tracking,
            parent=opened,
            tags=tags,
            events=events,
        )
    events.progress("fit", 0, f"{len(fit_part)} rows, {len(table.feature_names)} features")
    booster, curve = boosting.fit(
        fit_part,
        params,
        seed=seed,
        threads=threads,
        validation=validation,
        on_iteration=lambda done: events.progress("fit", done),
    )
    forest = fit_forest(fit_part.features, trainer["isolation_forest"], seed)

    events.progress("export", 0)
    pipeline, forest_onnx = booster_to_onnx(booster), forest_to_onnx(forest, len(table.feature_names))
    # Everything below uses the scores of the exported model, for those are what the scorer will see.
    uncalibrated = Scorer(pipeline, forest_onnx, {"x": [0, 1], "y": [0, 1]}, threads)
    scores = uncalibrated.scores(validation.features)
    differences = check_parity(
        uncalibrated, scores, boosting.predict(booster, validation.features, threads), forest, validation
    )

    events.progress("calibrate", 0)
    isotonic = fit_isotonic(scores, validation.labels)
    scorer = Scorer(pipeline, forest_onnx, isotonic, threads)
    probabilities = scorer.calibrated(scores)
    point = operating_point(validation.labels, probabilities, spec["operating_threshold"])
    if not point.floors_met:
        events.progress(
            "calibrate", 1, "no threshold keeps the spec's floors on validation data; the highest F1 is used"
        )
    thresholds = per_category_thresholds(point.threshold, probabilities, validation.segments, spec["alert_budgets"])

    events.progress("write", 0)
    bundle, model = output / "bundle", output / "model"
    bundle.mkdir(parents=True, exist_ok=True)
    model.mkdir(parents=True, exist_ok=True)
    (bundle / "pipeline.onnx").write_bytes(pipeline)
    (bundle / "if_pipe.onnx").write_bytes(forest_onnx)
    write_json(bundle / "isotonic.json", isotonic)
    write_json(bundle / "per_category_thresholds.json", thresholds)
    unseen = table.where(table.splits != TRAIN)
    write_json(bundle / "golden_features.json", golden_features(unseen, job["parquet"], scorer, trainer["golden_rows"]))
    profile = reference_profile(table, scorer, thresholds["operating"], columns, as_of)
    write_json(bundle / "reference_profile.json", profile)
    booster.save_model(model / "pipeline.txt")
    for name, fitted in (("pipeline", booster), ("if_pipe", forest)):
        (model / f"{name}.pkl").write_bytes(pickle.dumps(fitted))
    gains = zip(table.feature_names, booster.feature_importance("gain").tolist(), strict=True)
    write_json(model / "feature_importance.json", dict(sorted(gains, key=lambda item: -item[1])))

    result = {
        "run_id": opened.run_id,
        "experiment_id": tracking.experiment_id,
        "onnx_sha256": provenance.sha256_of(pipeline),
        "trained_at": datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "operating_threshold": point.threshold,
        "artifacts": provenance.file_digests(output, "bundle"),
    }
    write_json(output / RESULT, result)

    events.progress("log", 0)
    opened.params(
        params
        | {"seed": seed, "threads": threads}
        | {f"isolation_forest.{k}": v for k, v in trainer["isolation_forest"].items()}
    )
    opened.params({f"rows_{name}": int((table.splits == split).sum()) for split, name in PART_NAMES.items()})
    opened.curve({f"curve_{name}": values for name, values in curve.items()})
    opened.metrics(
        {
            "validation_auc_roc": float(roc_auc_score(validation.labels, scores)),
            "validation_auc_pr": float(average_precision_score(validation.labels, scores)),
            "validation_log_loss": float(log_loss(validation.labels, probabilities)),
            "validation_precision": point.precision,
            "validation_recall": point.recall,
            "validation_f1_score": point.f1,
        }
        | differences
    )
    opened.tags(
        {"sluice.onnx_sha256": result["onnx_sha256"], "sluice.threshold_floors_met": str(point.floors_met).lower()}
    )
    opened.artifacts(output)
    events.progress("log", 1)
    return result


def check_parity(
    exported: Scorer, scores: np.ndarray, own_scores: np.ndarray, forest: Any, validation: Table
) -> dict[str, float]:
    """How far the exports differ from LightGBM and scikit-learn at most; TrainingFailed when that is too far."""
    some = validation.features[:: max(1, len(validation) // ANOMALY_CHECK_ROWS)]
    found = {
        "parity_score_max_difference": float(np.abs(scores - own_scores).max()),
        "parity_anomaly_max_difference": float(np.abs(exported.anomalies(some) - anomaly_scores(forest, some)).max()),
    }
    allowed = {
        "parity_score_max_difference": MAX_SCORE_DIFFERENCE,
        "parity_anomaly_max_difference": MAX_ANOMALY_DIFFERENCE,
    }
    for name, difference in found.items():
        if not difference <= allowed[name]:
            raise TrainerError(
                "TrainingFailed",
                f"{name} is {difference:.2e}, allowed is {allowed[name]:.0e}: the ONNX export does not compute what was trained. "
                "Report it with the MLflow run; nothing of it may go live.",
            )
    return found


def write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, allow_nan=False, indent=1) + "\n", encoding="utf-8")
