"""Runs an exported script without a screen, and prints what it drew as JSON: python drawn.py SCRIPT"""
import json
import math
import runpy
import sys
import warnings

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt  # noqa: E402
from matplotlib.colors import to_hex  # noqa: E402


def number(value):
    return None if math.isnan(value) else float(value)


def image(drawn):
    cells = drawn.get_array().filled(math.nan)
    return {
        "cells": [[number(cell) for cell in row] for row in cells],
        "limits": [number(end) for end in drawn.get_clim()],
        "colors": [to_hex(drawn.cmap(end)) for end in (0.0, 0.5, 1.0)],
    }


def bars(container):
    return {
        "label": container.get_label(),
        "color": to_hex(container.patches[0].get_facecolor()) if container.patches else None,
        "bars": [[number(bar.get_x()), number(bar.get_width()), number(bar.get_height())] for bar in container.patches],
    }


# A script must not lean on what matplotlib is about to drop.
warnings.simplefilter("error")
warnings.filterwarnings("ignore", message=".*non-interactive.*")
runpy.run_path(sys.argv[1])
figure = plt.gcf()
axes = [
    {
        "title": axes.get_title(loc="left"),
        "labels": [axes.get_xlabel(), axes.get_ylabel()],
        "x_limits": [number(end) for end in axes.get_xlim()],
        "y_scale": axes.get_yscale(),
        "background": to_hex(axes.get_facecolor()),
        "series": [bars(container) for container in axes.containers],
        "lines": [[number(x) for x in line.get_xdata()] for line in axes.lines],
        "images": [image(drawn) for drawn in axes.images],
        "texts": [[text.get_text(), *map(number, text.get_position())] for text in axes.texts],
        "ticks": [[label.get_text() for label in axis.get_ticklabels()] for axis in (axes.xaxis, axes.yaxis)],
    }
    for axes in figure.axes
]
legend = [text.get_text() for legend in figure.legends for text in legend.get_texts()]
print(json.dumps({"axes": axes, "legend": legend}))
