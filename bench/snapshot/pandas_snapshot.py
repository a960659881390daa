"""The training table as one would make it with pymongoarrow, pandas and pyarrow: read, lookups, features, Parquet.

Written to be hard to beat: rows come as Arrow columns, never as Python objects; texts are dictionaries, normalised once
per different text; rates lie in an array by day and currency; no row is visited in Python. It checks no data, hashes no
content and uploads nothing. The time is that of reading, computing and writing, without starting Python, importing, or
connecting.

    python pandas_snapshot.py --uri mongodb://… --database bench --as-of 2025-08-15T00:00:00 --synonyms file --out table.parquet

Prints one JSON line: seconds, of which reading and computing, rows, and peak memory in MB.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import resource
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pymongo import MongoClient
from pymongoarrow.api import Schema, find_arrow_all

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from peers import CURRENCIES, normalised, rate_table  # noqa: E402

WINDOW_DAYS, MATURITY_DAYS, LOOKUP_DAYS = 365, 30, 90
VALIDATION, TEST = 0.15, 0.2
MIN_MERCHANT_COUNT = 5
MIN_CATEGORY_ROWS = 50
CATEGORIES = [
    "entertainment", "food_dining", "gas_transport", "grocery_net", "grocery_pos", "health_fitness", "home",
    "kids_pets", "misc_net", "misc_pos", "personal_care", "shopping_net", "shopping_pos", "travel",
]  # fmt: skip
REQUEST = ["transaction_id", "customer_id", "booked_at", "amount", "currency", "operation_type", "merchant_name"]
FIELDS = {
    "transaction_id": pa.string(),
    "customer_id": pa.string(),
    "booked_at": pa.timestamp("ms"),
    "amount": pa.float64(),
    "currency": pa.string(),
    "operation_type": pa.string(),
    "merchant_name": pa.string(),
    "is_fraud": pa.int32(),
    "labeled_at": pa.timestamp("ms"),
}
INDEX = [("booked_at", 1), ("transaction_id", 1), ("labeled_at", 1)]
DAY_MS = 86_400_000


def coded(column: pa.ChunkedArray) -> tuple[np.ndarray, list[str]]:
    """The number of each row's text, and the different texts."""
    dictionary = column.combine_chunks().dictionary_encode()
    return dictionary.indices.to_numpy(), dictionary.dictionary.to_pylist()


def read(database, as_of: dt.datetime) -> pa.Table:
    window = {
        "booked_at": {"$gte": as_of - dt.timedelta(days=WINDOW_DAYS), "$lte": as_of - dt.timedelta(days=MATURITY_DAYS)},
        "labeled_at": {"$lte": as_of},
    }
    projection = {"_id": 0, **dict.fromkeys(FIELDS, 1)}
    order = {"sort": [("booked_at", 1), ("transaction_id", 1)], "hint": INDEX}
    return find_arrow_all(database["bank_transactions"], window, schema=Schema(FIELDS), projection=projection, **order)


def statistics(values: np.ndarray) -> dict:
    low, median, high, cap = np.quantile(values, [0.25, 0.5, 0.75, 0.995])
    return {"median": median, "iqr": high - low, "p995": cap}


