"""The snapshot's Parquet as arrays. Only the features are model input; the raw fields are read for golden rows alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from .errors import TrainerError

TRAIN, VALIDATION, TEST = 0, 1, 2
PART_NAMES = {TRAIN: "train", VALIDATION: "validation", TEST: "test"}
FEATURE, RAW = "feature.", "raw."
FIXED = ["row_id", "booked_at", "label", "split", "segment"]


@dataclass(frozen=True)
class Table:
    """Rows in order of time. `features` is float32 [n, F]; `booked_at` is in milliseconds since 1970, UTC."""

    feature_names: list[str]
    features: np.ndarray
    labels: np.ndarray
    booked_at: np.ndarray
    segments: np.ndarray
    row_ids: np.ndarray
    splits: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    def where(self, mask: np.ndarray) -> Table:
        picked = (self.features, self.labels, self.booked_at, self.segments, self.row_ids, self.splits)
        return Table(self.feature_names, *(column[mask] for column in picked))

    def part(self, split: int) -> Table:
        return self.where(self.splits == split)


def read_table(path: str, only: int | None = None) -> Table:
    """Reads a Parquet file of the contract; `only` keeps one part. InvalidInput names what is wrong with it."""
    try:
        schema = pq.read_schema(path)
    except (OSError, ValueError) as error:
        raise TrainerError("InvalidInput", f"{path} is not a readable Parquet file: {error}") from error
    names = [name for name in schema.names if name.startswith(FEATURE)]
    missing = [name for name in FIXED if name not in schema.names]
    if missing or not names:
        raise TrainerError("InvalidInput", f"{path} lacks the columns {missing or [FEATURE + '*']}.")
    filters = None if only is None else [("split", "=", only)]
    table = pq.read_table(path, columns=FIXED + names, filters=filters)
    features = np.empty((len(table), len(names)), dtype=np.float32)
    for position, name in enumerate(names):
        features[:, position] = table[name].to_numpy()
    bad = [name for position, name in enumerate(names) if not np.isfinite(features[:, position]).all()]
    if bad:
        raise TrainerError(
            "InvalidInput",
            f"{path} has missing or infinite values in {bad}: the registry's null policy must fill them.",
        )
    result = Table(
        [name.removeprefix(FEATURE) for name in names],
        features,
        table["label"].to_numpy().astype(np.int8),
        table["booked_at"].to_numpy().astype(np.int64),
        np.array([segment or "" for segment in table["segment"].to_pylist()], dtype=object),
        np.array(table["row_id"].to_pylist(), dtype=object),
        table["split"].to_numpy().astype(np.int8),
    )
    if not np.isin(result.labels, (0, 1)).all():
        raise TrainerError("InvalidInput", f"{path} has labels other than 0 and 1.")
    return result


def require_both_classes(table: Table, what: str) -> None:
    """TrainingFailed when a part is empty or has one class only: nothing can be learned or chosen from it."""
    positives = int(table.labels.sum())
    if 0 < positives < len(table):
        return
    raise TrainerError(
        "TrainingFailed",
        f"The {what} part has {len(table)} rows of which {positives} are frauds; it needs both classes. "
        "Widen data.window_days or the part's fraction in the model's spec.",
    )


def read_raw(path: str, row_ids: list[str]) -> dict[str, dict[str, Any]]:
    """The raw fields of a few rows, by row id."""
    names = [name for name in pq.read_schema(path).names if name.startswith(RAW)]
    rows = pq.read_table(path, columns=["row_id", *names], filters=[("row_id", "in", row_ids)]).to_pylist()
    return {row["row_id"]: {name.removeprefix(RAW): row[name] for name in names} for row in rows}
