"""Whether two training tables hold the same, column by column.

    python compare_tables.py one.parquet other.parquet --features exact|close

`exact`: every value of every column. `close`: every value but the features, which may differ by a rounding of a 32-bit
float (1.2e-7 of the larger of 1 and the value), since two libraries add up in two orders; and the times of the raw
fields are compared to the second, which is all that one of them writes. Prints what differs and exits with 1, or
nothing.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np
import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet as pq

CLOSE = 1.2e-7


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("one")
    parser.add_argument("other")
    parser.add_argument("--features", choices=("exact", "close"), required=True)
    args = parser.parse_args()
    one, other = pq.read_table(args.one), pq.read_table(args.other)
    if one.column_names != other.column_names or len(one) != len(other):
        print(f"{len(one)} rows of {one.column_names}\n{len(other)} rows of {other.column_names}")
        return 1
    different = [name for name in one.column_names if not same(name, one[name], other[name], args.features)]
    if different:
        print(f"different: {', '.join(different)}")
    return 1 if different else 0


def same(name: str, one: pa.ChunkedArray, other: pa.ChunkedArray, features: str) -> bool:
    if features == "exact":
        return one.cast(one.type).equals(other.cast(one.type))
    if name.startswith("feature."):
        mine, theirs = one.to_numpy().astype(float), other.to_numpy().astype(float)
        return bool((np.abs(mine - theirs) <= CLOSE * np.maximum(1, np.abs(theirs))).all())
    if pa.types.is_dictionary(other.type):
        other = other.cast(pa.string())
    if name == "raw.booked_at":
        cut = [pa.compute.utf8_slice_codeunits(times, 0, 19) for times in (one, other)]
        return cut[0].equals(cut[1])
    return one.equals(other.cast(one.type))


if __name__ == "__main__":
    sys.exit(main())
