"""Files are there whole or not at all."""

import pytest

from advcourse import files


@pytest.mark.parametrize("content, stored", [("first é", "first é".encode()), (b"\x00\xff", b"\x00\xff")])
def test_text_and_bytes_in_a_new_folder(tmp_path, content, stored):
    files.write(tmp_path / "new" / "file", content)
    assert (tmp_path / "new" / "file").read_bytes() == stored


@pytest.mark.parametrize("failing", ["replace", "write"])
def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, failing):
    target = tmp_path / "file"
    files.write(target, "old")
    if failing == "replace":
        monkeypatch.setattr(files.os, "replace", lambda *paths: 1 / 0)
    else:
        def full_disk(path, content):
            with open(path, "wb") as file:
                file.write(content[:2])
            raise ZeroDivisionError

        monkeypatch.setattr(files.Path, "write_bytes", full_disk)
    with pytest.raises(ZeroDivisionError):
        files.write(target, "new")
    assert target.read_text() == "old" and [path.name for path in tmp_path.iterdir()] == ["file"]


def test_the_checkout_is_where_pyproject_is(tmp_path, monkeypatch):
    assert (files.checkout() / "advcourse" / "files.py").is_file()
    monkeypatch.setattr(files, "__file__", str(tmp_path / "site-packages" / "advcourse" / "files.py"))
    assert files.checkout() is None
