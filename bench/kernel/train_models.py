"""
The two ONNX files of a bundle, trained as a release would, and rows for them: for `npm run bench:kernel`.

    python train_models.py TRANSACTIONS.csv.gz FIXINGS.csv SYNONYMS.json SPEC.json AS_OF OUT_DIR

Writes pipeline.onnx, if_pipe.onnx and features.f32 (every row of the table, row by row); prints rows and features as JSON.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd

root = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(root / "training"), str(root / "test" / "parity")]

from features_pandas import read_fixings, read_transactions, snapshot_table  # noqa: E402
from sluice_trainer import boosting  # noqa: E402
from sluice_trainer.forest import fit_forest, forest_to_onnx  # noqa: E402
from sluice_trainer.onnx_trees import booster_to_onnx  # noqa: E402
from sluice_trainer.table import Table  # noqa: E402


def main() -> None:
    transactions, fixings, synonyms, spec_file, as_of, out = sys.argv[1:]
    trainer = json.loads(Path(spec_file).read_text())
    rows, _ = snapshot_table(
        read_transactions(transactions),
        read_fixings(fixings),
        json.loads(Path(synonyms).read_text()),
        pd.Timestamp(as_of),
    )
    columns = [name for name in rows.columns if name.startswith("feature.")]
    features = np.ascontiguousarray(rows[columns].to_numpy(dtype=np.float32))
    train = rows["split"].to_numpy() == 0
    print(Table.__dataclass_fields__.keys() if hasattr(Table, "__dataclass_fields__") else "", file=sys.stderr)
