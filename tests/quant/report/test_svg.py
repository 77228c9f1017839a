"""Charts as SVG, parsed as a browser would parse them."""

import math
import random
import re
from collections.abc import Iterator
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quant.report.chart import (
    INK,
    Area,
    Axis,
    Band,
    Bars,
    Chart,
    Line,
    Mark,
    Panel,
    Points,
    Rule,
    ScaleKind,
    thin,
)
from quant.report.svg import draw_both, draw_narrow

HOSTILE = "</text><script>alert('\"&amp;')</script>"
SVG = "{http://www.w3.org/2000/svg}"


def count(points: int) -> list[float]:
    return list(map(float, range(points)))


def spread(low: float, high: float, points: int) -> list[float]:
    return [low + (high - low) * each / max(points - 1, 1) for each in range(points)]


def chart(*marks: Mark, x: ScaleKind = "linear", y: ScaleKind = "linear") -> Chart:
    return Chart(Axis(scale=x), (Panel(Axis(scale=y), marks),))


def draw(*marks: Mark, x: ScaleKind = "linear", y: ScaleKind = "linear") -> ET.Element:
    return ET.fromstring(draw_narrow(chart(*marks, x=x, y=y), 216))


def find(drawn: ET.Element, name: str) -> list[ET.Element]:
    return drawn.findall(f".//{SVG}{name}")


def read_texts(drawn: ET.Element) -> list[str]:
    return [each.text or "" for each in find(drawn, "text")]


def read_points(shape: ET.Element) -> list[tuple[float, float]]:
    places = (each.split(",") for each in shape.attrib["points"].split())
    return [(float(x), float(y)) for x, y in places]


def read_numbers(drawn: ET.Element) -> Iterator[float]:
    for element in drawn.iter():
        for name, value in element.attrib.items():
            if name in {"points", "d", "x", "y", "x1", "cx", "cy", "width", "height", "transform"}:
                yield from map(float, re.sub(r"[A-Za-z(),]", " ", value).split())


def test_a_line_has_its_points_from_side_to_side() -> None:
    [line] = find(draw(Line(count(5), [0.0, 2, 1, 4, 3], INK)), "polyline")
    points = read_points(line)
    assert len(points) == 5
    across, up = zip(*points, strict=True)
    assert np.allclose(np.diff(across), across[1] - across[0], atol=0.11)
    # The highest value is the highest point, and y grows downwards.
    assert up.index(min(up)) == 3
    assert up.index(max(up)) == 0
    assert (up[0] - up[2]) / (up[0] - up[1]) == pytest.approx(0.5, abs=0.01)


def test_nan_interrupts_a_line_and_an_area_and_leaves_out_a_point() -> None:
    x, y = count(7), [1.0, 2.0, math.nan, 3.0, math.nan, math.nan, 4.0]
    lines = find(draw(Line(x, y, INK)), "polyline")
    # A point alone is a line of no length with round ends: a dot.
    assert [len(read_points(each)) for each in lines] == [2, 2, 2]
    assert [each.get("stroke-linecap") for each in lines] == [None, "round", "round"]
    assert len(set(read_points(lines[1]))) == 1
    assert [len(read_points(each)) for each in find(draw(Area(x, y, INK)), "polygon")] == [4, 3, 3]
    assert len(find(draw(Points(x, y, INK)), "circle")) == 4


def test_equal_factors_are_equal_distances_on_a_logarithmic_axis() -> None:
    drawn = draw(Line(count(4), [1.0, 10.0, 100.0, 1000.0], INK), y="log")
    _, up = zip(*read_points(find(drawn, "polyline")[0]), strict=True)
    assert np.allclose(np.diff(up), up[1] - up[0], atol=0.11)
    assert {"1", "10", "100", "1,000"} <= set(read_texts(drawn))


def test_a_ruined_account_falls_to_the_foot_of_a_logarithmic_axis() -> None:
    drawn = draw(Line(count(4), [1.0, 0.5, 0.0, -0.1], INK), y="log")
    [line] = find(drawn, "polyline")
    foot = max(
        y
        for each in find(drawn, "path")
        for y in map(float, re.findall(r"V([\d.]+)H", each.attrib["d"]))
    )
    assert [y == foot for _, y in read_points(line)] == [False, False, True, True]


def test_an_area_reaches_to_zero() -> None:
    drawn = draw(Area(count(3), [-10.0, -20.0, -5.0], INK))
    points = read_points(find(drawn, "polygon")[0])
    assert points[0][1] == points[-1][1] == min(y for _, y in points)
    assert "0" in read_texts(drawn)


def test_a_histogram_stands_on_its_axis_and_its_heights_are_the_counts() -> None:
    drawn = draw(Bars([0.0, 1.0, 2.0], [4.0, 2.0], INK), y="whole")
    up = [y for _, y in read_points(find(drawn, "polygon")[0])]
    assert len(up) == 6
    assert up[0] == up[-1] == max(up)
    assert (up[0] - up[1]) == pytest.approx(2.0 * (up[0] - up[3]), abs=0.2)
    assert all("." not in label for label in read_texts(drawn) if label.isdigit())


