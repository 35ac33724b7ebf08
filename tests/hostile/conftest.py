"""Prints the table of hostile cases and what came of them at the end of the run."""

from collections import Counter


def pytest_terminal_summary(terminalreporter):
    reports = [report for group in ("passed", "failed") for report in terminalreporter.stats.get(group, [])]
    rows = [row for report in reports if report.when == "call" for name, row in report.user_properties
            if name == "hostile"]
    if not rows:
        return
    terminalreporter.section("hostile submissions")
    for theme, name, points, deserved, wrong in sorted(rows, key=lambda row: row[0]):
        ended = ", ".join(f"{what}: {count:g}" for what, count in wrong.items()) or "held"
        terminalreporter.line(f"{theme:10} {name:80.80} "
                              f"{'–' if points is None else f'{points:g}':>3} of {deserved:<3} {ended}")
    total = sum((Counter(row[4]) for row in rows), Counter())
    honest = [row for row in rows if row[0] == "honest"]
    terminalreporter.line(
        f"{len(rows) - len(honest)} hostile submissions: {total['undeserved points']:g} undeserved points, "
        f"{total['leaks']:g} leaks, {total['harm']:g} harm, {total['not graded']:g} not graded, "
        f"{total['deserved points lost']:g} deserved points lost; {sum(not row[4] for row in honest)} of {len(honest)} "
        "honest ones graded right")
