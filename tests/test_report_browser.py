"""The page of `nsm-gate report` in a real Chromium, opened from disk: no complaint, no request, nothing acts."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.report_logs import HOSTILE, hostile_runs, lab, many
from tests.support import ROOT, Repo, a_run, gate

Browse = Callable[..., Any]
LOG = "experiments/training_log.jsonl"


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return a function that gives a report by name, each written once."""
    made: dict[str, Path] = {}

    def give(name: str) -> Path:
        if name not in made:
            repo = Repo.init(tmp_path_factory.mktemp(name) / "lab")
            for path, data in logs(name).items():
                repo.write(path, data)
            result = gate("report", "-o", "report.html", cwd=repo.path, env=repo.env)
            assert (result.code, result.err) == (0, "")
            made[name] = repo.path / "report.html"
        return made[name]

    return give


def logs(name: str) -> dict[str, Any]:
    if name == "example":
        return {path: (ROOT / "examples/nsm" / path).read_bytes() for path in (LOG, "baselines.jsonl")}
    if name == "hostile":
        return {LOG: hostile_runs()}
    if name == "many":
        return {LOG: many(5_000)}
    if name == "empty":
        return {LOG: b""}
    if name == "bare":
        bare = [
            {"timestamp": f"2025-11-01T00:0{n}:00Z", "run_data": {"run_id": f"bare_{n}"}} for n in range(3)
        ]
        return {LOG: [*bare, {"run_data": {}}]}
    if name == "huge":
        return {
            LOG: [
                a_run("ordinary_20251101"),
                a_run("huge_20251102", 1, huge),
                a_run("tiny_20251103", 2, tiny),
            ]
        }
    runs, baselines = lab()
    return {LOG: runs, "baselines.jsonl": baselines}


def huge(run: dict[str, Any]) -> None:
    run["final_metrics"] |= {"accuracy": 1e308, "cycle_loss": -1e308, "task_loss": 1e16}
    run["metrics_history"] = [{"epoch": e, "val_loss": 10.0 ** (e * 100)} for e in (1, 2, 3)]


def tiny(run: dict[str, Any]) -> None:
    run["final_metrics"] |= {"accuracy": 5e-324, "cycle_loss": 0, "task_loss": -0.0}
    run["metrics_history"] = [{"epoch": e, "val_loss": 0.5} for e in (1, 2, 3)]


def drawn(page: Any) -> None:
    """Wait until every chart that is shown is drawn, those out of sight too."""
    page.wait_for_function(
        "() => [...document.querySelectorAll('.plot')].every(p => !p.clientWidth || p.firstElementChild)"
    )


def names(page: Any) -> list[str]:
    return [link.inner_text() for link in page.locator(".runs tbody th a").all()]


# --- nothing is said, nothing is fetched ----------------------------------------------------------------


@pytest.mark.parametrize("scheme", ("light", "dark"))
@pytest.mark.parametrize("name", ("example", "lab", "hostile", "empty", "bare", "huge"))
def test_it_opens_without_a_complaint_or_a_request(
    name: str, scheme: str, browse: Browse, reports: Callable[[str], Path]
) -> None:
    opened = browse(color_scheme=scheme)
    page = opened.open(reports(name))
    drawn(page)
    for address in page.evaluate(
        "[...document.querySelectorAll('.runs tbody a')].map(a => a.hash).slice(0, 20)"
    ):
        page.evaluate("hash => { location.hash = hash }", address)
        page.wait_for_selector("#run h1")
        drawn(page)
    opened.quiet(reports(name))


def test_without_scripts_the_verdicts_are_there(browse: Browse, reports: Callable[[str], Path]) -> None:
    opened = browse(java_script_enabled=False)
    opened.page.goto(reports("lab").as_uri())
    assert opened.page.locator("#verdicts .groups").is_visible()
    assert "need JavaScript" in opened.page.locator("noscript p").inner_text()
    assert not opened.page.locator("#filters").is_visible()


def test_the_policy_holds_back_what_it_does_not_name(browse: Browse, reports: Callable[[str], Path]) -> None:
    """The last line of defence works by itself: a script that got in would not run."""
    opened = browse()
    page = opened.open(reports("lab"))
    page.evaluate(
        "() => { const s = document.createElement('script'); s.text = 'window.pwned=1'; document.body.append(s) }"
    )
    assert page.evaluate("fetch('https://example.org/').then(() => 'sent', () => 'held back')") == "held back"
    assert page.evaluate("window.pwned") is None
    assert any("Content Security Policy" in said for said in opened.complaints)


# --- hostile text ---------------------------------------------------------------------------------------


