"""A line chart as SVG: logarithmic x axis, linear y axis from zero. Readable on light and on dark pages."""

import math
from xml.sax.saxutils import escape

COLOURS = "#2f6fde", "#d1570f", "#23863a", "#8b45c6", "#b8860b", "#c2255c"
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 760, 400, 70, 190, 40, 50


def short(value):
    """1000 as 1k, 2500000 as 2.5M."""
    for limit, unit in (1e6, "M"), (1e3, "k"):
        if value >= limit:
            return f"{value / limit:g}{unit}"
    return f"{value:g}"


def step(maximum):
    """A round distance of about five ticks up to `maximum`."""
    magnitude = 10 ** math.floor(math.log10(maximum / 5))
    return next(magnitude * factor for factor in (1, 2, 5, 10) if magnitude * factor * 5 >= maximum)


def chart(title, x_label, y_label, series):
    """`series`: {name: [(x, y), ...]}; x and y are above zero."""
    xs = sorted({x for points in series.values() for x, _ in points})
    top = max(y for points in series.values() for _, y in points) * 1.05
    low, high = math.log10(xs[0]), math.log10(xs[-1])
    width, height = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def place(x, y):
        share = (math.log10(x) - low) / (high - low) if high > low else 0.5
        return LEFT + share * width, TOP + height * (1 - y / top)

    parts = []

    def text(x, y, content, anchor="middle", colour="#777", more=""):
        parts.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}"{more}>{escape(content)}</text>')

    def line(x1, y1, x2, y2):
        parts.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="#888" stroke-opacity="0.35"/>')

    text(LEFT, TOP - 16, title, "start", more=' font-weight="bold"')
    text(LEFT + width / 2, HEIGHT - 10, x_label)
    text(16, TOP + height / 2, y_label, more=f' transform="rotate(-90 16 {TOP + height / 2:.1f})"')
    for x in xs:
        line(place(x, 0)[0], TOP, *place(x, 0))
        text(place(x, 0)[0], TOP + height + 18, short(x))
    tick = step(top)
    for count in range(int(top / tick) + 1):
        line(LEFT, place(xs[0], count * tick)[1], LEFT + width, place(xs[0], count * tick)[1])
        text(LEFT - 8, place(xs[0], count * tick)[1] + 4, short(count * tick), "end")
    for number, (name, points) in enumerate(series.items()):
        colour = COLOURS[number % len(COLOURS)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(*point) for point in points))
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += (f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in (place(*point) for point in points))
        text(LEFT + width + 14, TOP + 10 + 20 * number, name, "start", colour)
    body = "\n".join(parts)
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
            f'font-size="12">\n{body}\n</svg>\n')
