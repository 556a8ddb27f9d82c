"""Asana: tasks of the interface, and a CSV that knows tasks by name."""

from __future__ import annotations

from typing import Any

from throttle_models import Status

HEADER = (
    "Task ID,Created At,Completed At,Last Modified,Name,Section/Column,Assignee,Assignee Email,Start Date,Due Date,"
    "Tags,Notes,Projects,Parent task,Blocked By (Dependencies),Blocking (Dependencies),Estimated time"
)


def row(id: str, name: str, **more: str) -> str:
    cells = {"Task ID": id, "Created At": "2026-11-01", "Name": name, "Projects": "Shop"} | more
    return ",".join(f'"{cells.get(column, "")}"' for column in HEADER.split(","))


def task(gid: str, **more: Any) -> dict[str, Any]:
    return {"gid": gid, "name": f"Task {gid}", "resource_type": "task", "completed": False, "assignee": None} | more


def edges(found: Any) -> set[tuple[str, str]]:
    return {(edge.predecessor, edge.successor) for edge in found.report.edges}


def test_names_are_looked_up_and_never_guessed(desk: Any) -> None:
    found = desk.read(
        "\n".join(
            [
                HEADER,
                row("11", "Design, then build"),
                row("12", "Test", **{"Blocked By (Dependencies)": "Design, then build,Sign-off"}),
                row("13", "Sign-off"),
                row("14", "Sign-off"),
                row("15", "Release", **{"Parent task": "Test", "Blocked By (Dependencies)": "Legal says yes"}),
            ]
        )
        + "\n"
    )
    assert edges(found) == {("11", "12"), ("legal-says-yes", "15")}
    assert found.portfolio.work["15"].parent == "12"
    assert [f.count for f in found.report.findings if f.code == "names-not-unique"] == [1]
    assert found.portfolio.external["legal-says-yes"].title == "Legal says yes"


def test_a_name_counts_in_its_own_project_first(desk: Any) -> None:
    found = desk.read(
        "\n".join(
            [
                HEADER,
                row("11", "Sign-off"),
                row("12", "Sign-off", Projects="Ledger"),
                row("13", "Release", **{"Blocked By (Dependencies)": "Sign-off"}),
                row("14", "Close", Projects="Ledger, Other", **{"Blocking (Dependencies)": "Sign-off"}),
            ]
        )
        + "\n"
    )
    assert edges(found) == {("11", "13"), ("14", "12")}


def test_the_header_may_stand_below_other_rows(desk: Any) -> None:
    above = ",,\n,,https://app.asana.com/-/csv?x=1\n,,\n"
    found = desk.read(above + "\n".join([HEADER, row("11", "One", **{"Completed At": "2026-11-20"}), row("12", "Two")]))
    assert (found.report.rows_read, found.report.files[0].reader) == (2, "asana-csv")
    assert [item.status for item in found.portfolio.work.values()] == [Status.DONE, Status.OPEN]


def test_sections_only_tell_what_has_begun(desk: Any) -> None:
    rows = [row("11", "A", **{"Section/Column": "Doing"}), row("12", "B", **{"Section/Column": "Done"})]
    rows.append(row("13", "C", **{"Section/Column": "Marketing wishes", "Estimated time": "90"}))
    rows.append(row("14", "D", **{"Estimated time": "1:30"}))
    found = desk.read("\n".join([HEADER, *rows]) + "\n")
    statuses = [item.status for item in found.portfolio.work.values()]
    assert statuses == [Status.IN_PROGRESS, Status.OPEN, Status.OPEN, Status.OPEN]
    assert [item.estimate_hours for item in found.report.items] == [None, None, 1.5, 1.5]


def test_tasks_of_the_interface(desk: Any) -> None:
    section = {"project": {"gid": "1", "name": "Shop"}, "section": {"gid": "2", "name": "In progress"}}
    found = desk.read(
        {
            "data": [
                task("11", memberships=[section], assignee={"gid": "5", "name": "Ann Lee"}),
                task(
                    "12",
                    dependencies=[{"gid": "11"}, {"gid": "90", "name": "Elsewhere", "completed": True}],
                    custom_fields=[
                        {"gid": "7", "name": "Estimated time", "number_value": 120},
                        {"gid": "8", "name": "Priority", "enum_value": {"name": "High"}},
                    ],
                ),
                task("13", dependencies=[{"gid": "12"}], resource_subtype="milestone"),
                task("14", resource_subtype="section"),
                task("15", subtasks=[task("16", completed=True, completed_at="2026-11-02T08:00:00.000Z")]),
            ]
        }
    )
    work = found.portfolio.work
    assert edges(found) == {("11", "12"), ("90", "12"), ("12", "13")}
    assert found.portfolio.external["90"].status is Status.DONE
    assert (work["11"].status, work["11"].project, work["16"].parent) == (Status.IN_PROGRESS, "Shop", "15")
    assert (work["12"].priority, {i.id: i.estimate_hours for i in found.report.items}["12"]) == ("High", 2)
    assert not work["13"].needs
    assert [r.reason for r in found.report.rejections] == ["is a section, not a task"]


def test_an_answer_with_a_next_page(desk: Any, codes: Any) -> None:
    first = {"data": [task("11")], "next_page": {"offset": "x", "uri": "y"}}
    assert "probably-truncated" in codes(desk.read(first))
    assert "probably-truncated" not in codes(desk.read([first, {"data": [task("12")], "next_page": None}]))


def test_tasks_of_which_the_answer_has_only_the_name(desk: Any) -> None:
    plain = {"gid": "11", "name": "One", "resource_type": "task"}
    found = desk.read({"data": [plain, task("12", subtasks=[{"gid": "11", "name": "One", "resource_type": "task"}])]})
    assert found.report.rows_read == 2
    assert found.portfolio.work["11"].parent == "12"
