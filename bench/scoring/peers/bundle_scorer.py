"""What both Python peers of `npm run bench:scoring` do: the same features, models, thresholds and answer as Sluice's scorer.

Written for this one model by hand, where Sluice compiles a registry: lookups are prepared once, a transaction is plain Python,
and a list goes through both models as one batch.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import unicodedata
from bisect import bisect_left
from functools import lru_cache
from pathlib import Path
from typing import Annotated

import numpy as np
import onnxruntime as ort
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

FEATURES = [
    "amount_base",
    "amount_log",
    "amount_z_iqr_cat",
    "amount_to_p995_cat",
    "merchant_freq",
    "hour",
    "weekday",
    "category",
]
AMOUNT, HOUR = FEATURES.index("amount_base"), FEATURES.index("hour")
DAY = 86_400
USUAL_DAYS = 7
WHITE_SPACE = re.compile("[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+")


class Transaction(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    transaction_id: Annotated[str, Field(min_length=1, max_length=128)]
    customer_id: Annotated[str, Field(min_length=1, max_length=128)]
    # FastAPI parses JSON before pydantic sees it: a time is still text then, which strict mode refuses
    booked_at: Annotated[AwareDatetime, Field(strict=False)]
    amount: Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False)]
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")]
    operation_type: Annotated[str, Field(max_length=256)]
    merchant_name: Annotated[str, Field(max_length=256)]


class Refused(ValueError):
    """A transaction that has no features."""


@lru_cache(maxsize=65_536)
def normalised(text: str) -> str:
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).upper().lower())
    return WHITE_SPACE.sub(" ", folded).strip(" ")


class BundleScorer:
    """A bundle's models and lookups, and `score`, which answers a list of transactions."""

    def __init__(self, bundle: str):
        root = Path(bundle)

        def read(name: str):
            return json.loads((root / name).read_text())

        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self._trees = ort.InferenceSession(str(root / "pipeline.onnx"), options, providers=["CPUExecutionProvider"])
        self._forest = ort.InferenceSession(str(root / "if_pipe.onnx"), options, providers=["CPUExecutionProvider"])
        self._inputs = [session.get_inputs()[0].name for session in (self._trees, self._forest)]

        registry = read("feature_registry.json")
        if [feature["name"] for feature in registry["features"]] != FEATURES:
            raise ValueError("this peer is written for the features of the demo's model, and the bundle has others")
        self._reasons = [
            (
                at,
                feature["name"],
                reason["code"],
                reason["text"],
                reason.get("above", math.inf),
                reason.get("below", -math.inf),
            )
            for at, feature in enumerate(registry["features"])
            if (reason := feature.get("reason")) is not None
        ]
        self._category_index = {name: at for at, name in enumerate(registry["features"][-1]["op"]["values"])}

        synonyms = read("operation_type_synonyms.json")
        self._canonical = {normalised(name): name for name in synonyms["canonical"]}
        self._canonical |= {normalised(spelling): name for spelling, name in synonyms["synonyms"].items()}
        merchants = read("merchant_freq_map.json")
        self._merchants, self._floor = merchants["frequencies"], merchants["floor"]
        stats = read("category_stats.json")

        def usable(group):
            return (group["median"], group["iqr"] if group["iqr"] > 0 else 1, group["p995"] if group["p995"] > 0 else 1)

        self._overall = usable(stats["overall"])
        self._stats = {name: usable(group) for name, group in stats["categories"].items()}

        rates = read("fx_rates.json")
        fixings = sorted(
            [{"date": rates["fixing_date"], "exchange_rates": rates["exchange_rates"]}, *rates["trailing"]],
            key=lambda fixing: fixing["date"],
        )
        self._fixing_dates = [fixing["date"] for fixing in fixings]
        self._fixing_days = [int(np.datetime64(date, "D").astype(int)) for date in self._fixing_dates]
        self._fixing_rates = [fixing["exchange_rates"] for fixing in fixings]
        self._newest = rates["fixing_date"]
        self._newest_day = int(np.datetime64(self._newest, "D").astype(int))

        isotonic = read("isotonic.json")
        self._x, self._y = np.array(isotonic["x"]), np.array(isotonic["y"])
        thresholds = read("per_category_thresholds.json")["operating"]
        self._threshold, self._per_category = thresholds["threshold"], thresholds["per_category"]
        self._rules = [
            (FEATURES.index(rule["feature"]), rule, rule.get("above", -math.inf), rule.get("below", math.inf))
            for rule in read("rule_params.json")["rules"]
        ]

        manifest_bytes = (root / "manifest.json").read_bytes()
        manifest = json.loads(manifest_bytes)
        self.versions = {
            "model": manifest["model_name"],
            "model_version": manifest["model_version"],
            "bundle_version": manifest["version"],
            "manifest_sha256": hashlib.sha256(manifest_bytes).hexdigest(),
            "generation": None,
            "thresholds_sha256": manifest["files"]["per_category_thresholds.json"]["sha256"],
            "fx_last_updated": rates["last_updated"],
        }

    def _features(self, transaction: Transaction) -> tuple[list[float], str | None, list[dict]]:
        """The row for the models, the category, and what was assumed."""
        notices = []
        seconds = transaction.booked_at.timestamp()
        day = int(seconds // DAY)
        at = bisect_left(self._fixing_days, day) - 1
        if at < 0:
            at = 0
            message = f"is not after the oldest fixing known ({self._fixing_dates[0]}); converted at that one"
            notices.append({"path": "/booked_at", "message": message})
        rate = self._fixing_rates[at].get(transaction.currency)
        if rate is None:
            raise Refused(f'"{transaction.currency}" is not quoted in the fixing of {self._fixing_dates[at]}')
        amount = transaction.amount * rate

        merchant = normalised(transaction.merchant_name)
        if merchant == "":
            notices.append({"path": "/merchant_name", "message": "is empty; merchant_normalised is unknown"})
            notices.append({"path": "/merchant_name", "message": "is empty; merchant_freq was set to 0"})
            frequency = 0.0
        else:
            frequency = self._merchants.get(merchant, self._floor)

        category = self._canonical.get(normalised(transaction.operation_type))
        if category is None:
            unknown = f'"{transaction.operation_type}" is not in operation_type_synonyms'
            notices.append({"path": "/operation_type", "message": f"{unknown}; operation_type_canonical is unknown"})
            notices.append({"path": "/operation_type", "message": f"{unknown}; category was set to -1"})
        median, iqr, p995 = self._stats.get(category, self._overall) if category is not None else self._overall
        if day - self._newest_day > USUAL_DAYS:
            late = f"is {day - self._newest_day} days after the newest exchange rate ({self._newest}); converted at that one"
            notices.append({"path": "/booked_at", "message": late})
        row = [
            amount,
            math.log1p(amount),
            (amount - median) / iqr,
            amount / p995,
            frequency,
            seconds % DAY // 3600,
            (day + 3) % 7,
            self._category_index.get(category, -1),
        ]
        return row, category, notices

    def score(self, transactions: list[Transaction]) -> list[dict]:
        rows, categories, notices = zip(*map(self._features, transactions), strict=True)
        features = np.array(rows, dtype=np.float32)
        (probabilities,) = self._trees.run(["probabilities"], {self._inputs[0]: features})
        (anomalies,) = self._forest.run(["anomaly_score"], {self._inputs[1]: features})
        raw = probabilities[:, 1]
        calibrated = np.interp(raw, self._x, self._y).tolist()
        results = []
        columns = zip(
            transactions,
            features.tolist(),
            categories,
            notices,
            raw.tolist(),
            calibrated,
            anomalies.ravel().tolist(),
            strict=True,
        )
        for transaction, row, category, noticed, score, probability, anomaly in columns:
            decision, decided_by, threshold, reasons = self._decide(row, category, probability)
            results.append(
                {
                    "transaction_id": transaction.transaction_id,
                    "score": score,
                    "calibrated_probability": probability,
                    "anomaly_score": anomaly,
                    "decision": decision,
                    "decided_by": decided_by,
                    "threshold": threshold,
                    "reason_codes": reasons,
                    "notices": noticed,
                }
            )
        return results

    def _decide(self, row: list[float], category: str | None, probability: float):
        own = self._per_category.get(category)
        threshold = self._threshold if own is None else own
        reasons = [
            {"code": code, "text": text, "feature": name, "value": np.float32(row[at])}
            for at, name, code, text, above, below in self._reasons
            if row[at] > above or row[at] < below
        ]
        for at, rule, above, below in self._rules:
            if above < row[at] < below:
                value = np.float32(row[at])
                name = rule["name"]
                reason = {
                    "code": rule["reason_code"],
                    "text": f"rule {name}",
                    "feature": rule["feature"],
                    "value": value,
                }
                limit = rule.get("above", rule.get("below"))
                decided_by = {"kind": "rule", "name": name, "value": value, "limit": limit}
                return rule["decision"], decided_by, threshold, [reason, *reasons]
        decided_by = {
            "kind": "threshold",
            "name": "operating" if own is None else f"operating/{category}",
            "value": probability,
            "limit": threshold,
        }
        return ("alert" if probability >= threshold else "pass"), decided_by, threshold, reasons
