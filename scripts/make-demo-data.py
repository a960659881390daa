"""Makes the two files in data/ from the originals, the same bytes on every run. Standard library only.

python scripts/make-demo-data.py --transactions bank_transactions_2025h1.csv.gz --fixings eurofxref-hist.zip --out data
"""

from __future__ import annotations

import argparse
import csv
import gzip
import hashlib
import io
import zipfile
from pathlib import Path

CUSTOMER_SHARE = 0.25
FIRST_FIXING, LAST_FIXING = "2024-12-01", "2025-07-31"
NOT_QUOTED = {"", "N/A"}


def is_in_sample(customer_id: str) -> bool:
    """A stable choice by the id alone: a customer comes with all transactions or with none."""
    digest = hashlib.sha256(customer_id.encode()).digest()
    return int.from_bytes(digest[:8], "big") < CUSTOMER_SHARE * 2**64


def demo_transactions(source: Path, target: Path) -> int:
    """Copies the sampled customers' rows as they are; returns how many."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    count = 0
    with gzip.open(source, "rt", newline="", encoding="utf-8") as lines:
        reader = csv.DictReader(lines)
        writer.writerow(reader.fieldnames or [])
        for row in reader:
            if is_in_sample(row["customer_id"]):
                writer.writerow(row.values())
                count += 1
    # no name and no time in the header, so that the file's digest depends on its rows only
    with target.open("wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as packed:
        packed.write(text.getvalue().encode())
    return count


def fixings(source: Path, target: Path) -> int:
    """Copies the fixings of the period, oldest first, without the currencies that are no longer quoted."""
    with zipfile.ZipFile(source) as archive:
        table = list(csv.DictReader(io.StringIO(archive.read("eurofxref-hist.csv").decode())))
    rows = sorted((row for row in table if FIRST_FIXING <= row["Date"] <= LAST_FIXING), key=lambda row: row["Date"])
    quoted = [name for name in table[0] if name and any(row[name] not in NOT_QUOTED for row in rows)]
    with target.open("w", newline="", encoding="utf-8") as lines:
        writer = csv.DictWriter(lines, quoted, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return len(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("transactions", "fixings", "out"):
        parser.add_argument(f"--{name}", required=True, type=Path)
    args = parser.parse_args()
    count = demo_transactions(args.transactions, args.out / "bank_transactions_demo.csv.gz")
    print(f"{count} transactions, {fixings(args.fixings, args.out / 'ecb_fixings.csv')} fixings")


if __name__ == "__main__":
    main()
