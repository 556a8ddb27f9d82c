"""The report in a real browser: nothing is blocked, the keyboard reaches all of it, a phone shows it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from support.sample_plan import sample_plan, sample_portfolio
from throttle.report import SECTIONS, render_report

pytestmark = pytest.mark.browser

_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage",
    "--window-size=1280,900",
)  # fmt: skip

_WATCH = """
window.violations = [];
document.addEventListener('securitypolicyviolation',
    e => window.violations.push(e.violatedDirective));
"""

Browser = Callable[..., webdriver.Chrome]


def _log(driver: webdriver.Chrome, kind: str) -> list[dict[str, Any]]:
    return list(driver.get_log(kind))  # type: ignore[no-untyped-call]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Starts browsers, once for each set of preferences; all are closed at the end."""
    found = shutil.which("chromium"), shutil.which("chromedriver")
    if not all(found):
        message = "no chromium with chromedriver: install Debian's chromium and chromium-driver"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    started: dict[str, webdriver.Chrome] = {}

    def start(**preferences: Any) -> webdriver.Chrome:
        key = json.dumps(preferences)
        if key not in started:
            options = webdriver.ChromeOptions()
            options.binary_location = str(found[0])
            for flag in (*_FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
                options.add_argument(flag)
            options.add_experimental_option("prefs", preferences)
            options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
            started[key] = webdriver.Chrome(options=options, service=Service(str(found[1])))
        return started[key]

    yield start
    for driver in started.values():
        driver.quit()


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory, ahead: Any) -> str:
    """With all sections: what was foreseen is of another portfolio, and said to be of this one."""
    portfolio = sample_portfolio()
    plan = sample_plan(portfolio)
    own = {"input_hash": plan.certificate.input_hash}
    answers = [answer.model_copy(update=own) for answer in ahead.answers]
    path: Path = tmp_path_factory.mktemp("report") / "index.html"
    path.write_text(render_report(plan, portfolio, answers), encoding="utf-8")
    return path.as_uri()


@pytest.fixture
def driver(browser: Browser, page: str) -> Iterator[webdriver.Chrome]:
    """A desktop browser that has just loaded the page, and notes what its security policy blocks."""
    driver = browser()
    noted = driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": _WATCH})
    driver.get(page)
    yield driver
    driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", noted)


def test_no_complaint_and_no_request(driver: webdriver.Chrome, page: str) -> None:
    assert _log(driver, "browser") == []
    assert driver.execute_script("return window.violations") == []
    events = [json.loads(entry["message"])["message"] for entry in _log(driver, "performance")]
    sent = [e["params"] for e in events if e["method"] == "Network.requestWillBeSent"]
    asked = {s["request"]["url"] for s in sent if s["documentURL"] == page}
    assert {url for url in asked if not url.startswith("data:")} == {page}


def test_style_applies_and_the_policy_blocks_the_rest(driver: webdriver.Chrome) -> None:
    """The page's own style passes by its hash; a script, a style and an image put in later do not."""
    nav = driver.find_element(By.TAG_NAME, "nav")
    assert nav.value_of_css_property("position") == "sticky"
    blocked = driver.execute_async_script("""
        const done = arguments[0];
        const script = document.createElement('script'); script.textContent = 'window.ran = true';
        const style = document.createElement('style'); style.textContent = 'nav { position: fixed !important }';
        const image = document.createElement('img'); image.src = 'https://blocked.invalid/x.png';
        document.body.append(script, style, image);
        setTimeout(() => done([window.ran === true, getComputedStyle(document.querySelector('nav')).position,
                               window.violations.sort()]), 200);
    """)
    assert blocked == [False, "sticky", ["img-src", "script-src-elem", "style-src-elem"]]
    _log(driver, "browser")


def test_keyboard_reaches_the_skip_link_then_every_section(driver: webdriver.Chrome) -> None:
    def focus(expression: str) -> Any:
        return driver.execute_script(f"const e = document.activeElement; return {expression}")

    def press(key: str) -> None:
        ActionChains(driver).send_keys(key).perform()

    press(Keys.TAB)
    assert focus("e.className") == "skip"
    assert focus("e.getBoundingClientRect().top") >= 0, "the skip link is not seen when it has the focus"
    assert focus("getComputedStyle(e).outlineStyle") == "solid"
    press(Keys.TAB)
    assert focus("e.tagName") == "SUMMARY"  # the table under the picture of the headline
    links = []
    for _ in SECTIONS:
        press(Keys.TAB)
        links.append(focus("e.getAttribute('href')"))
    assert links == [f"#{s.ident}" for s in SECTIONS]
    reached: list[str] = []
    for _ in range(200):
        press(Keys.TAB)
        ident = focus("(e.closest('section') || {}).id")
        if ident is None:
            break
        assert focus("getComputedStyle(e).outlineStyle") == "solid"
        if ident not in reached:
            reached.append(ident)
    # the example has no buffers and no debt, so these sections are a sentence with nothing to reach
    assert reached == [s.ident for s in SECTIONS if s.ident not in {"fever", "debts"}]


