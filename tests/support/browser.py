"""Headless Chromium for tests of pages: as root, without a network of its own, with an empty profile each time."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

CHROMIUM, DRIVER = "/usr/bin/chromium", "/usr/bin/chromedriver"
AXE = Path(__file__).parents[2] / ".venv" / "npm" / "axe.min.js"
SWITCHES = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--hide-scrollbars"),
)


def needed() -> None:
    """Skip where there is no browser, and say why."""
    pytest.importorskip("selenium", reason="selenium is not installed: pip install -r requirements-dev.lock")
    for program in (CHROMIUM, DRIVER):
        if shutil.which(program) is None:
            pytest.skip(f"no {program}: scripts/setup-system installs it")


def axe() -> str:
    """The source of axe-core; skips without it."""
    if not AXE.is_file():
        pytest.skip("no axe-core: scripts/setup-npm fetches it")
    return AXE.read_text("utf-8")


@contextmanager
def browser(profile: Path) -> Iterator[Any]:
    """A driver, ended at the end."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for switch in (*SWITCHES, f"--user-data-dir={profile}"):
        options.add_argument(switch)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    os.environ["SE_AVOID_STATS"] = "true"
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    try:
        yield driver
    finally:
        driver.quit()


def seen_as(driver: Any, width: int, scheme: str = "light", media: str = "") -> None:
    """Width in CSS pixels, light or dark, and `print` or the screen."""
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": features})