def test_hostile_text_shows_as_text(browse: Browse, reports: Callable[[str], Path]) -> None:
    opened = browse()
    page = opened.open(reports("hostile"))
    drawn(page)
    shown = page.locator("#table").inner_text()
    for number, text in enumerate(HOSTILE):
        if text.isprintable():
            assert f"{text}{number}" in shown
    assert "a\\u2028b\\u2029c\\u202ed\\u0000e\\u001b[31mf9" in shown
    # Each is opened, hovered over and searched for; each control that holds such texts is used.
    for number, address in enumerate(
        page.evaluate("[...document.querySelectorAll('.runs tbody a')].map(a => a.hash)")
    ):
        page.evaluate("hash => { location.hash = hash }", address)
        page.wait_for_selector("#run h1")
        drawn(page)
        if number == 0:
            page.locator("#run .plot").first.hover()
        assert page.locator("#run h1").inner_text() in shown
    page.evaluate("() => { location.hash = '#/runs' }")
    for select in ("metric", "setting", "measure", "filter-type", "filter-domain"):
        for value in page.evaluate(
            "id => [...document.getElementById(id).options].map(o => o.value)", select
        ):
            page.select_option(f"#{select}", value)
        page.select_option(f"#{select}", index=0)
    drawn(page)
    page.fill("#q", HOSTILE[0])
    page.wait_for_function("() => document.getElementById('count').textContent.startsWith('1 of')")
    assert page.evaluate("window.pwned") is None
    assert (
        page.evaluate("document.querySelectorAll('img, iframe, object, embed, [onerror], [onload]').length")
        == 0
    )
    assert page.evaluate("document.querySelectorAll('script:not([type])').length") == 2
    opened.quiet(reports("hostile"))


@pytest.mark.parametrize(
    "address", ("#/run/%E0%A4%A", "#/run/none", "#/runs?type=<img>&page=-3&sort=constructor", "#<b>")
)
def test_an_odd_address_does_no_harm(address: str, browse: Browse, reports: Callable[[str], Path]) -> None:
    opened = browse()
    page = opened.open(reports("lab"), address)
    drawn(page)
    if "/run/" in address:
        assert page.locator("#run h1").inner_text() == "No such run"
    else:
        assert page.locator("#verdicts").is_visible()
    assert opened.complaints == []


# --- filters, sorting, pages ----------------------------------------------------------------------------


def test_filters_narrow_the_table_and_the_charts(browse: Browse, reports: Callable[[str], Path]) -> None:
    page = browse().open(reports("lab"))
    drawn(page)
    assert page.locator("#count").inner_text() == "8 runs"
    page.select_option("#filter-type", "dual_pass_validation")
    assert page.locator("#count").inner_text() == "4 of 8 runs"
    page.select_option("#filter-verdict", "missed")
    wanted = {"baseline_single_pass_20251101", "dual_pass_learned_20251103", "dual_pass_attention_20251104"}
    assert wanted <= set(names(page))
    count = len(names(page))
    page.wait_for_function(
        "n => document.querySelector('#progress-said').textContent.includes(`of ${n} runs`)", arg=count
    )
    page.fill("#q", "ATTENTION")
    page.wait_for_function("() => document.getElementById('count').textContent === '1 of 8 runs'")
    assert names(page) == ["dual_pass_attention_20251104"]
    page.fill("#q", "no run says this")
    page.get_by_text("No run passes these filters.").wait_for()
    page.click("#reset")
    assert page.locator("#count").inner_text() == "8 runs"


def test_the_address_keeps_the_filters(browse: Browse, reports: Callable[[str], Path]) -> None:
    page = browse().open(reports("lab"))
    page.select_option("#filter-domain", "planning")
    page.click("[data-sort=name]")
    kept = page.evaluate("location.hash")
    before = names(page)
    other = browse().open(reports("lab"), kept)
    assert other.locator("#filter-domain").input_value() == "planning"
    assert names(other) == before == sorted(before)


def test_a_number_of_the_verdicts_leads_to_its_runs(browse: Browse, reports: Callable[[str], Path]) -> None:
    page = browse().open(reports("lab"))
    link = page.locator(".groups td a[href*='dual_pass_validation'][href*='verdict=missed']")
    count = int(link.inner_text())
    link.click()
    page.wait_for_function(
        "n => document.getElementById('count').textContent.startsWith(`${n} of`)", arg=count
    )
    assert len(names(page)) == count
    assert page.locator("#filter-verdict").input_value() == "missed"