def test_skip_link_and_summaries_work_by_keyboard(driver: webdriver.Chrome) -> None:
    ActionChains(driver).send_keys(Keys.TAB, Keys.ENTER).perform()
    assert driver.execute_script("return document.activeElement.id") == "main"
    summary = driver.find_element(By.CSS_SELECTOR, "#projects > details > summary")
    assert driver.execute_script("return arguments[0].parentElement.open", summary) is False
    summary.send_keys(Keys.ENTER)
    assert driver.execute_script("return arguments[0].parentElement.open", summary) is True
    assert summary.find_element(By.XPATH, "..").find_element(By.TAG_NAME, "table").is_displayed()


@pytest.mark.parametrize("width", [320, 390, 800, 1280])
def test_the_page_never_scrolls_sideways(driver: webdriver.Chrome, page: str, width: int) -> None:
    metrics = {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width < 500}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    driver.get(page)
    driver.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")
    inner, scroll = driver.execute_script("return [innerWidth, document.documentElement.scrollWidth]")
    assert inner == width
    assert scroll <= width


def test_row_labels_stand_beside_their_rows(driver: webdriver.Chrome) -> None:
    """Labels are HTML and marks are SVG: their heights must agree to the pixel."""
    off = driver.execute_script("""
        document.querySelectorAll('details').forEach(d => d.open = true);
        return [...document.querySelectorAll('.chart')].flatMap(chart => {
            const top = chart.getBoundingClientRect().top + chart.clientTop;
            const rows = [...chart.querySelectorAll('.row')].map(r => r.getBoundingClientRect().top - top);
            const marks = [...chart.querySelectorAll('svg > g')].map(g => g.transform.baseVal[0].matrix.f);
            return rows.length === marks.length ? rows.map((y, i) => Math.abs(y - marks[i])) : [1e9];
        });
    """)
    assert len(off) > 20
    assert max(off) < 1


def test_light_and_dark(driver: webdriver.Chrome) -> None:
    def colors(scheme: str) -> tuple[int, int]:
        feature = {"name": "prefers-color-scheme", "value": scheme}
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
        style = "getComputedStyle(document.body)"
        found = driver.execute_script(f"return [{style}.backgroundColor, {style}.color]")
        paper, ink = (sum(map(int, color.removeprefix("rgb(").rstrip(")").split(","))) for color in found)
        return paper, ink

    light, dark = colors("light"), colors("dark")
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    assert light[0] > 700
    assert light[1] < 200
    assert dark[0] < 200
    assert dark[1] > 600


def test_text_has_contrast(driver: webdriver.Chrome) -> None:
    """WCAG 2.2 AA: text stands out from the page by 4.5 to 1 or more, in both schemes."""
    for scheme in ("light", "dark"):
        feature = {"name": "prefers-color-scheme", "value": scheme}
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
        worst = driver.execute_script("""
            const lum = c => {
                const [r, g, b] = c.match(/[0-9.]+/g).slice(0, 3).map(v => v / 255)
                    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
                return 0.2126 * r + 0.7152 * g + 0.0722 * b;
            };
            const behind = e => {
                for (; e; e = e.parentElement) {
                    const c = getComputedStyle(e).backgroundColor;
                    if (!c.startsWith('rgba(0, 0, 0, 0')) return c;
                }
            };
            let worst = [99, ''];
            for (const e of document.querySelectorAll('body *')) {
                if (e.closest('svg') || !e.offsetParent || ![...e.childNodes].some(n => n.nodeType === 3)) continue;
                const [a, b] = [lum(getComputedStyle(e).color), lum(behind(e))];
                const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
                if (ratio < worst[0]) worst = [ratio, e.outerHTML.slice(0, 120)];
            }
            return worst;
        """)
        assert worst[0] >= 4.5, (scheme, worst)
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_without_javascript(browser: Browser, page: str) -> None:
    driver = browser(**{"profile.managed_default_content_settings.javascript": 2})
    driver.get("data:text/html,<p id=p>off</p><script>document.getElementById('p').textContent = 'on'</script>")
    assert driver.find_element(By.ID, "p").text == "off", "JavaScript is on, so this test would prove nothing"
    driver.get(page)
    assert [e.text for e in driver.find_elements(By.TAG_NAME, "h2")] == [s.heading for s in SECTIONS]
    summary = driver.find_element(By.CSS_SELECTOR, "#people > details > summary")
    table = driver.find_element(By.CSS_SELECTOR, "#people > details table")
    assert not table.is_displayed()
    summary.click()
    assert table.is_displayed()
    driver.find_element(By.CSS_SELECTOR, "nav a[href='#certificate']").click()
    assert driver.current_url.endswith("#certificate")
