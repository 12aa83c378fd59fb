"""Makes explore.png, the picture of the page: needs Debian's chromium and playwright."""

import re
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]


def main():
    command = [sys.executable, "-u", "-m", "ssnib_model", "explore", "--no-browser"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    address = re.search(r"http://\S+", server.stdout.readline())[0]
    try:
        with sync_playwright() as playwright:
            chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
            page = chromium.new_page(viewport={"width": 1400, "height": 1000})
            page.goto(address)
            page.get_by_text("costs most").wait_for(timeout=60_000)
            page.get_by_role("button", name="Pin for comparison").click()
            field = page.get_by_label("Na3PS4 conductivity [mS/cm]")
            field.fill("0.4")
            field.press("Enter")
            page.get_by_role("button", name="Impedance").click()
            page.get_by_text("Impedance: dotted").wait_for(timeout=60_000)
            page.wait_for_timeout(1500)
            page.screenshot(path=Path(__file__).with_name("explore.png"))
            chromium.close()
    finally:
        server.terminate()


if __name__ == "__main__":
    main()
