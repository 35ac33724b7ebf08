"""Files are there whole or not at all."""

import io
import zipfile
from pathlib import Path

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


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path):
    files.require_folder(tmp_path / "new" / "folder")
    assert list((tmp_path / "new/folder").iterdir()) == []
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=f"^{tmp_path / 'file'} is a file, where a folder is wanted$"):
        files.require_folder(tmp_path / "file")
    for place in (tmp_path / "file" / "below", Path("/proc/folder")):
        with pytest.raises(OSError, match=f"^nothing can be written to the folder {place}: "):
            files.require_folder(place)


def test_the_checkout_is_where_pyproject_is(tmp_path, monkeypatch):
    assert (files.checkout() / "advcourse" / "files.py").is_file()
    monkeypatch.setattr(files, "PACKAGE", tmp_path / "site-packages" / "advcourse")
    assert files.checkout() is None


@pytest.mark.parametrize("text, name", [
    ("ada", "ada"), ("Ada Lovelace", "Ada_Lovelace"), ("../../etc/passwd", "etc_passwd"), (".hidden", "hidden"),
    ("a\n<b>\0", "a_b"),
    ("o\u0308@uni.example", "\u00f6@uni.example"), ("x" * 300, "x" * 80)])
def test_a_safe_name_is_one_name_on_any_system(text, name):
    assert files.safe_name(text) == name


@pytest.mark.parametrize("letter", ["a", "é", "李", "𠮷"])
def test_a_safe_name_leaves_room_for_what_stands_around_it(tmp_path, letter):
    """Systems end at 255 bytes, and not at so many letters."""
    name = files.safe_name(letter * 300)
    assert set(name) == {letter} and len(name) >= 50
    files.write(tmp_path / f"01_{name}_submission.zip", b"")


@pytest.mark.parametrize("text", ["", "..", "/", "___", "\n"])
def test_what_makes_no_name_is_refused(text):
    with pytest.raises(ValueError, match="makes no file name"):
        files.safe_name(text)


def test_a_zip_gives_back_what_went_in():
    contents = {"a/ü.txt": "text, ü", "b.bin": bytes(range(256)) * 100}
    packed = files.zipped(contents)
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {"a/ü.txt": "text, ü".encode(),
                                                                             "b.bin": contents["b.bin"]}
    assert len(packed) < 2000, "it should be packed, not only stored"
