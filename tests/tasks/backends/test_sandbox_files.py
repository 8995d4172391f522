import os
import tempfile

import pytest

from tasks.backends import sandbox_files
from tasks.backends.sandbox_files import exceeds, remove


def deep(folder, depth):
    """Makes a chain of folders by going down it, as a program would."""
    here = os.getcwd()
    os.chdir(folder)
    try:
        for _ in range(depth):
            os.mkdir("d")
            os.chdir("d")
        with open("bottom", "w") as file:
            file.write("x")
    finally:
        os.chdir(here)


def test_a_tree_deeper_than_any_path_or_recursion_is_removed(tmp_path):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    deep(scratch, 2100)  # Python goes down a thousand, and the kernel 4,096 characters

    remove(str(scratch))
    assert not scratch.exists()


def test_links_are_removed_and_not_followed(tmp_path):
    kept, scratch = tmp_path / "kept", tmp_path / "scratch"
    kept.mkdir()
    (kept / "file").write_text("still here")
    (scratch / "a" / "b").mkdir(parents=True)
    (scratch / "link").symlink_to(kept)
    (scratch / "a" / "b" / "link").symlink_to(kept / "file")
    (scratch / "a" / "loop").symlink_to("..")
    remove(str(scratch))
    assert not scratch.exists()
    assert (kept / "file").read_text() == "still here"


def test_folders_nobody_may_enter_are_removed(tmp_path):
    inner = tmp_path / "scratch" / "a" / "b"
    inner.mkdir(parents=True)
    (inner / "x").write_text("x")
    for folder in (inner, inner.parent):
        folder.chmod(0)
    remove(str(tmp_path / "scratch"))
    assert not (tmp_path / "scratch").exists()


def test_what_is_not_there_is_no_fault(tmp_path):
    remove(str(tmp_path / "never"))
    assert not exceeds(str(tmp_path / "never"), 1)


@pytest.mark.parametrize(
    ("fill", "too_much"),
    [
        pytest.param(lambda folder: (folder / "small").write_bytes(b"x" * 1000), False, id="a small file"),
        pytest.param(lambda folder: (folder / "large").write_bytes(b"x" * 3_000_000), True, id="a large one"),
        pytest.param(
            lambda folder: [(folder / str(n)).write_bytes(b"x" * 300_000) for n in range(10)],
            True,
            id="many that add up",
        ),
        pytest.param(lambda folder: [(folder / str(n)).touch() for n in range(31)], True, id="too many"),
        pytest.param(lambda folder: deep(folder, 20), False, id="a few deep"),
        pytest.param(lambda folder: (folder / "link").symlink_to("/usr"), False, id="a link weighs nothing"),
    ],
)
def test_a_folder_is_weighed(tmp_path, fill, too_much, monkeypatch):
    monkeypatch.setattr(sandbox_files, "ENTRIES", 30)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    fill(scratch)
    assert exceeds(str(scratch), 2) == too_much
    remove(str(scratch))


def test_a_folder_whose_keeper_was_killed_goes_and_one_that_is_kept_stays(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    kept, keeper = sandbox_files.take()
    stale, killed = sandbox_files.take()
    young, gone = sandbox_files.take()
    for descriptor in (killed, gone):
        os.close(descriptor)
    for folder in (kept, stale):
        os.utime(folder, (1, 1))
    (tmp_path / "pairwright-sandbox-link").symlink_to(kept)
    fresh, last = sandbox_files.take()
    assert {path.name for path in tmp_path.iterdir()} == {
        os.path.basename(path) for path in (kept, young, fresh, "pairwright-sandbox-link")
    }
    os.close(keeper)
    os.close(last)
