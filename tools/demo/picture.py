# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""Draw host memory over time as SVG.

The picture has a card of its own colour, so that it is readable on a light
and on a dark page. Events are numbers above the curve; their meaning is
listed below, so that events close to each other stay readable.
"""

from xml.sax.saxutils import escape

WIDTH = 960
LEFT, RIGHT, TOP = 72, 24, 128		# margins of the plot
PLOT_HEIGHT = 300
MARK = 9				# radius of an event's number
LINE = 22				# height of a line of the legend

STYLE = """
  text { font-family: 'DejaVu Sans', Verdana, Helvetica, sans-serif;
         font-size: 13px; fill: #24292f; }
  .title { font-size: 19px; font-weight: bold; }
  .small { font-size: 12px; fill: #57606a; }
  .number { font-size: 11px; font-weight: bold; fill: #ffffff;
            text-anchor: middle; }
"""


def nice_step(span, most):
    """A round step that gives at most `most` ticks over span."""
    step = 1.0
    while True:
        for factor in (1, 2, 5):
            if span / (step * factor) <= most:
                return step * factor
        step *= 10


class Plot:
    """Coordinates of the plot area."""

    def __init__(self, seconds, mib):
        self.seconds = max(seconds, 1.0)
        self.step = nice_step(mib, 6)
        if mib > 64:
            # Powers of two make better steps of MiB.
            self.step = 64 if mib <= 384 else 128
        self.mib = self.step * -(-mib // self.step)
        self.width = WIDTH - LEFT - RIGHT

    def x(self, seconds):
        return LEFT + self.width * seconds / self.seconds

    def y(self, mib):
        return TOP + PLOT_HEIGHT * (1 - mib / self.mib)


def _axes(plot):
    parts = []
    value = 0
    while value <= plot.mib:
        y = plot.y(value)
        parts.append('<line x1="%d" y1="%.1f" x2="%d" y2="%.1f" '
                     'stroke="#d0d7de"/>' % (LEFT, y, WIDTH - RIGHT, y))
        parts.append('<text class="small" x="%d" y="%.1f" '
                     'text-anchor="end">%d</text>' % (LEFT - 8, y + 4, value))
        value += plot.step
    step = nice_step(plot.seconds, 12)
    value = 0.0
    while value <= plot.seconds:
        x = plot.x(value)
        parts.append('<line x1="%.1f" y1="%d" x2="%.1f" y2="%d" '
                     'stroke="#8c959f"/>' % (x, TOP + PLOT_HEIGHT, x,
                                             TOP + PLOT_HEIGHT + 5))
        parts.append('<text class="small" x="%.1f" y="%d" '
                     'text-anchor="middle">%g s</text>'
                     % (x, TOP + PLOT_HEIGHT + 20, value))
        value += step
    parts.append('<text class="small" x="%d" y="%d">MiB</text>'
                 % (LEFT - 34, TOP - 14))
    return parts


def _curve(plot, samples):
    """A step curve, thinned to what the eye can see."""
    points = []
    for seconds, mib in samples:
        x, y = plot.x(seconds), plot.y(mib)
        if points and abs(y - points[-1][1]) < 0.4:
            continue
        if points:
            points.append((x, points[-1][1]))
        points.append((x, y))
    points.append((plot.x(samples[-1][0]), plot.y(samples[-1][1])))
    path = " ".join("%.1f,%.1f" % point for point in points)
    base = plot.y(0)
    area = "%.1f,%.1f %s %.1f,%.1f" % (points[0][0], base, path,
                                       points[-1][0], base)
    return ['<polygon points="%s" fill="#54aeff" fill-opacity="0.35"/>'
            % area,
            '<polyline points="%s" fill="none" stroke="#0969da" '
            'stroke-width="2"/>' % path]


def _rows(xs):
    """A row for each event's number, so that no two touch."""
    ends, rows = [], []
    for x in xs:
        for row, end in enumerate(ends):
            if x - end > 2 * MARK + 2:
                break
        else:
            row = len(ends)
            ends.append(0.0)
        ends[row] = x
        rows.append(row)
    return rows


def _events(plot, events):
    parts = []
    xs = [plot.x(seconds) for seconds, _, _ in events]
    for number, (x, row) in enumerate(zip(xs, _rows(xs)), 1):
        y = TOP - 16 - row * (2 * MARK + 2)
        parts.append('<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%d" '
                     'stroke="#cf222e" stroke-dasharray="3 3"/>'
                     % (x, y, x, TOP + PLOT_HEIGHT))
        parts.append('<circle cx="%.1f" cy="%.1f" r="%d" fill="#cf222e"/>'
                     % (x, y, MARK))
        parts.append('<text class="number" x="%.1f" y="%.1f">%d</text>'
                     % (x, y + 4, number))
    return parts


def _legend(events):
    parts = []
    half = (len(events) + 1) // 2
    for i, (seconds, mib, text) in enumerate(events):
        x = 36 + (WIDTH // 2 - 12) * (i // half)
        y = TOP + PLOT_HEIGHT + 58 + LINE * (i % half)
        parts.append('<circle cx="%d" cy="%d" r="%d" fill="#cf222e"/>'
                     % (x, y - 4, MARK))
        parts.append('<text class="number" x="%d" y="%d">%d</text>'
                     % (x, y, i + 1))
        parts.append('<text x="%d" y="%d">%s <tspan class="small">'
                     '(%.1f s, %d MiB)</tspan></text>'
                     % (x + 18, y, escape(text), seconds, mib))
    return parts


def draw(title, subtitle, timeline):
    """The whole picture as text."""
    samples, events = timeline.samples, timeline.events
    plot = Plot(samples[-1][0], max(mib for _, mib in samples))
    height = TOP + PLOT_HEIGHT + 58 + LINE * ((len(events) + 1) // 2) + 8
    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" '
        'viewBox="0 0 %d %d" role="img" aria-label="%s">'
        % (WIDTH, height, WIDTH, height, escape(title, {'"': "&quot;"})),
        "<style>%s</style>" % STYLE,
        '<rect x="0.5" y="0.5" width="%d" height="%d" rx="10" '
        'fill="#ffffff" stroke="#8c959f"/>' % (WIDTH - 1, height - 1),
        '<text class="title" x="24" y="34">%s</text>' % escape(title),
        '<text class="small" x="24" y="54">%s</text>' % escape(subtitle)]
    parts += _axes(plot) + _curve(plot, samples) + _events(plot, events)
    parts += _legend(events) + ["</svg>", ""]
    return "\n".join(parts)
