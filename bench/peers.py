"""What the peers of the benchmarks have in common: the texts and the rates that both compute with."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata

import numpy as np

BASE_CURRENCY = "USD"
CURRENCIES = ["USD", "EUR", "GBP", "PLN", "SEK", "CHF", "JPY"]
WHITE_SPACE = re.compile("[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+")


def normalised(text: str) -> str:
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).upper().lower())
    return WHITE_SPACE.sub(" ", folded).strip(" ")


def rate_table(database, first_day: dt.date, days: int, currencies: list[str]) -> np.ndarray:
    """Value of one unit in the base currency: a row per day, a column per currency; the last fixing before the day."""
    fixings = sorted(database["fx_fixings"].find(), key=lambda fixing: fixing["_id"])
    table = np.empty((days, len(currencies)))
    at = -1
    for row in range(days):
        day = (first_day + dt.timedelta(days=row)).isoformat()
        while at + 1 < len(fixings) and fixings[at + 1]["_id"] < day:
            at += 1
        rates = {**fixings[at]["rates"], fixings[at]["base"]: 1.0}
        table[row] = [rates[BASE_CURRENCY] / rates[currency] for currency in currencies]
    return table
