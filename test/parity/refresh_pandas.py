"""What the nightly row jobs should make of a transaction file, computed with pandas and numpy alone.

    python refresh_pandas.py --transactions data/x.csv.gz --fixings data/ecb_fixings.csv --as-of 2025-06-30T00:00:00Z \
        --synonyms models/ulb_gbdt/operation_type_synonyms.json

Prints the lookups of the 90 days before `--as-of`, all rows whatever their label, as JSON.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import features_pandas as own
import pandas as pd

WINDOW = pd.Timedelta(days=90)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("transactions", "fixings", "as-of", "synonyms"):
        parser.add_argument(f"--{name}", required=True)
    args = parser.parse_args()
    as_of = pd.Timestamp(args.as_of)
    rows = own.read_transactions(args.transactions)
    window = rows[(rows["time"] >= as_of - WINDOW) & (rows["time"] < as_of)].reset_index(drop=True)
    window["amount_base"] = own.amount_in_base(window, own.read_fixings(args.fixings))
    window["merchant_normalised"] = own.normalised(window["merchant_name"])
    window["category"] = own.canonical_category(window["operation_type"], json.loads(Path(args.synonyms).read_text()))
    print(json.dumps(own.lookups_of(window)))


if __name__ == "__main__":
    main()
