import os
import stat
import subprocess
import sys

import pytest

from diagnose.errors import InputError
from diagnose.files import locked, write_whole


@pytest.fixture
def umask():
    """Sets the umask for one test."""
    before = os.umask(0o022)
    yield os.umask
    os.umask(before)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def permissions(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("data", [b"", b"new", bytes(range(256)) * 5000])
def test_a_new_and_an_old_file_end_up_with_the_data_and_nothing_beside(tmp_path, data):
    for _ in range(2):
        write_whole(tmp_path / "out.json", data)
        assert (tmp_path / "out.json").read_bytes() == data
    assert names(tmp_path) == ["out.json"]


def test_a_bare_name_is_written_in_the_working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_whole("out.json", b"here")
    assert (tmp_path / "out.json").read_bytes() == b"here"


def test_a_full_disk_leaves_the_old_file_and_nothing_beside(tmp_path):
    resource = pytest.importorskip("resource", reason="needs a limit on file sizes (POSIX)")
    target = tmp_path / "out.wav"
    target.write_bytes(b"old")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
    try:
        with pytest.raises(InputError) as caught:
            write_whole(target, bytes(20_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert str(caught.value) == f"{target}: cannot be written (File too large)"
    assert target.read_bytes() == b"old"
    assert names(tmp_path) == ["out.wav"]


def test_a_rename_that_fails_leaves_the_old_file_and_nothing_beside(tmp_path, monkeypatch):
    target = tmp_path / "out.wav"
    target.write_bytes(b"old")

    def refuse(source, target):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(InputError, match="Read-only file system"):
        write_whole(target, b"new")
    assert target.read_bytes() == b"old"
    assert names(tmp_path) == ["out.wav"]


@pytest.mark.parametrize(
    "make",
    [
        lambda folder: folder / "missing" / "out.wav",
        lambda folder: (folder / "file").write_bytes(b"") or folder / "file" / "out.wav",
        lambda folder: (folder / "folder").mkdir() or folder / "folder",
        lambda folder: folder / ("n" * 300),
        lambda folder: folder / "null\0byte",
    ],
    ids=["missing folder", "file as folder", "a folder itself", "name too long", "null byte"],
)
def test_what_cannot_be_written_is_one_line_that_begins_with_the_path(tmp_path, make):
    target = make(tmp_path)
    before = names(tmp_path)
    with pytest.raises(InputError) as caught:
        write_whole(target, b"data")
    text = str(caught.value)
    assert text.startswith(f"{target}: cannot be written (")
    assert len(text.splitlines()) == 1
    assert names(tmp_path) == before


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
@pytest.mark.parametrize("mask", [0o022, 0o027, 0o077, 0o000])
def test_a_new_file_has_the_permissions_open_would_give_it(tmp_path, umask, mask):
    umask(mask)
    write_whole(tmp_path / "ours", b"")
    (tmp_path / "theirs").open("wb").close()
    assert permissions(tmp_path / "ours") == permissions(tmp_path / "theirs") == 0o666 & ~mask
    assert umask(mask) == mask  # asking for it has not changed it


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
@pytest.mark.parametrize("mode", [0o600, 0o664, 0o755])
def test_an_old_file_keeps_its_permissions(tmp_path, umask, mode):
    target = tmp_path / "out"
    target.write_bytes(b"old")
    target.chmod(mode)
    write_whole(target, b"new")
    assert permissions(target) == mode


def test_a_link_is_written_through_and_stays_a_link(tmp_path):
    (tmp_path / "real").mkdir()
    target, link = tmp_path / "real" / "out", tmp_path / "link"
    link.symlink_to(target)
    for data in (b"through a dangling link", b"and again"):
        write_whole(link, data)
        assert link.is_symlink()
        assert target.read_bytes() == data


# One writer at a time

COUNT = """
import sys
from diagnose.files import locked, write_whole
for _ in range(25):
    with locked(sys.argv[1]):
        with open(sys.argv[1]) as file:
            count = int(file.read())
        write_whole(sys.argv[1], str(count + 1).encode())
"""


def test_processes_that_change_one_file_take_turns(tmp_path):
    path = tmp_path / "count"
    path.write_text("0")
    running = [subprocess.Popen([sys.executable, "-c", COUNT, str(path)]) for _ in range(4)]
    assert [process.wait(600) for process in running] == [0] * 4
    assert path.read_text() == "100"
    assert [one.name for one in tmp_path.iterdir()] == ["count"]


def test_one_that_waits_too_long_is_told_in_one_line(tmp_path):
    path = tmp_path / "golden.toml"
    with locked(path), pytest.raises(InputError, match=r"locked by another process for over 0\.2 s"):
        hold_again(path)


def hold_again(path):
    code = "import sys; from diagnose.files import locked\nwith locked(sys.argv[1], 0.2): pass"
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, timeout=600)
    raise InputError(done.stderr.splitlines()[-1])
