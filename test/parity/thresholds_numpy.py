"""
A threshold proposal once more, with numpy and the definitions in the model's spec alone: every possible cut is tried by
brute force. Shares no code with domain/thresholds. Reads columns and a policy as JSON, prints JSON.

python thresholds_numpy.py INPUT.json
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

import numpy as np

WEEK_MS = 7 * 86_400_000


def cuts(probability: np.ndarray) -> np.ndarray:
    """1 (nothing, unless something is certain), then half-way between neighbours, then everything."""
    values = np.unique(probability)[::-1]
    none = [1.0] if values[0] < 1 else []
    return np.concatenate([none, (values[:-1] + values[1:]) / 2, values[-1:]])


def alerts_at(rows: dict, threshold) -> np.ndarray:
    alert = rows["probability"] >= threshold
    return np.where(rows["decider"] == 0, alert, rows["decider"] == 2)


def saved(rows: dict, alert: np.ndarray, policy: dict) -> float:
    known = rows["label"] != 2
    caught = (rows["label"] == 1) & alert
    return rows["amount"][caught].sum() * policy["missed_share"] - (alert & known).sum() * policy["review"]


def best(rows: dict, policy: dict) -> float:
    free = {name: column[rows["decider"] == 0] for name, column in rows.items()}
    return max(cuts(free["probability"]), key=lambda t: (round(saved(free, free["probability"] >= t, policy), 6), t))


def budget(rows: dict, share: float, at_least: int) -> float | None:
    free = rows["probability"][rows["decider"] == 0]
    ruled = (rows["decider"] == 2).sum()
    fits = [t for t in cuts(free) if ruled + (free >= t).sum() <= share * len(rows["probability"])]
    if not fits or ruled + (free >= min(fits)).sum() < at_least:
        return None
    return min(fits)


def take(rows: dict, mask: np.ndarray) -> dict:
    return {name: column[mask] for name, column in rows.items()}


def choose(rows: dict, policy: dict) -> dict | None:
    known = rows["label"] != 2
    if known.sum() < policy["min_rows"] or (rows["label"] == 1).sum() < policy["min_frauds"]:
        return None
    own, budgets = {}, {str(share): {} for share in policy["budgets"]}
    for segment in np.unique(rows["segment"][rows["segment"] >= 0]):
        part = take(rows, rows["segment"] == segment)
        if (part["label"] != 2).sum() < policy["min_category_rows"]:
            continue
        if (part["label"] == 1).sum() < policy["min_category_frauds"]:
            continue
        own[int(segment)] = best(part, policy)
        for share in policy["budgets"]:
            found = budget(part, share, 5)
            if found is not None:
                budgets[str(share)][int(segment)] = found
    overall = {str(share): budget(rows, share, 1) or 1.0 for share in policy["budgets"]}
    return {"overall": best(rows, policy), "own": own, "budgets": budgets, "budget_overall": overall}


def figures(rows: dict, alert: np.ndarray, policy: dict, days: float) -> dict:
    fraud, known = rows["label"] == 1, rows["label"] != 2
    tp, looked = (fraud & alert).sum(), (alert & known).sum()
    return {
        "precision": tp / looked if looked else None,
        "recall": tp / fraud.sum() if fraud.any() else None,
        "f1": 2 * tp / (looked + fraud.sum()) if fraud.any() else None,
        "alerts_per_day": alert.sum() / days,
        "saved_per_day": saved(rows, alert, policy) / days,
        "missed_per_day": rows["amount"][fraud & ~alert].sum() * policy["missed_share"] / days,
    }


def thresholds_of(rows: dict, overall: float, own: dict) -> np.ndarray:
    return np.array([own.get(int(segment), overall) for segment in rows["segment"]])


def precision_at(rows: dict, share: float) -> float:
    part = take(rows, rows["label"] != 2)
    order = np.lexsort((np.arange(len(part["score"])), -part["score"]))
    return float((part["label"][order][: math.ceil(share * len(order))] == 1).mean())


def main() -> None:
    document = json.loads(Path(sys.argv[1]).read_text())
    policy, old = document["policy"], document["old"]
    rows = {name: np.array(column) for name, column in document["columns"].items()}
    days = (policy["to"] - policy["from"]) / 86_400_000
    found = choose(rows, policy)
    old_alerts = alerts_at(rows, thresholds_of(rows, old["overall"], {int(k): v for k, v in old["own"].items()}))
    new_alerts = alerts_at(rows, thresholds_of(rows, found["overall"], found["own"]))
    segments = {
        int(s): take({**rows, "old": old_alerts, "new": new_alerts}, rows["segment"] == s)
        for s in np.unique(rows["segment"][rows["segment"] >= 0])
    }
    weeks = []
    for week in range(policy["weeks"], 0, -1):
        start = policy["to"] - week * WEEK_MS
        inside = (rows["booked_at"] >= start) & (rows["booked_at"] < start + WEEK_MS)
        part = take(rows, inside)
        earlier = choose(take(rows, rows["booked_at"] < start), policy)
        walked = (
            None
            if earlier is None
            else figures(part, alerts_at(part, thresholds_of(part, earlier["overall"], earlier["own"])), policy, 7)
        )
        weeks.append(
            {
                "old": figures(part, old_alerts[inside], policy, 7),
                "new": figures(part, new_alerts[inside], policy, 7),
                "walk_forward": walked,
            }
        )
    result = {
        "thresholds": found,
        "old": figures(rows, old_alerts, policy, days),
        "new": figures(rows, new_alerts, policy, days),
        "segments": {
            s: {which: figures(part, part[which], policy, days) for which in ("old", "new")}
            for s, part in segments.items()
        },
        "precision_at": {str(share): precision_at(rows, share) for share in policy["budgets"]},
        "weeks": weeks,
    }
    print(json.dumps(result))


main()
