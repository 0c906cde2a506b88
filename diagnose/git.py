"""Queries to git: the user, the branch, and a temporary checkout of another revision."""

from __future__ import annotations

import contextlib
import getpass
import os
import subprocess
import tempfile
from typing import TYPE_CHECKING

from diagnose.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

QUICK_S = 10.0
# What git tells its hooks of their repository: with them, a command in another folder would write into this one.
OF_A_HOOK = frozenset(
    f"GIT_{name}"
    for name in ("DIR", "WORK_TREE", "INDEX_FILE", "PREFIX", "COMMON_DIR", "OBJECT_DIRECTORY", "NAMESPACE")
) | {"GIT_ALTERNATE_OBJECT_DIRECTORIES"}


def ask(folder: str | os.PathLike[str], *words: str, wait_s: float | None = QUICK_S) -> str | None:
    """What `git words` prints for a folder; None where there is no git, no repository, or no answer."""
    try:
        done = _git(folder, *words, wait_s=wait_s)
    except (OSError, subprocess.SubprocessError, UnicodeError):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _git(folder: str | os.PathLike[str], *words: str, wait_s: float | None = None) -> subprocess.CompletedProcess[str]:
    command = ["git", "-C", os.fspath(folder), *words]  # git as the user has it
    return subprocess.run(  # noqa: S603
        command, capture_output=True, text=True, timeout=wait_s, check=False, env=environment()
    )


def environment() -> dict[str, str]:
    """This process's, without what binds git to one repository: for a process in another folder."""
    return {name: value for name, value in os.environ.items() if name not in OF_A_HOOK}


def user() -> str:
    """Git's user where there is one, else the login name."""
    name = ask(os.curdir, "config", "user.name")
    if name:
        return name
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container's user without a name
        return "unknown"


def branch(folder: str | os.PathLike[str]) -> str | None:
    """The branch that is checked out; where a CI service checks out a commit alone, the one it says it is of."""
    name = ask(folder, "symbolic-ref", "--short", "--quiet", "HEAD")
    said = (os.environ.get(variable) for variable in ("GITHUB_HEAD_REF", "GITHUB_REF_NAME", "CI_COMMIT_REF_NAME"))
    return name or next((each for each in said if each), None)


@contextlib.contextmanager
def worktree(folder: str | os.PathLike[str], revision: str) -> Iterator[tuple[str, str]]:
    """(root of the repository that folder is in, a temporary checkout of its tracked files at that revision).

    Raises InputError in one line where folder is in no repository or git knows no such revision.
    """
    root = ask(folder, "rev-parse", "--show-toplevel")
    if root is None:
        raise InputError(f"{os.fspath(folder)}: is not in a git repository")
    commit = ask(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    if commit is None:
        shallow = ask(folder, "rev-parse", "--is-shallow-repository") == "true"
        hint = "this clone is shallow: `git fetch --unshallow` fetches the rest" if shallow else "see `git log`"
        raise InputError(f"{revision}: git does not know this revision; {hint}")
    with tempfile.TemporaryDirectory(prefix="diagnose-", ignore_cleanup_errors=True) as parent:
        place = os.path.join(parent, "old")
        try:
            done = _git(root, "worktree", "add", "--detach", place, commit)
            if done.returncode:
                said = (done.stderr.strip().splitlines() or ["git gives no reason"])[-1]
                raise InputError(f"{revision}: git cannot check it out ({said})")
            yield root, place
        finally:
            _git(root, "worktree", "remove", "--force", place)
            _git(root, "worktree", "prune")
