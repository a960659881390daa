"""Features of a raw transaction file, computed with pandas alone.

It exists to disagree: it shares no code with `domain/features`, which makes the training table and serves the scorer.
A test runs the same rows through both and compares. It writes the Parquet that the trainer reads, too, so the trainer
can be tried and tuned without a running stack.

    python features_pandas.py --transactions data/x.csv.gz --fixings data/ecb_fixings.csv --as-of 2025-06-30T00:00:00Z \
        --synonyms models/ulb_gbdt/operation_type_synonyms.json --out snapshot.parquet [--lookups lookups.json]
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd

BASE_CURRENCY = "USD"
LABEL_MATURITY = pd.Timedelta(days=30)
LOOKUP_WINDOW = pd.Timedelta(days=90)
VALIDATION_FRACTION = 0.15
TEST_FRACTION = 0.2
MIN_MERCHANT_COUNT = 5
MIN_CATEGORY_ROWS = 50
RAW_FIELDS = ["transaction_id", "customer_id", "booked_at", "amount", "currency", "operation_type", "merchant_name"]


def read_transactions(path: str | Path) -> pd.DataFrame:
    """The file's rows ordered by time, then id; times become UTC timestamps beside the raw text."""
    rows = pd.read_csv(path, keep_default_na=False, dtype={"operation_type": str, "merchant_name": str})
    rows["time"] = pd.to_datetime(rows["booked_at"], utc=True)
    rows["labeled"] = pd.to_datetime(rows["labeled_at"], utc=True)
    return rows.sort_values(["time", "transaction_id"], kind="stable").reset_index(drop=True)


def read_fixings(path: str | Path) -> pd.DataFrame:
    """One row per fixing and currency: what one unit of it is worth in the base currency. The ECB quotes per euro."""
    table = pd.read_csv(path, parse_dates=["Date"]).rename(columns={"Date": "date"}).set_index("date").sort_index()
    table["EUR"] = 1.0
    worth = table.rdiv(table[BASE_CURRENCY], axis=0)
    return worth.stack().rename("rate").rename_axis(["date", "currency"]).reset_index()


def amount_in_base(rows: pd.DataFrame, fixings: pd.DataFrame) -> pd.Series:
    """The amount at the last fixing dated strictly before the UTC booking day."""
    left = pd.DataFrame(
        {
            "day": rows["time"].dt.tz_localize(None).dt.normalize().astype("datetime64[ns]"),
            "currency": rows["currency"],
            "at": np.arange(len(rows)),
        }
    ).sort_values("day", kind="stable")
    right = fixings.assign(date=fixings["date"].astype("datetime64[ns]")).sort_values("date")
    joined = pd.merge_asof(left, right, left_on="day", right_on="date", by="currency", allow_exact_matches=False)
    rate = joined.sort_values("at")["rate"].to_numpy()
    return pd.Series(rows["amount"].to_numpy() * rate, index=rows.index)


WHITE_SPACE = re.compile("[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+")


def normalised(text: pd.Series) -> pd.Series:
    """Compatibility form, case folded by way of upper case, white space (Unicode's) as single blanks, trimmed."""
    folded = text.str.normalize("NFKC").str.upper().str.lower().str.normalize("NFKC")
    return folded.str.replace(WHITE_SPACE, " ", regex=True).str.strip(" ")


def canonical_category(operation_type: pd.Series, synonyms: dict) -> pd.Series:
    """The canonical operation type, or null for a spelling that the file does not know."""
    known = {**{name: name for name in synonyms["canonical"]}, **synonyms["synonyms"]}
    return normalised(operation_type).map(known)


def split_of(rows: pd.DataFrame, as_of: pd.Timestamp) -> tuple[pd.DataFrame, np.ndarray]:
    """The mature rows, and 0 train, 1 validation, 2 test for each: the newest are the test part."""
    mature = (rows["time"] <= as_of - LABEL_MATURITY) & (rows["labeled"] <= as_of)
    kept = rows[mature].reset_index(drop=True)
    count = len(kept)
    test_from = count - int(count * TEST_FRACTION)
    validation_from = test_from - int(count * VALIDATION_FRACTION)
    split = np.zeros(count, dtype=np.int32)
    split[validation_from:test_from] = 1
    split[test_from:] = 2
    return kept, split


