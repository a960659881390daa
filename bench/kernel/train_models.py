"""
The two ONNX files of a bundle, trained as a release does, and the rows of its table: for `npm run bench:kernel`.

    python train_models.py TABLE.parquet TRAINER.json OUT_DIR

TRAINER.json is the part `trainer` of a model's spec. Writes pipeline.onnx, if_pipe.onnx and features.f32 (row by row).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "training"))

from sluice_trainer import boosting
from sluice_trainer.forest import fit_forest, forest_to_onnx
from sluice_trainer.onnx_trees import booster_to_onnx
from sluice_trainer.table import TRAIN, read_table


def main() -> None:
    table, trainer, out = read_table(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text()), Path(sys.argv[3])
    part, seed = table.part(TRAIN), trainer["seed"]
    booster, _ = boosting.fit(part, trainer["params"], seed=seed, threads=trainer["threads"])
    forest = fit_forest(part.features, trainer["isolation_forest"], seed)
    (out / "pipeline.onnx").write_bytes(booster_to_onnx(booster))
    (out / "if_pipe.onnx").write_bytes(forest_to_onnx(forest, table.features.shape[1]))
    table.features.tofile(out / "features.f32")


if __name__ == "__main__":
    main()
