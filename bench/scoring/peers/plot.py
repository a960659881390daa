"""Draws what `npm run bench:scoring` measured: `plot.py FILE.svg < figures.json`."""

from __future__ import annotations

import json
import statistics
import sys

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt

CONNECTIONS = {"at16": "16 connections", "at64": "64 connections"}
COLOURS = {"at16": "#7fb3d5", "at64": "#1f618d"}


def bars(axes, contenders, keys, title):
    height = 0.8 / len(keys)
    for place, key in enumerate(keys):
        values = [one[key] for one in contenders]
        middle = [statistics.median(rounds) for rounds in values]
        pairs = list(zip(middle, values, strict=True))
        spread = [[m - min(r) for m, r in pairs], [max(r) - m for m, r in pairs]]
        at = [position + place * height for position in range(len(contenders))]
        drawn = axes.barh(
            at, middle, height, xerr=spread, color=COLOURS.get(key, "#1f618d"), label=CONNECTIONS.get(key)
        )
        axes.bar_label(drawn, [f"{value:,.0f}" for value in middle], padding=4, fontsize=8)
    axes.set_yticks([p + 0.4 - height / 2 for p in range(len(contenders))], [one["title"] for one in contenders])
    axes.invert_yaxis()
    axes.set_title(title, loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    axes.margins(x=0.15)


def main() -> None:
    contenders = list(json.load(sys.stdin).values())
    figure, (single, lists) = plt.subplots(2, 1, figsize=(9, 7), height_ratios=[6, 4], layout="constrained")
    bars(
        single,
        contenders,
        list(CONNECTIONS),
        "Requests/s on one core, one transaction each (median; range of the rounds)",
    )
    single.legend(loc="upper right", frameon=False)
    bars(lists, [one for one in contenders if "listRows" in one], ["listRows"], "Rows/s on one core, lists of 1,000")
    figure.savefig(sys.argv[1])


main()
