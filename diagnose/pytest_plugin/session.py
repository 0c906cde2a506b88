"""One object per pytest process: notes which tests are collected and run, and which goldens are used."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from typing import TYPE_CHECKING, Any

import pytest

from diagnose.errors import DiagnoseError
from diagnose.pytest_plugin.unused import Judged, Record, Use, judge, scope_of, unknown_line

if TYPE_CHECKING:
    from collections.abc import Generator

    from diagnose.pytest_plugin.fixture import Asked
    from diagnose.pytest_plugin.golden_check import Held

USE: pytest.StashKey[Use] = pytest.StashKey()
SENT = "audio_golden"


class Watch:
    """The plugin of one session, or of one worker of xdist.  worker: whether another process decides.

    parts: a temporary folder where each process leaves what the page shall have, where a page is asked for.
    """

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.record = Record()
        self.judged = Judged()
        self.problem: str | None = None
        self.claims: dict[str, str] = {}
        self.section_bytes = 0
        self.update: bool = config.getoption("audio_golden_update")
        self.folder: str | None = config.getoption("audio_golden_report")
        self.worker: dict[str, Any] | None = getattr(config, "workerinput", None)
        try:
            self.scope = scope_of(config)
        except DiagnoseError as error:
            raise pytest.UsageError(str(error)) from None
        self.parts = self._parts()

    def _parts(self) -> str | None:
        if self.worker is not None:
            return self.worker.get(SENT)
        if self.folder is None:
            return None
        self.folder = os.path.join(self.config.invocation_params.dir, self.folder)
        try:
            os.makedirs(self.folder, exist_ok=True)
        except OSError as error:
            said = f"--audio-golden-report {self.folder}: cannot create the directory ({error.strerror})"
            raise pytest.UsageError(said) from None
        return tempfile.mkdtemp(prefix="diagnose-page-")

    def shown(self, path: str) -> str:
        """A path as a reader in the folder where pytest was started would type it, where it lies below that."""
        try:
            short = os.path.relpath(path, self.config.invocation_params.dir)
        except ValueError:  # another drive
            return path
        return path if short.split(os.sep)[0] == os.pardir else short

    # --- collected, and run --------------------------------------------------------------------------------------

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        nodes = self.record.tests.setdefault(os.fspath(item.path), [])
        names = getattr(item, "fixturenames", ())
        if SENT in names:
            item.add_marker(SENT)
        if SENT in names or "request" in names:  # request.getfixturevalue() may ask for it too
            item.stash[USE] = Use(item.nodeid)  # xdist's loadgroup appends to it later
            nodes.append(item.nodeid)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        name, inner, _ = report.nodeid.partition("::")
        file = os.path.join(self.config.rootpath, name)
        if report.failed or (inner and report.skipped):
            self.record.broken.append(file)
        elif report.passed and not inner and name.endswith(".py") and os.path.isfile(file):
            self.record.tests.setdefault(file, [])  # a test file without a test, perhaps with goldens

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, Any, None]:
        outcome = yield
        if USE in item.stash:  # it goes where the report goes: to the parent of a fork, to the controller
            outcome.get_result().audio_golden = item.stash[USE].sent()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        sent = getattr(report, SENT, None)
        if sent is not None:  # a test that is run again, or expected to fail, wrote all the same
            self.record.wrote += [path for path in json.loads(sent)["wrote"] if path not in self.record.wrote]
        if sent is None or report.outcome not in ("passed", "failed", "skipped"):  # "rerun": it will come again
            return
        if report.when == "call" or report.outcome != "passed":
            self.record.ran(Use(**json.loads(sent)), report.outcome)

    # --- what the fixture asks -----------------------------------------------------------------------------------

    def begin(self, item: pytest.Item) -> Use:
        """The test begins, perhaps anew."""
        use = Use(item.stash[USE].node if USE in item.stash else item.nodeid)
        item.stash[USE] = use
        return use

    def claim(self, golden: str, node: str) -> str | None:
        """The other test that has used a golden before; None where it is this test's."""
        other = self.claims.setdefault(os.path.normcase(golden), node)
        return None if other == node else other

    @property
    def wants_section(self) -> bool:
        if self.parts is None:
            return False
        from diagnose.render.failures import MOST_BYTES

        return self.section_bytes < MOST_BYTES

    def saw(self, asked: Asked, held: Held) -> None:
        """Keep a row of the page, and a section where the case failed."""
        if self.parts is None or not os.path.isdir(self.parts):  # a worker on another machine
            return
        from diagnose.pytest_plugin.page import keep

        self.section_bytes += keep(self.parts, asked.title, held)

    # --- workers of xdist ----------------------------------------------------------------------------------------

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        node.workerinput[SENT] = self.parts

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        collected = getattr(node, "workeroutput", {}).get(SENT)
        if collected is not None:  # a worker that crashed says nothing: what only it knew stays unjudged
            self.record.merge(collected)

    # --- the end -------------------------------------------------------------------------------------------------

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.worker is not None:
            self.config.workeroutput[SENT] = self.record.collected()  # type: ignore[attr-defined]  # xdist's
            return
        if self.config.getoption("collectonly", default=False):
            return
        self.judged = judge(self.record, self.scope)
        self._write_page()
        wrong = self.judged.unused or self.judged.shared or self.problem or self.record.wrote
        if wrong and session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _write_page(self) -> None:
        if self.parts is None or self.folder is None:
            return
        from diagnose.pytest_plugin.page import write_page

        try:
            write_page(self.folder, self.parts, [self.shown(golden) for golden in self.judged.unused])
        except DiagnoseError as error:
            self.problem = str(error)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        lines = list(self._summary())
        if lines:
            terminalreporter.section("audio goldens")
            for line in lines:
                terminalreporter.line("".join(c if c.isprintable() else ascii(c)[1:-1] for c in line))

    def _summary(self) -> Generator[str, None, None]:
        for golden in self.judged.unused:
            yield f"FAIL  {self.shown(golden)}: no test used it; delete it, or restore its test"
        for golden, nodes in self.judged.shared:
            yield f"FAIL  {self.shown(golden)}: used by {' and '.join(nodes)}; give each its own case"
        for golden in self.record.wrote:
            yield f"WROTE {self.shown(golden)}: review it; then run again without --audio-golden-update"
        if self.problem:
            yield f"ERROR {self.problem}"
        if self.judged.unknown:
            yield unknown_line(self.judged, {file: self.shown(file) for file, _ in self.judged.unknown})
        for note in sorted(self.record.notes):
            yield f"note: {note}"
        if self.record.notes:
            yield "to accept improvements: pytest --audio-golden-update"
        if self.parts and not self.problem and not self.config.getoption("collectonly", default=False):
            yield f"report: {self.shown(os.path.join(self.folder or '', 'audio-golden.html'))}"

    def pytest_unconfigure(self) -> None:
        if self.parts is not None and self.worker is None:
            shutil.rmtree(self.parts, ignore_errors=True)


WATCH: pytest.StashKey[Watch] = pytest.StashKey()