def features(rows: pa.Table, database, synonyms: dict, from_ms: int) -> pa.Table:
    count = len(rows)
    booked_at = rows["booked_at"].cast(pa.int64()).to_numpy()
    test_from = count - int(count * TEST)
    validation_from = test_from - int(count * VALIDATION)
    position = np.arange(count)
    split = (position >= validation_from).astype(np.int32) + (position >= test_from).astype(np.int32)

    currency, currencies = coded(rows["currency"])
    unknown = set(currencies) - set(CURRENCIES)
    assert not unknown, unknown
    day = booked_at // DAY_MS
    first_day = dt.date(1970, 1, 1) + dt.timedelta(days=int(day[0]))
    table = rate_table(database, first_day, int(day[-1] - day[0]) + 1, currencies)
    amount = rows["amount"].to_numpy() * table[day - day[0], currency]

    known = {**{name: name for name in synonyms["canonical"]}, **synonyms["synonyms"]}
    known = {normalised(spelling): name for spelling, name in known.items()}
    spelling, spellings = coded(rows["operation_type"])
    of_spelling = np.array([CATEGORIES.index(known[normalised(text)]) for text in spellings], dtype=np.int32)
    category = of_spelling[spelling]

    name, names = coded(rows["merchant_name"])
    of_name, merchants = pd.factorize(np.array([normalised(text) for text in names], dtype=object))
    merchant = of_name[name]

    to_ms = booked_at[test_from]
    window = slice(*np.searchsorted(booked_at, [max(to_ms - LOOKUP_DAYS * DAY_MS, from_ms), to_ms]))
    window_rows = window.stop - window.start
    counts = np.bincount(merchant[window], minlength=len(merchants))
    frequency = np.where(counts >= MIN_MERCHANT_COUNT, counts / window_rows, 0.0)
    amounts, groups = amount[window], category[window]
    overall = statistics(amounts)
    order = np.argsort(groups, kind="stable")
    starts = np.searchsorted(groups[order], np.arange(len(CATEGORIES) + 1))
    stats = []
    for index in range(len(CATEGORIES)):
        values = amounts[order[starts[index] : starts[index + 1]]]
        stats.append(statistics(values) if len(values) >= MIN_CATEGORY_ROWS else overall)
    by_category = pd.DataFrame(stats).to_numpy()
    median, iqr, p995 = by_category[category].T

    columns = {
        "row_id": rows["transaction_id"],
        "booked_at": pa.array(booked_at),
        "label": rows["is_fraud"],
        "split": pa.array(split),
        "segment": pa.DictionaryArray.from_arrays(pa.array(category), CATEGORIES),
        **{f"raw.{field}": rows[field] for field in REQUEST},
        "feature.amount_base": amount,
        "feature.amount_log": np.log1p(amount),
        "feature.amount_z_iqr_cat": (amount - median) / np.where(iqr > 0, iqr, 1),
        "feature.amount_to_p995_cat": amount / np.where(p995 > 0, p995, 1),
        "feature.merchant_freq": frequency[merchant],
        "feature.hour": booked_at % DAY_MS // 3_600_000,
        "feature.weekday": (day + 3) % 7,
        "feature.category": category,
    }
    columns["raw.booked_at"] = pc.strftime(rows["booked_at"], format="%Y-%m-%dT%H:%M:%SZ")
    for field, values in columns.items():
        if field.startswith("feature."):
            columns[field] = pa.array(np.asarray(values, dtype=np.float32))
    return pa.table(columns)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for option in ("uri", "database", "as-of", "synonyms", "out"):
        parser.add_argument(f"--{option}", required=True)
    args = parser.parse_args()
    as_of = dt.datetime.fromisoformat(args.as_of)
    database = MongoClient(args.uri)[args.database]
    synonyms = json.loads(Path(args.synonyms).read_text())
    database["bank_transactions"].find_one({}, {"_id": 1})

    started = time.perf_counter()
    rows = read(database, as_of)
    was_read = time.perf_counter()
    first = (as_of - dt.timedelta(days=WINDOW_DAYS)).replace(tzinfo=dt.timezone.utc)
    table = features(rows, database, synonyms, int(first.timestamp() * 1000))
    was_computed = time.perf_counter()
    pq.write_table(table, args.out, compression="snappy")
    ended = time.perf_counter()

    kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "darwin" else 1)
    spent = {"seconds": ended - started, "reading": was_read - started, "computing": was_computed - was_read}
    print(json.dumps({**spent, "rows": len(rows), "peak_mb": kib * 1024 / 1e6}))


if __name__ == "__main__":
    main()
