"""The page in Debian's chromium."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time

import pytest

import ssnib_model as ss

CHROMIUM = shutil.which("chromium")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium here: apt-get install chromium"),
]

NAME = "Na3PS4 layer conductivity [S.m-1]"
LINE = "Discharge capacity [mAh/g]:"
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-first-run",
]  # fmt: skip


@pytest.fixture(scope="module")
def server():
    """The command, ended by Ctrl-C."""
    command = [sys.executable, "-m", "ssnib_model", "explore", "--no-browser"]
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    # what runs the tests may ignore Ctrl-C, and a child would inherit that
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    finally:
        signal.signal(signal.SIGINT, before)
    with process:
        line = process.stdout.readline()
        yield re.search(r"http://\S+", line)[0]
        process.send_signal(signal.SIGINT)
        try:
            assert process.wait(20) == 0
        finally:
            process.kill()


@pytest.fixture(scope="module")
def browser():
    api = pytest.importorskip("playwright.sync_api")
    with api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


def opened(browser, server):
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    page.asked = []
    page.on("request", lambda request: page.asked.append(request.url))
    page.goto(server)
    page.get_by_text("costs most").wait_for(timeout=60_000)
    return page


def at_2c(page):
    return float(re.search(r"([\d.]+) at 2 C", page.get_by_text(LINE).inner_text())[1])


def until(condition):
    for _ in range(600):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come")


def python(value):
    table = ss.RateTest([0.1, 0.2, 0.5, 1, 2]).run(
        parameters=ss.ParameterSet("Hu2024").replace({NAME: value})
    ).table  # fmt: skip
    return table["Discharge capacity [mA.h.g-1]"].iloc[-1]


def test_a_slider_a_bad_value_and_two_tabs(server, browser):
    page, other = opened(browser, server), opened(browser, server)
    before = at_2c(page)
    # a slider, by the keyboard
    handle = page.get_by_role("slider", name="Na3PS4 conductivity", exact=True)
    handle.focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    until(lambda: at_2c(page) > before)
    field = page.get_by_label("Na3PS4 conductivity [mS/cm]")
    time.sleep(2)
    assert at_2c(page) == pytest.approx(python(float(field.input_value()) / 10), abs=0.006)
    # the other tab is another design
    assert at_2c(other) == before
    # a bad value says why, and the last good curve stays
    good = at_2c(page)
    field.fill("-3")
    field.press("Enter")
    page.get_by_text("Shown is the last design that could be run").wait_for(timeout=30_000)
    assert at_2c(page) == good
    # a closed tab ends nothing
    page.close()
    assert at_2c(opened(browser, server)) == before
    asked = [url for p in (page, other) for url in p.asked if not url.startswith("data:")]
    assert asked
    assert {url.split("/")[2].split(":")[0] for url in asked} == {"127.0.0.1"}


def test_a_file_beside_the_model(server, browser, tmp_path):
    test = ss.Protocol(["Charge at C/2 until 4 V", "Discharge at 1 C until 2.5 V"])
    curves = test.run(parameters=ss.ParameterSet("Hu2024")).curves.drop_duplicates("Time [s]")
    file = tmp_path / "my test.csv"
    curves[["Time [s]", "Current [A]", "Voltage [V]"]].to_csv(file, index=False)
    page = opened(browser, server)
    page.locator("input[type=file]").set_input_files(file)
    said = page.get_by_text("root mean square")
    said.wait_for(timeout=60_000)
    assert float(re.search(r"voltages: ([\d.e-]+) mV", said.inner_text())[1]) < 1
    (tmp_path / "bad.csv").write_text("no table at all")
    page.locator("input[type=file]").set_input_files(tmp_path / "bad.csv")
    page.get_by_text("Shown is the last design").wait_for(timeout=30_000)
