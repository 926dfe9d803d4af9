#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""doc/performance.adoc and its pictures from what "make bench" measured.

usage: report.py JSON TEMPLATE BUDGETS DOC

The template is the page, with lines that stand for what was measured:

  @host			the machine
  @table PREFIX		rows whose case begins so, medians
  @picture FILE PREFIX	bars of the same, FILE beside DOC
  @budgets PREFIX	instructions of "make bench-ir", as budgets.txt has them
"""

import json
import os
import sys

US = "libfph"


def get_cases(rows, prefix):
    """{case: {who: row}} in the order of the run"""
    cases = {}
    for row in rows:
        if row["case"].startswith(prefix):
            cases.setdefault(row["case"], {})[row["who"]] = row
    if not cases:
        sys.exit("report.py: nothing was measured of " + prefix)
    return cases


def number(value):
    return "%.0f" % value if value >= 100 else "%.3g" % value


def make_table(rows, prefix):
    cases = get_cases(rows, prefix)
    others = []
    for case in cases.values():
        others += [who for who in case if who != US and who not in others]
    unit = next(iter(next(iter(cases.values())).values()))["unit"]
    lines = ['[cols="3%s"]' % (",1" * (1 + len(others))), "|==="]
    lines.append("| | %s, %s | %s" % (US, unit, " | ".join(others))
                 if others else "| | %s, %s" % (US, unit))
    lines.append("")
    for name, case in cases.items():
        ours = case[US]["median"]
        cells = [name[len(prefix):].lstrip(", ") or name, number(ours)]
        for who in others:
            if who in case:
                theirs = case[who]["median"]
                cells.append("%s (%.2f x)" % (number(theirs), theirs / ours))
            else:
                cells.append("-")
        lines.append("| " + " | ".join(cells))
    return lines + ["|==="]


def make_picture(rows, prefix):
    """How many times as long the others take, as an SVG of bars."""
    bars = []
    for name, case in get_cases(rows, prefix).items():
        for who, row in case.items():
            if who != US:
                bars.append((name[len(prefix):].lstrip(", "), who,
                             row["median"] / case[US]["median"]))
    most = max(ratio for _, _, ratio in bars)
    height = 24 * len(bars) + 40
    out = ['<svg xmlns="http://www.w3.org/2000/svg" width="760" height="%d" '
           'font-family="sans-serif" font-size="13">' % height,
           '<rect width="100%" height="100%" fill="white"/>',
           '<text x="8" y="20">%s: time of others, in times of libfph'
           "</text>" % prefix.strip(", ")]
    line = 320 + 360 / most
    for i, (name, who, ratio) in enumerate(bars):
        top = 32 + 24 * i
        out.append('<text x="312" y="%d" text-anchor="end">%s, %s</text>' % (
            top + 14, name, who.replace("'", "&#39;")))
        out.append('<rect x="320" y="%d" width="%.1f" height="18" '
                   'fill="%s"/>' % (top, 360 * ratio / most,
                                    "#4a7ab5" if ratio >= 1 else "#c06040"))
        out.append('<text x="%.1f" y="%d">%.2f</text>' % (
            326 + 360 * ratio / most, top + 14, ratio))
    out.append('<line x1="%.1f" x2="%.1f" y1="28" y2="%d" stroke="black" '
               'stroke-dasharray="4 3"/>' % (line, line, height - 8))
    return out + ["</svg>"]


def make_budgets(path, prefix):
    lines = ['[cols="3,1,1"]', "|===", "| | at most | wanted", ""]
    with open(path, encoding="ascii") as budgets:
        for line in budgets:
            if not line.strip() or line.startswith("#"):
                continue
            budget, target, name = line.rstrip().split(None, 2)
            if name.startswith(prefix):
                lines.append("| %s | %s | %s" % (name, budget, target))
    return lines + ["|==="]


def main():
    measured, template, budgets, doc = sys.argv[1:]
    with open(measured, encoding="utf-8") as source:
        data = json.load(source)
    rows = data["rows"]
    out = []
    with open(template, encoding="utf-8") as lines:
        for line in lines.read().splitlines():
            word, _, rest = line.partition(" ")
            if word == "@host":
                out.append("%s; %s; %s." % (data["cpu"], data["kernel"],
                                            data["compiler"]))
            elif word == "@table":
                out += make_table(rows, rest)
            elif word == "@budgets":
                out += make_budgets(budgets, rest)
            elif word == "@picture":
                name, prefix = rest.split(" ", 1)
                path = os.path.join(os.path.dirname(doc), name)
                with open(path, "w", encoding="utf-8") as picture:
                    picture.write("\n".join(make_picture(rows, prefix)) +
                                  "\n")
                out.append("image::%s[%s]" % (name, prefix))
            else:
                out.append(line)
    with open(doc, "w", encoding="utf-8") as page:
        page.write("\n".join(out) + "\n")


if __name__ == "__main__":
    main()
