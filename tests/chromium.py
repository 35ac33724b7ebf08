"""The browser of the tests that look at pages: Chromium, or Chrome, which is the same to them."""

import shutil

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
needs_chromium = pytest.mark.skipif(not CHROMIUM, reason="Chromium is not installed")
