"""Downloads arrive whole and verified or not at all, whatever the server, the network and the disk do."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from advcourse.data import download
from advcourse.data.download import DataError, DownloadError, File, read, time_limit
from tests.data.misbehaving import CONTENT, MD5

# A process of its own that downloads one file. It imports download.py alone: without torch it starts at once.
DOWNLOAD = """
import sys
from pathlib import Path
module, folder, url, checksum = sys.argv[1:5]
sys.path.insert(0, module)
import download
download.folder = lambda: Path(folder)
content = download.read(download.File("set/file.bin", checksum, (url,)))
print(len(content))
"""


def start(place, url, before=""):
    environment = {name: value for name, value in os.environ.items() if name != "ADVCOURSE_DATA"}
    command = [sys.executable, "-c", before + DOWNLOAD, str(Path(download.__file__).parent), str(place), url, MD5]
    # A suite that a shell runs in the background ignores Ctrl-C, and so would this process.
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))


def files_in(place):
    """Everything below the folder that is a file: nothing half done may be among it."""
    return [path.relative_to(place).as_posix() for path in place.rglob("*") if path.is_file()]


def wait_for(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


def test_a_download_lands_whole_and_is_not_repeated(place, server):
    file = File("set/file.bin", MD5, (server.url("good"),))
    assert read(file) == CONTENT
    assert (place / "set/file.bin").read_bytes() == CONTENT
    assert read(file) == CONTENT
    assert server.seen.requests["good"] == 1
    assert [path.name for path in place.iterdir()] == ["set"]


@pytest.mark.parametrize(
    "behaviour, words, attempts",
    [
        ("missing", "404", 1),
        ("busy", "503", 3),
        ("page", "web page", 1),
        ("truncated", "damaged or cut short", 3),
        ("corrupted", "damaged or cut short", 3),
        ("cut", "connection was cut", 3),
        ("hang_up", "connection was cut", 3),
        ("silent", "does not answer", 1),
        ("stalled", "stopped sending", 3),
    ],
)
def test_every_failure_is_one_clear_error_and_leaves_nothing(place, server, behaviour, words, attempts):
    url = server.url(behaviour)
    with pytest.raises(DownloadError, match=words) as caught:
        read(File("set/file.bin", MD5, (url,)))
    message = str(caught.value)
    assert url in message and str(place / "set/file.bin") in message and 'DATASET = "fonts"' in message
    assert files_in(place) == [] and list(place.iterdir()) == []
    assert server.seen.requests[behaviour] == attempts


def test_a_web_page_under_a_wrong_type_is_recognised(place, server):
    server.seen.files["file.bin"] = b"\n <HTML><body>Not found</body></HTML>"
    with pytest.raises(DownloadError, match="web page"):
        read(File("set/file.bin", MD5, (server.url("good"),)))


@pytest.mark.parametrize("behaviour", ["cut_once", "busy_once"])
def test_a_passing_failure_is_tried_again_from_the_start(place, server, behaviour):
    assert read(File("set/file.bin", MD5, (server.url(behaviour),))) == CONTENT
    assert server.seen.requests[behaviour] == 2


def test_the_next_address_is_tried(place, server):
    file = File("set/file.bin", MD5, (server.url("missing"), server.url("page"), server.url("good")))
    assert read(file) == CONTENT


def test_no_connection(place, server):
    server.seen.server_close()
    server.seen.shutdown()
    with pytest.raises(DownloadError, match="no connection to the server"):
        read(File("set/file.bin", MD5, (server.url("good"),)))
    with pytest.raises(DownloadError, match="no connection to the server"):
        read(File("set/file.bin", MD5, ("http://no-such-host.invalid/file.bin",)))


@pytest.mark.parametrize("behaviour", ["silent", "drip", "stalled"])
def test_a_time_limit_holds_against_any_server(place, server, behaviour, monkeypatch):
    monkeypatch.setattr(download, "TIMEOUT", (10, 10))
    begin = time.monotonic()
    with pytest.raises(DownloadError, match="within the time allowed"), time_limit(0.6):
        read(File("set/file.bin", MD5, (server.url(behaviour),)))
    assert time.monotonic() - begin < 2
    assert list(place.iterdir()) == []


def test_a_time_limit_holds_against_a_silent_name_server(place, monkeypatch):
    monkeypatch.setattr("socket.getaddrinfo", lambda *arguments, **options: time.sleep(5))
    begin = time.monotonic()
    with pytest.raises(DownloadError, match="within the time allowed"), time_limit(0.6):
        read(File("set/file.bin", MD5, ("http://some-host.invalid/file.bin",)))
    assert time.monotonic() - begin < 2


def test_what_a_time_limit_left_behind_never_lands(place, server):
    with pytest.raises(DownloadError), time_limit(0.4):
        read(File("set/file.bin", MD5, (server.url("slow"),)))
    wait_for(lambda: server.seen.active == 0)
    assert list(place.iterdir()) == []


def test_no_time_means_no_request(place, server):
    with pytest.raises(DownloadError, match="no time was allowed"), time_limit(0), time_limit(100):
        read(File("set/file.bin", MD5, (server.url("good"),)))
    assert server.seen.requests["good"] == 0


def test_two_processes_at_once(place, server):
    """The server sends the second half to neither before both have the first."""
    both = [start(place, server.url("together")) for _ in range(2)]
    for process in both:
        output, errors = process.communicate(timeout=60)
        assert (process.returncode, output.strip()) == (0, str(len(CONTENT))), errors
    assert server.seen.requests["together"] == 2
    assert files_in(place) == ["set/file.bin"]
    assert [path.name for path in place.iterdir()] == ["set"]


def test_a_process_interrupted_leaves_nothing(place, server):
    process = start(place, server.url("stalled"))
    # Half of the file is there: nothing is being imported any more, where Python can lose a Ctrl-C.
    wait_for(lambda: any(path.stat().st_size > 0 for path in place.glob(".download-*/*")))
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode != 0
    assert list(place.iterdir()) == []


def test_a_process_killed_leaves_nothing_that_is_taken_for_data(place, server):
    process = start(place, server.url("drip"))
    wait_for(lambda: list(place.glob(".download-*/*")))
    process.kill()
    process.communicate(timeout=20)
    assert not (place / "set").exists()
    [left] = place.iterdir()
    assert read(File("set/file.bin", MD5, (server.url("good"),))) == CONTENT
    assert left.exists(), "it may belong to a running download"

    os.utime(left, (0, 0))
    read(File("set/other.bin", MD5, (server.url("good"),)))
    assert not left.exists(), "what is older than a day is swept up"


def test_a_full_disk(place, server):
    """A process that may write no file of more than 100 kB: the write fails as on a full disk."""
    process = start(place, server.url("good"), "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, "
                                               "(100_000, 100_000))\n")
    _, errors = process.communicate(timeout=60)
    assert "DownloadError" in errors and "no room for it on the disk" in errors
    assert list(place.iterdir()) == []


def test_a_disk_that_is_really_full(place, server):
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(place)]
    if not hasattr(os, "geteuid") or os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("mounting a small file system needs root")
    try:
        with pytest.raises(DownloadError, match="no room for it on the disk"):
            read(File("set/file.bin", MD5, (server.url("good"),)))
        assert list(place.iterdir()) == []
    finally:
        subprocess.run(["umount", str(place)], check=True)


def test_a_folder_that_cannot_be_written(place, server, monkeypatch):
    place.write_text("a file where the folder should be")
    with pytest.raises(DownloadError, match="writing below"):
        read(File("set/file.bin", MD5, (server.url("good"),)))
    monkeypatch.setattr("tempfile.mkdtemp", lambda
                        *arguments: (_ for _ in ()).throw(PermissionError(13, "Permission denied")))
    place.unlink()
    with pytest.raises(DownloadError, match="cannot be written to"):
        read(File("set/file.bin", MD5, (server.url("good"),)))


def test_the_checksum_is_verified_at_every_read(place, server):
    file = File("set/file.bin", MD5, (server.url("good"),))
    read(file)
    target = place / "set/file.bin"
    target.write_bytes(CONTENT[:-1] + b"?")
    with pytest.raises(DataError, match="is damaged") as caught:
        read(file)
    assert not isinstance(caught.value, DownloadError)
    assert str(target) in str(caught.value) and "Delete the file" in str(caught.value)
    target.unlink()
    assert read(file) == CONTENT


def test_data_of_ones_own_comes_first_and_may_be_read_only(place, server, tmp_path, monkeypatch):
    own = tmp_path / "own"
    (own / "set").mkdir(parents=True)
    (own / "set/file.bin").write_bytes(CONTENT)
    own.chmod(0o500)
    monkeypatch.setenv("ADVCOURSE_DATA", str(own))
    assert download.find("set/file.bin") == own / "set/file.bin"
    assert read(File("set/file.bin", MD5, (server.url("good"),))) == CONTENT
    assert server.seen.requests["good"] == 0
    read(File("set/other.bin", MD5, (server.url("good"),)))
    assert download.find("set/other.bin") == place / "set/other.bin"
    assert download.find("nowhere") is None
    (place / "set/file.bin").write_bytes(b"another")
    assert download.find("set/file.bin") == own / "set/file.bin"


def test_the_first_form_on_disk_is_read(place):
    (place / "set").mkdir(parents=True)
    (place / "set/file.bin").write_bytes(CONTENT)
    assert read(File("set/file.raw", "md5:0"), File("set/file.bin", MD5)) == CONTENT
    with pytest.raises(DownloadError, match="no address is known"):
        read(File("set/nothing.bin", MD5))


@pytest.mark.parametrize("disable", [None, "1"])
def test_the_progress_bar_shows_the_size_and_can_be_silenced(place, server, monkeypatch, disable):
    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    if disable:
        monkeypatch.setenv("TQDM_DISABLE", disable)
    _, errors = start(place, server.url("good")).communicate(timeout=60)
    assert errors == "" if disable else "600k" in errors and "file.bin" in errors


def test_downloads_land_in_the_checkout_or_in_the_cache(tmp_path, monkeypatch):
    assert download.folder().name == "data"
    assert (download.folder().parent / "pyproject.toml").is_file()
    monkeypatch.setattr(download.files, "PACKAGE", tmp_path / "site-packages" / "advcourse")
    assert download.folder().name == "advcourse"
    assert tmp_path not in download.folder().parents
