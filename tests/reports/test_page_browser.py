"""The page in a real browser: hover, keyboard, folding, filters, and nothing a stranger wrote acts."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import pytest

from luthier.report import MarkedText, Table
from luthier.reports.charts import Bar, Bars, Histogram, LineChart, Series
from luthier.reports.excerpts import Answer, Comparison, SideBySide, TokenView
from luthier.reports.page import Page, Prose, Raw, render

CHROMIUM = Path("/usr/bin/chromium")
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="chromium is not installed at /usr/bin/chromium")

HOSTILE = "<script>document.title='pwned'</script><img src=https://example.com/x onerror=\"document.title='pwned'\">"


def report() -> Page:
    steps = list(range(200))
    loss = [math.nan if 90 <= step < 100 else 5 / (1 + step / 20) for step in steps]
    rows = [
        Comparison(f"row {i}", f"prompt {i} {HOSTILE}", "reference", (
            Answer(HOSTILE, {"F1": 0.5}), Answer(f"answer {i}", {"F1": i / 20}),
        ))
        for i in range(20)
    ]  # fmt: skip
    return Page(
        "A report",
        [("rows", "200")],
        [
            Prose("Verdict", HOSTILE, "verdict"),
            Table("Scores", ("metric", HOSTILE), (("exact match", "0.5"),)),
            LineChart("Loss", [Series("train", steps, loss), Series("validation", [0, 100, 199], [5.0, 1.0, 0.5])]),
            Bars("Bars", [Bar("base", 0.1, 0.0, 0.2)]),
            Histogram.of("Lengths", [1, 2, 2, 3, 30], bins=10, x_label="tokens"),
            TokenView(
                "Tokens",
                [
                    MarkedText(
                        "row 1",
                        (
                            (HOSTILE, False),
                            ("x", True),
                        ),
                    )
                ],
            ),
            SideBySide("Answers", ("base", "tuned"), rows),
            Raw("spec.yaml", HOSTILE),
        ],
    )


class Opened:
    """A page in the browser, with everything it said or asked for on the side."""

    def __init__(self, page: object) -> None:
        self.page: playwright.Page = page
        self.said: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    with playwright.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def opened(browser: playwright.Browser, tmp_path: Path) -> Iterator[Opened]:
    file = tmp_path / "report.html"
    file.write_text(render(report()), encoding="utf-8")
    page = browser.new_page(viewport={"width": 1000, "height": 800})
    watched = Opened(page)
    page.goto(file.as_uri())
    yield watched
    page.close()
    assert watched.said == []
    assert watched.requests == [file.as_uri()]


def test_what_a_stranger_wrote_is_shown_and_does_nothing(opened: Opened) -> None:
    assert opened.page.title() == "A report"
    assert opened.page.locator("img, main script").count() == 0
    assert HOSTILE in opened.page.locator("section.verdict p").inner_text()


def test_the_content_policy_stops_what_is_smuggled_in(browser: playwright.Browser, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text(render(report()).replace("</main>", HOSTILE + "</main>"), encoding="utf-8")
    page = browser.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(file.as_uri())
    assert page.title() == "A report"
    assert len([line for line in said if "Content Security Policy" in line]) >= 2
    page.close()


def test_the_pointer_and_the_arrow_keys_read_values(opened: Opened) -> None:
    plot, tip = opened.page.locator(".plot").first, opened.page.locator(".tip").first
    assert not tip.is_visible()
    plot.hover(position={"x": 1, "y": 50})
    assert tip.inner_text().splitlines() == ["step 0", "train 5", "validation 5"]
    assert opened.page.locator(".dot").count() == 2
    plot.focus()
    plot.press("End")
    assert "step 199" in tip.inner_text()
    plot.press("ArrowLeft")
    assert "step 198" in tip.inner_text()
    assert "validation 0.5 (step 199)" in tip.inner_text()
    assert "step 198, train" in (plot.get_attribute("aria-valuetext") or "")
    plot.press("Escape")
    assert not tip.is_visible()


def test_a_tip_never_leaves_the_screen_of_a_phone(opened: Opened) -> None:
    opened.page.set_viewport_size({"width": 360, "height": 700})
    plot = opened.page.locator(".plot").first
    plot.focus()
    for _ in range(11):
        plot.press("PageUp")
        box = opened.page.locator(".tip").first.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 360
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= 360


def test_the_axis_switches_between_linear_and_logarithmic(opened: Opened) -> None:
    figure = opened.page.locator("figure.chart").first
    linear, log = figure.locator("g.linear path").first, figure.locator("g.log path").first
    assert (linear.is_visible(), log.is_visible()) == (True, False)
    figure.get_by_role("button", name="log").click()
    assert (linear.is_visible(), log.is_visible()) == (False, True)
    assert figure.get_by_role("button", name="log").get_attribute("aria-pressed") == "true"
    before = figure.locator(".plot").bounding_box()
    assert before is not None
    figure.locator(".plot").hover(position={"x": before["width"] - 1, "y": 20})
    drawn = figure.locator("g.log circle").last.get_attribute("cy") or ""
    shown = figure.locator(".dot").last.evaluate("dot => dot.style.top")
    assert float(shown.strip("%")) == pytest.approx(float(drawn.strip("%")), abs=0.1)


def test_a_histogram_says_its_columns(opened: Opened) -> None:
    plot = opened.page.locator(".plot").nth(1)
    plot.focus()
    plot.press("Home")
    assert opened.page.locator(".tip").nth(1).inner_text().splitlines() == ["0–2 tokens", "3 rows"]


def visible_rows(opened: Opened) -> list[str]:
    rows = opened.page.locator(".answers details.row:visible .label")
    return [label.inner_text() for label in rows.all()]


def test_answers_are_filtered_sorted_found_and_folded(opened: Opened) -> None:
    answers = opened.page.locator(".answers")
    assert len(visible_rows(opened)) == 20
    answers.get_by_role("button", name="Worst").click()
    assert visible_rows(opened) == [f"row {i}" for i in range(10)]
    answers.get_by_role("button", name="Best").click()
    assert visible_rows(opened) == [f"row {i}" for i in range(19, 9, -1)]
    answers.get_by_role("button", name="Changed").click()
    assert "row 10" not in visible_rows(opened)
    assert visible_rows(opened)[0] == "row 0"
    answers.get_by_role("button", name="All", exact=True).click()
    assert visible_rows(opened) == [f"row {i}" for i in range(20)]
    answers.get_by_role("searchbox").fill("ANSWER 17")
    assert visible_rows(opened) == ["row 17"]
    assert answers.locator(".status").inner_text() == "1 of 20 shown"
    answers.get_by_role("searchbox").fill("")
    answers.get_by_role("button", name="Open all").click()
    assert answers.locator("details[open]").count() == 20
    answers.get_by_role("button", name="Close all").click()
    assert answers.locator("details[open]").count() == 0


def test_raw_text_unfolds_with_the_keyboard(opened: Opened) -> None:
    raw = opened.page.locator("details.raw")
    assert raw.locator("pre").is_visible() is False
    raw.locator("summary").focus()
    opened.page.keyboard.press("Enter")
    assert raw.locator("pre").inner_text() == HOSTILE


def test_every_control_has_a_name_and_can_be_reached(opened: Opened) -> None:
    nameless = opened.page.evaluate(
        """[...document.querySelectorAll('button, input, a, summary, [tabindex]')]
           .filter(e => !(e.getAttribute('aria-label') || e.textContent.trim())).length"""
    )
    assert nameless == 0
