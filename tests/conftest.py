"""Tests on real data skip themselves, with the reason, where the data cannot be had."""

from pathlib import Path

import pytest

from advcourse.data import DownloadError

TESTS_OF_DOWNLOADS = Path(__file__).parent / "data"  # there a failed download is the subject, not a missing condition


def skip_without_data(item):
    try:
        return (yield)
    except DownloadError as error:
        if item.path.parent == TESTS_OF_DOWNLOADS:
            raise
        pytest.skip(str(error).splitlines()[0])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item):
    return (yield from skip_without_data(item))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    return (yield from skip_without_data(item))