def test_a_note_stays_within_the_figure() -> None:
    for low, anchor in ((2.0, "start"), (9.9, "end")):
        drawn = draw(Line(count(11), count(11), INK), Band(low, 10.0, note="holdout"))
        [note] = [each for each in find(drawn, "text") if each.text == "holdout"]
        assert note.get("text-anchor") == anchor
        assert float(note.attrib["x"]) < 295.0


def test_the_mark_in_front_is_drawn_last_and_explained_in_its_place() -> None:
    x = count(3)
    drawn = draw(
        Line(x, x, "#000001", "one", in_front=True),
        Line(x, x, "#000002", "two"),
    )
    samples_then_lines = [each.get("stroke") for each in find(drawn, "polyline")]
    assert samples_then_lines == ["#000001", "#000002", "#000002", "#000001"]
    assert [text for text in read_texts(drawn) if text.isalpha()] == ["one", "two"]


def test_a_legend_has_columns_if_it_does_not_fit_into_a_line() -> None:
    x = count(3)
    few = draw_both(chart(*(Line(x, x, INK, f"line {each}") for each in range(3))), 300, 300)
    many = draw_both(
        chart(*(Line(x, x, INK, f"{each}. a-strategy") for each in range(12))), 300, 300
    )
    for drawing, lines in ((few.broad, 1), (few.narrow, 1), (many.broad, 2), (many.narrow, 4)):
        texts = [
            each
            for each in find(ET.fromstring(drawing), "text")
            if "i" in (each.text or "") or "strategy" in (each.text or "")
        ]
        assert len({each.attrib["y"] for each in texts}) == lines
        places = [(each.attrib["x"], each.attrib["y"]) for each in texts]
        assert len(set(places)) == len(places)
    # The legend takes no room from the panels.
    assert 'viewBox="0 0 302 342"' in many.narrow
    long = draw(Line(x, x, INK, "x" * 100))
    assert f"{'x' * 57}\N{HORIZONTAL ELLIPSIS}" in read_texts(long)


def test_hostile_names_are_text() -> None:
    x = count(3)
    panel = Panel(Axis(HOSTILE), (Line(x, x, INK, HOSTILE), Band(0.0, 2.0, HOSTILE, HOSTILE)))
    drawing = draw_both(Chart(Axis(HOSTILE), (panel,)), 300, 300)
    drawn = ET.fromstring(drawing.broad)
    assert read_texts(drawn).count(HOSTILE) == 5
    assert "<script" not in drawing.broad + drawing.narrow


def test_a_drawing_is_the_same_each_time_and_has_no_ids() -> None:
    def make() -> Chart:
        times = [3600.0 * each for each in range(3000)]
        chosen = random.Random(3)
        values = [math.exp(0.01 * chosen.gauss()) for _ in times]
        return chart(Line(times, values, INK, "equity"), x="time", y="log")

    assert draw_both(make(), 300, 300) == draw_both(make(), 300, 300)
    assert not re.search(r"\bid=|href|url\(|<style", "".join(draw_both(make(), 300, 300)))


@pytest.mark.parametrize("scale", ["linear", "whole", "log"])
@pytest.mark.parametrize(
    "values", [[], [1.0], [0.0], [3.0] * 9, [math.nan] * 9, [math.inf, -math.inf]]
)
def test_little_to_show_is_shown(values: list[float], scale: ScaleKind) -> None:
    x, y = count(len(values)), values
    for kind in ("linear", "time"):
        drawn = draw(Line(x, y, INK), Area(x, y, INK), Points(x, y, INK), x=kind, y=scale)
        known = sum(map(math.isfinite, y))
        assert len(find(drawn, "circle")) == known
        assert len(find(drawn, "polyline")) == (known > 0)
        assert all(map(math.isfinite, read_numbers(drawn)))


def test_thinning_keeps_both_ends_and_at_most_a_thousand_points() -> None:
    assert thin(0) == []
    assert thin(1) == [0]
    assert thin(1000) == list(range(1000))
    shown = thin(5_000_000)
    assert (len(shown), shown[0], shown[-1]) == (1000, 0, 4_999_999)
    assert (np.diff(shown) > 0).all()


numbers = st.lists(st.floats(), max_size=12)
kinds = st.sampled_from(["linear", "whole", "log"])


@given(numbers, st.floats(-1e12, 1e12), kinds, st.sampled_from(["linear", "whole", "time"]))
def test_whatever_the_values_coordinates_are_within_the_figure(
    y: list[float], at: float, scale: ScaleKind, across: ScaleKind
) -> None:
    x = spread(-1e9, 2e9, len(y))
    drawn = draw(
        *(Line(x, y, INK, "a"), Area(x, y, INK), Points(x, y, INK), Rule("y", at)),
        *(Band(-1e8, 1e8, "b", "c"), Rule("x", 0.0)),
        x=across,
        y=scale,
    )
    # Ticks are relative, and names are turned.
    assert {each for each in read_numbers(drawn) if not 0.0 <= each <= 302.0} <= {-3.0, -90.0}


@given(st.lists(st.floats(0.0, 1e12), min_size=5, max_size=5))
def test_whatever_the_counts_bars_are_within_the_figure(heights: list[float]) -> None:
    drawn = draw(Bars(spread(-1.0, 1.0, 6), heights, INK), y="whole")
    assert all(0.0 <= number <= 302.0 for number in read_numbers(find(drawn, "polygon")[0]))
