"""``pytest --connectspec-profile my-proxy.toml``: every case one test, under the id that it has on the command line.

Tests come from ``connectspec list``, and what they say from the JSON report of one ``connectspec run``, which begins with the first of
them and asks what pytest has selected. Nothing is judged here.
"""

import json
import shlex
import subprocess
import tempfile
from pathlib import Path

import pytest

from connectspec import program

# What a report says of a case whose test has failed.
RED = ("fail", "healed", "blocked", "broken")
# The statuses of a run that has judged: all was kept, or something was not.
JUDGED = (0, 1)


def pytest_addoption(parser):
    group = parser.getgroup("connectspec", "conformance of an HTTP CONNECT proxy")
    group.addoption("--connectspec-profile", metavar="NAME|FILE", help="the proxy to launch: a built-in profile, or one in a file")
    group.addoption("--connectspec-proxy", metavar="HOST:PORT", help="in its place, a proxy that is already running")
    group.addoption("--connectspec-baseline", metavar="FILE", help="known failures: expected, with their reasons, until they change")
    group.addoption("--connectspec-over", metavar="VERSION", action="append", default=[], help="what the cases are asked over: http/1.1, tls or every")
    group.addoption("--connectspec-args", metavar="ARGUMENTS", default="", help="more arguments of `connectspec run`, such as '--strict --slow'")


def pytest_configure(config):
    config.addinivalue_line("markers", "connectspec: a case of connectspec")
    subject = _subject(config)
    if subject is None:
        return
    if config.getoption("dist", "no") not in ("no", "loadgroup"):
        raise pytest.UsageError("connectspec judges a proxy in one run: add --dist loadgroup, so that one worker has all of it")
    config.stash[SUITE] = Suite(subject, config.getoption("connectspec_over"))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(session, config, items):
    """Adds the cases to what pytest collects as ever, before -k and -m choose."""
    suite = config.stash.get(SUITE, None)
    if suite is None:
        return
    parent = Cases.from_parent(session, name="connectspec", nodeid="connectspec", suite=suite)
    report = parent.ihook.pytest_make_collect_report(collector=parent)
    parent.ihook.pytest_collectreport(report=report)
    items.extend(report.result)


@pytest.hookimpl(trylast=True)
def pytest_collection_finish(session):
    suite = session.config.stash.get(SUITE, None)
    if suite is not None:
        suite.wanted = [item.name for item in session.items if isinstance(item, CaseItem)]


def pytest_sessionfinish(session, exitstatus):
    suite = session.config.stash.get(SUITE, None)
    if suite is not None and suite.troubles() and exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter, config):
    suite = config.stash.get(SUITE, None)
    if suite is not None and suite.troubles():
        terminalreporter.section("connectspec", red=True)
        for trouble in suite.troubles():
            terminalreporter.write_line(trouble)


class Suite:
    """One proxy, and the one run that judges it."""

    def __init__(self, subject, over):
        self.subject = subject
        # For the list and for the run: ids have it in them.
        self.over = [word for version in over for word in ("--over", version)]
        self.wanted = []
        self._report = None

    def cases(self):
        listed = subprocess.run(
            [program(), "list", "--format", "json", *self.over], stdout=subprocess.PIPE, check=True, universal_newlines=True)
        return json.loads(listed.stdout)["cases"]

    def result(self, case):
        if self._report is None:
            self._report = self._judge()
        return self._report["by_case"].get(case)

    def why_nothing(self):
        return self._report["run"].get("refused") or self._report["said"] or "the run ended before this case had its verdict"

    def troubles(self):
        """What makes the run red whatever its cases say."""
        if self._report is None:
            return []
        run = self._report["run"]
        said = [] if self._report["status"] in JUDGED else [self._report["said"]]
        return [*run.get("deaths", []), *run.get("stale", []), *said]

    def _judge(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "report.json")
            ran = subprocess.run(
                [program(), "run", "--quiet", *self.subject, *self.over, "--report", f"json={path}", *self.wanted],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
            report = json.loads(path.read_text()) if path.exists() else {"run": {}, "results": []}
        report["by_case"] = {result["case"]: result for result in report["results"]}
        report["status"] = ran.returncode
        report["said"] = ran.stdout.strip()
        return report


class Cases(pytest.Collector):
    """All cases, as if they stood in a file of their own."""

    def __init__(self, *, suite, **others):
        super().__init__(**others)
        self.suite = suite

    def collect(self):
        for case in self.suite.cases():
            item = CaseItem.from_parent(self, name=case["case"], title=case["title"])
            item.add_marker(pytest.mark.connectspec)
            if self.config.pluginmanager.hasplugin("xdist"):
                # All in one worker, where there are several.
                item.add_marker(pytest.mark.xdist_group("connectspec"))
            yield item


class CaseItem(pytest.Item):
    """One case."""

    def __init__(self, *, title, **others):
        super().__init__(**others)
        self.title = title

    def runtest(self):
        suite = self.parent.suite
        result = suite.result(self.name)
        if result is None:
            raise Broken(f"{self.name} has no verdict: {suite.why_nothing()}")
        verdict, reason = result["verdict"], result.get("reason") or ""
        if verdict == "skip":
            pytest.skip(reason)
        if verdict == "known":
            pytest.xfail(reason)
        if verdict in RED:
            raise Broken(evidence(result))
        if verdict == "warn":
            self.add_report_section("call", "warning", evidence(result))

    def repr_failure(self, excinfo, style=None):
        if isinstance(excinfo.value, Broken):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self):
        return self.title, None, self.name


class Broken(Exception):
    """A case that makes the run red, with what there is to say about it."""


def evidence(result):
    """What a reader needs in order to believe it."""
    lines = [f"{result['verdict'].upper()} {result['case']}   {result['title']}"]
    for word, outcome in zip(["expected", *["or"] * len(result["expected"])], result["expected"]):
        lines.append(f"  {word:>8}  {outcome}")
    for word in ("observed", "reason"):
        if result.get(word):
            lines.append(f"  {word:>8}  {result[word]}")
    lines += [step_line(step) for step in result["transcript"]]
    lines.append("  " + " · ".join([*result["cites"], result["source"]]))
    return "\n".join(lines)


def step_line(step):
    arrow = "─▶" if (step["leg"] == "client") == (step["way"] == "out") else "◀─"
    between = f"client {arrow} proxy" if step["leg"] == "client" else f"          proxy {arrow} {step['leg']}"
    return f"  {step['at_us'] / 1000:8.1f} ms  {between:<30}{step['text']}"


def _subject(config):
    profile, proxy = config.getoption("connectspec_profile"), config.getoption("connectspec_proxy")
    if profile and proxy:
        raise pytest.UsageError("--connectspec-profile and --connectspec-proxy name one proxy each: give one of them")
    if not profile and not proxy:
        return None
    baseline = config.getoption("connectspec_baseline")
    return [
        *(["--profile", profile] if profile else ["--proxy", proxy]),
        *(["--baseline", baseline] if baseline else []),
        *shlex.split(config.getoption("connectspec_args")),
    ]


SUITE = pytest.StashKey()
