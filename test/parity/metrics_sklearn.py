"""
The held-out figures of a bundle once more, from scikit-learn's own functions and the definitions in issue and docs alone.
Shares no code with training/sluice_trainer. Prints JSON.

python metrics_sklearn.py SNAPSHOT.parquet BUNDLE_DIR REVIEW_COST
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pandas as pd
from sklearn import metrics


def main() -> None:
    parquet, bundle, review = sys.argv[1], Path(sys.argv[2]), float(sys.argv[3])
    rows = pd.read_parquet(parquet)
    rows = rows[rows["split"] == 2]
    session = onnxruntime.InferenceSession(str(bundle / "pipeline.onnx"), providers=["CPUExecutionProvider"])
    features = rows.filter(regex=r"^feature\.").to_numpy(dtype=np.float32)
    score = session.run(["probabilities"], {"features": features})[0][:, 1].astype(float)
    isotonic = json.loads((bundle / "isotonic.json").read_text())
    probability = np.interp(score, isotonic["x"], isotonic["y"])
    threshold = json.loads((bundle / "per_category_thresholds.json").read_text())["operating"]["threshold"]
    label, alert = rows["label"].to_numpy(), probability >= threshold
    matrix = metrics.confusion_matrix(label, alert)
    ranked = rows.assign(score=score).sort_values("score", ascending=False, kind="stable")["label"]
    days = (rows["booked_at"].max() - rows["booked_at"].min()) / 86_400_000
    figures = {
        "auc_roc": metrics.roc_auc_score(label, score),
        "auc_pr": metrics.average_precision_score(label, score),
        "log_loss": metrics.log_loss(label, probability),
        "brier": metrics.brier_score_loss(label, probability),
        "precision": metrics.precision_score(label, alert),
        "recall": metrics.recall_score(label, alert),
        "f1_score": metrics.f1_score(label, alert),
        "fraud_caught_rate": metrics.recall_score(label, alert),
        "false_positive_rate": matrix[0, 1] / matrix[0].sum(),
        "alert_rate": alert.mean(),
        "daily_alerts": alert.sum() / days,
        "cost_per_alert": review * alert.sum() / matrix[1, 1],
        "precision_at_0.5pct": ranked.head(int(np.ceil(0.005 * len(rows)))).mean(),
        "precision_at_1pct": ranked.head(int(np.ceil(0.01 * len(rows)))).mean(),
    }
    print(json.dumps({name: float(value) for name, value in figures.items()}))


if __name__ == "__main__":
    main()