def lookups_of(window: pd.DataFrame) -> dict:
    """Merchant frequencies and robust statistics per category from the rows of the lookup window."""
    counts = window["merchant_normalised"].value_counts()
    frequencies = (counts[counts >= MIN_MERCHANT_COUNT] / len(window)).to_dict()

    def stats(values: pd.Series) -> dict:
        low, median, high, cap = np.quantile(values, [0.25, 0.5, 0.75, 0.995])
        return {"count": len(values), "median": median, "iqr": high - low, "p995": cap}

    groups = {
        name: stats(part) for name, part in window.groupby("category")["amount_base"] if len(part) >= MIN_CATEGORY_ROWS
    }
    return {
        "frequencies": frequencies,
        "total": len(window),
        "overall": stats(window["amount_base"]),
        "categories": groups,
    }


def features_of(rows: pd.DataFrame, lookups: dict, categories: list[str]) -> pd.DataFrame:
    """The model's features, float32, in the registry's order."""

    def stat(name: str) -> pd.Series:
        table = {category: values[name] for category, values in lookups["categories"].items()}
        return rows["category"].map(table).fillna(lookups["overall"][name]).astype(float)

    amount = rows["amount_base"]
    # a category whose amounts are all alike has no range to measure by
    range_of = stat("iqr").where(stat("iqr") > 0, 1.0)
    index = {category: position for position, category in enumerate(categories)}
    return pd.DataFrame(
        {
            "amount_base": amount,
            "amount_log": np.log1p(amount),
            "amount_z_iqr_cat": (amount - stat("median")) / range_of,
            "amount_to_p995_cat": amount / stat("p995"),
            "merchant_freq": rows["merchant_normalised"].map(lookups["frequencies"]).astype(float).fillna(0.0),
            "hour": rows["time"].dt.hour,
            "weekday": rows["time"].dt.day_of_week,
            "category": rows["category"].map(index).astype(float).fillna(-1.0),
        }
    ).astype(np.float32)


def snapshot_table(
    rows: pd.DataFrame, fixings: pd.DataFrame, synonyms: dict, as_of: pd.Timestamp
) -> tuple[pd.DataFrame, dict]:
    """The trainer's table (see training/README.md) and the lookups it was made with."""
    kept, split = split_of(rows, as_of)
    kept["amount_base"] = amount_in_base(kept, fixings)
    kept["merchant_normalised"] = normalised(kept["merchant_name"])
    kept["category"] = canonical_category(kept["operation_type"], synonyms)
    test_start = kept["time"][int(np.argmax(split == 2))]
    window = kept[(kept["time"] >= test_start - LOOKUP_WINDOW) & (kept["time"] < test_start)]
    lookups = lookups_of(window)
    features = features_of(kept, lookups, synonyms["canonical"])
    table = pd.DataFrame(
        {
            "row_id": kept["transaction_id"],
            "booked_at": kept["time"].astype("datetime64[ms, UTC]").astype("int64"),
            "label": kept["is_fraud"].astype(np.int32),
            "split": split,
            "segment": kept["category"],
        }
    )
    for field in RAW_FIELDS:
        table[f"raw.{field}"] = kept[field]
    for name in features:
        table[f"feature.{name}"] = features[name]
    return table, lookups


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("transactions", "fixings", "as-of", "synonyms", "out"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--lookups")
    args = parser.parse_args()
    synonyms = json.loads(Path(args.synonyms).read_text())
    rows = read_transactions(args.transactions)
    table, lookups = snapshot_table(rows, read_fixings(args.fixings), synonyms, pd.Timestamp(args.as_of))
    table.to_parquet(args.out, index=False)
    if args.lookups:
        Path(args.lookups).write_text(json.dumps(lookups))


if __name__ == "__main__":
    main()