def test_sorting_goes_both_ways_and_puts_what_is_missing_last(
    browse: Browse, reports: Callable[[str], Path]
) -> None:
    page = browse().open(reports("lab"))
    head = page.locator(".runs th", has_text="Accuracy")

    def column() -> list[str]:
        return [row.locator("td.n").first.inner_text() for row in page.locator(".runs tbody tr").all()]

    head.locator("button").click()
    assert head.get_attribute("aria-sort") == "descending"
    falling = column()
    head.locator("button").click()
    assert head.get_attribute("aria-sort") == "ascending"
    rising = column()
    assert falling[-1] == rising[-1] == ""
    numbers = [float(text) for text in rising[:-1]]
    assert numbers == sorted(numbers)
    assert [float(text) for text in falling[:-1]] == numbers[::-1]


def test_the_page_of_a_run(browse: Browse, reports: Callable[[str], Path]) -> None:
    page = browse().open(reports("lab"))
    page.get_by_role("link", name="dual_pass_attention_20251104").first.click()
    run = page.locator("#run")
    run.locator("h1", has_text="dual_pass_attention_20251104").wait_for()
    assert page.title() == "dual_pass_attention_20251104 · Experiment report"
    assert "Beats the random baseline" in run.locator(".notes").inner_text()
    row = run.locator(".verdicts tbody tr", has_text="balance_delta").first
    assert [cell.inner_text() for cell in row.locator("td").all()][:2] == ["missed", "0.6"]
    assert "< 0.30" in row.inner_text()
    changed = run.locator(".diff tbody tr", has_text="fusion_mode")
    assert [cell.inner_text() for cell in changed.locator("td").all()] == ["attention", "null"]
    drawn(page)
    assert run.locator(".curves svg").count() == 2
    assert run.locator(".fields", has_text="learning_rate").first.is_visible()
    # To the run that it was compared with, and back.
    run.locator(".diff + *, .said a", has_text="baseline_single_pass_20251101").first.click()
    run.locator("h1", has_text="baseline_single_pass_20251101").wait_for()
    page.go_back()
    run.locator("h1", has_text="dual_pass_attention_20251104").wait_for()
    run.get_by_role("link", name="All runs").click()
    page.locator("#overview").wait_for()
    assert page.title() == "Experiment report"
    failed = page.get_by_role("link", name="planning_failed_20251106").first
    failed.click()
    assert "CUDA out of memory" in run.locator(".error-text").inner_text()


def test_a_point_of_a_chart_tells_its_run_and_leads_to_it(
    browse: Browse, reports: Callable[[str], Path]
) -> None:
    page = browse().open(reports("lab"))
    page.locator("#progress").scroll_into_view_if_needed()
    drawn(page)
    point = page.locator("#progress-plot .mark-symbol path").first
    point.hover()
    tip = page.locator(".tip")
    tip.wait_for()
    name = tip.locator("b").inner_text()
    point.click()
    page.locator("#run h1", has_text=name).wait_for()


# --- by keyboard, on paper, on a phone ------------------------------------------------------------------


def test_it_works_by_keyboard(browse: Browse, reports: Callable[[str], Path]) -> None:
    page = browse().open(reports("lab"))
    focused = "() => document.activeElement.textContent || document.activeElement.id"
    page.keyboard.press("Tab")
    assert page.evaluate(focused) == "Skip to the content"
    page.focus("#q")
    page.keyboard.type("dual_pass")
    page.wait_for_function("() => document.getElementById('count').textContent === '4 of 8 runs'")
    page.focus("[data-sort=name]")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.dataset.sort") == "name", "the focus stays on the header"
    assert page.locator(".runs th").first.get_attribute("aria-sort") == "ascending"
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('.runs tbody a')"):
            break
    name = page.evaluate(focused)
    assert name == names(page)[0]
    page.keyboard.press("Enter")
    page.locator("#run h1", has_text=name).wait_for()
    assert page.evaluate(focused) == name, "the heading of the run has the focus"
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    page.go_back()
    page.wait_for_function("() => !document.getElementById('overview').hidden")
    assert page.evaluate(focused) == name, "the focus is back on the link that was followed"


def test_every_control_and_picture_has_a_name(browse: Browse, reports: Callable[[str], Path]) -> None:
    page = browse().open(reports("example"))
    drawn(page)
    unnamed = page.evaluate(
        """() => [...document.querySelectorAll('button, select, input, [role=img], [role=region]')]
        .filter(e => e.clientWidth && !(e.ariaLabel || e.textContent.trim() && !e.matches('select')
          || e.labels?.length || e.getAttribute('aria-labelledby'))).map(e => e.outerHTML.slice(0, 120))"""
    )
    assert unnamed == []
    heads = page.evaluate(
        "[...document.querySelectorAll('#overview h1, #overview h2, #overview h3')].map(h => h.tagName)"
    )
    assert heads[0] == "H1"
    assert heads.count("H1") == 1


def test_text_stands_out_from_its_ground_in_both_themes(
    browse: Browse, reports: Callable[[str], Path]
) -> None:
    """WCAG 2.1, 1.4.3: at least 4.5 to 1 for text, 1.4.11: 3 to 1 for the marks of an outcome."""
    ratio = """names => {
      const probe = document.body.appendChild(document.createElement('i'));
      const light = name => {
        probe.style.color = `var(--${name})`;
        const [r, g, b] = getComputedStyle(probe).color.match(/[\\d.]+/g).map(Number)
          .map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      const [one, other] = names.map(light).sort((a, b) => b - a);
      return (one + 0.05) / (other + 0.05);
    }"""
    for scheme in ("light", "dark"):
        page = browse(color_scheme=scheme).open(reports("empty"))
        for ground in ("paper", "wash", "card"):
            for text in ("ink", "muted", "accent"):
                assert page.evaluate(ratio, [text, ground]) >= 4.5, (scheme, text, ground)
            for mark in ("met", "missed", "unknown"):
                assert page.evaluate(ratio, [mark, ground]) >= 3, (scheme, mark, ground)


@pytest.mark.parametrize("width", (320, 390, 768, 1280))
def test_nothing_sticks_out_of_a_narrow_window(
    width: int, browse: Browse, reports: Callable[[str], Path]
) -> None:
    opened = browse()
    opened.page.set_viewport_size({"width": width, "height": 800})
    for name in ("example", "hostile"):
        page = opened.open(reports(name))
        drawn(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.evaluate("() => { location.hash = document.querySelector('.runs tbody a').hash }")
        page.wait_for_selector("#run h1")
        drawn(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    opened.complaints.clear()


def test_it_prints_every_run_that_passes_on_white(browse: Browse, reports: Callable[[str], Path]) -> None:
    opened = browse(color_scheme="dark")
    page = opened.open(reports("example"))
    drawn(page)
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert not page.locator(".bar").is_visible()
    rows = page.evaluate(
        """() => { dispatchEvent(new Event('beforeprint'));
        const rows = document.querySelectorAll('.runs tbody tr').length; dispatchEvent(new Event('afterprint'));
        return [rows, document.querySelectorAll('.runs tbody tr').length] }"""
    )
    assert rows == [54, 50]
    assert page.pdf(prefer_css_page_size=True).startswith(b"%PDF")
    opened.quiet(reports("example"))


def test_a_dark_page_prints_as_a_light_one(browse: Browse, reports: Callable[[str], Path]) -> None:
    printed = []
    for scheme in ("dark", "light"):
        page = browse(color_scheme=scheme).open(reports("example"))
        drawn(page)
        printed.append(re.sub(rb"/(CreationDate|ModDate) \([^)]*\)", b"", page.pdf()))
    assert printed[0] == printed[1]


def test_the_theme_can_be_chosen(browse: Browse, reports: Callable[[str], Path]) -> None:
    page = browse(color_scheme="light").open(reports("lab"))
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.click("#theme")
    assert page.evaluate(ground) == light
    page.click("#theme")
    assert page.locator("#theme").inner_text() == "Theme: dark"
    assert page.evaluate(ground) != light


# --- very many ------------------------------------------------------------------------------------------


def test_5000_runs_load_filter_sort_and_open(browse: Browse, reports: Callable[[str], Path]) -> None:
    opened = browse()
    page = opened.open(reports("many"))
    drawn(page)
    assert page.locator("#count").inner_text() == "5,000 runs"
    assert page.locator(".runs tbody tr").count() == 50
    # So many points are drawn on a canvas; the elements of the page stay few.
    assert page.locator("#progress-plot canvas").count() == 1
    assert page.evaluate("document.querySelectorAll('*').length") < 5_000
    page.fill("#q", "run_00042")
    page.wait_for_function("() => document.getElementById('count').textContent === '1 of 5,000 runs'")
    page.fill("#q", "")
    page.wait_for_function("() => document.getElementById('count').textContent === '5,000 runs'")
    page.click("[data-sort=name]")
    assert names(page)[0] == "run_00000_20250101"
    page.locator("#pages button", has_text="Last").click()
    assert names(page)[-1] == "run_04999_20250101"
    page.get_by_role("link", name="run_04999_20250101").click()
    page.locator("#run h1", has_text="run_04999_20250101").wait_for()
    drawn(page)
    # The last block alone was read, beside those of the learning curves that were drawn.
    assert page.locator("#run .curves svg").count() == 1
    opened.quiet(reports("many"))
