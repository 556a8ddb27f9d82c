"""The mapping a person reviews, the account of rows, and that nothing depends on chance."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from throttle.documents import read_yaml
from throttle.errors import InputError
from throttle.files import load_document
from throttle.ingest import READERS, propose_mapping, read_exports, reader_of, save_mapping
from throttle_models import Mapping, Status, TeamFile

JIRA = """\
Summary,Issue key,Issue id,Issue Type,Status,Status Category,Priority,Resolution,Assignee,Created,Labels,Labels,\
Outward issue link (Blocks),Outward issue link (Wibble),Custom field (Odd: one #1),Custom field (odd: one #1),\
Original estimate
One,ABC-1,101,Story,UAT,In Progress,Medium,,Ann Lee,12/Mar/21 3:04 PM,red,,ABC-2,ABC-3,x,,36000
Two,ABC-2,102,Gizmo,Limbo,,Frantic,,,13/Mar/21 3:04 PM,,,,,,y,
Three,ABC-3,103,Sub-task,Done,Done,High,Won't Do,Bob,13/Mar/21 3:04 PM,,,XYZ-1,,,,7200
"""


@pytest.fixture
def export(tmp_path: Path) -> Path:
    path = tmp_path / "export.csv"
    path.write_text(JIRA, encoding="utf-8")
    return path


def test_a_proposal_says_what_and_why(export: Path) -> None:
    mapping = propose_mapping([export])
    columns = mapping.columns["jira-csv"]
    assert columns["Issue key"].means == "id"
    assert columns["Issue key"].count == 3
    assert columns["Custom field (Odd: one #1)"].means == "ignore"
    assert "Custom field (odd: one #1)" in columns
    assert mapping.statuses["UAT"].means == "in-progress"
    assert mapping.statuses["UAT"].evidence == "status category"
    assert mapping.statuses["Limbo"].means == "unknown"
    assert mapping.resolutions["Won't Do"].means == "cancelled"
    assert mapping.types["Gizmo"].confidence < 0.5
    assert mapping.types["Sub-task"].means == "parent"
    assert mapping.link_types["Blocks"].means == "FS"
    assert mapping.link_types["Wibble"].means == "relates"
    assert mapping.priorities["High"].means == 4000
    assert {name: user.means for name, user in mapping.users.items()} == {"Ann Lee": "ann-lee", "Bob": "bob"}


def plain(work: Any) -> Any:
    """Without the marks of what was inferred: what a reviewed mapping says is stated."""
    return {id: item.model_copy(update={"inferred": ()}) for id, item in work.items()}


def test_a_mapping_survives_its_file_and_changes_nothing_unedited(export: Path, tmp_path: Path) -> None:
    proposed = propose_mapping([export])
    save_mapping(proposed, tmp_path / "map.yaml")
    text = (tmp_path / "map.yaml").read_text(encoding="utf-8")
    assert "UAT: in-progress  # 1, 100%: status category" in text
    assert "<- please decide" in text
    read = load_document(tmp_path / "map.yaml", Mapping)

    def meanings(mapping: Mapping) -> Any:
        return {
            section: {
                word: meaning.means if section != "columns" else {h: m.means for h, m in meaning.items()}
                for word, meaning in getattr(mapping, section).items()
            }
            for section in ("columns", "statuses", "resolutions", "types", "link_types", "priorities", "users")
        }

    assert meanings(read) == meanings(proposed)
    without = read_exports([export])
    with_it = read_exports([export], mapping=read)
    assert plain(with_it.portfolio.work) == plain(without.portfolio.work)
    assert with_it.portfolio.people == without.portfolio.people
    assert with_it.portfolio.external == without.portfolio.external


def test_an_edited_mapping_rules(export: Path) -> None:
    mapping = Mapping.model_validate(
        {
            "columns": {"jira-csv": {"Labels": "component", "Original estimate": "ignore"}},
            "statuses": {"UAT": "open", "Limbo": "done"},
            "types": {"Gizmo": "internal"},
            "link_types": {"Blocks": "relates", "Wibble": "SS"},
            "priorities": {"Frantic": "9000/week", "Medium": 1},
            "users": {"Ann Lee": "ann"},
        }
    )
    portfolio = read_exports([export], mapping=mapping).portfolio
    assert portfolio.work["ABC-1"].status == "open"
    assert portfolio.work["ABC-1"].cost_of_delay == 1
    assert portfolio.work["ABC-1"].needs[0].who == ("ann",)
    assert not portfolio.work["ABC-1"].tags
    assert portfolio.work["ABC-2"].status == "done"
    assert portfolio.work["ABC-2"].type == "internal"
    assert [(k.item, k.type.value) for k in portfolio.work["ABC-3"].after] == [("ABC-1", "SS")]
    assert not portfolio.external


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("throttle_map: 1\nstatuses: {UAT: doing}", "UAT"),
        ("throttle_map: 1\nstatus: {UAT: open}", "status"),
        ("throttle_map: 1\nlink_types: {Blocks: backwards}", "Blocks"),
        ("throttle_map: 1\ncolumns: {jira-csv: {Key: idd}}", "Key"),
        ("throttle_map: 1\nstatuses: {UAT: open, UAT: done}", "UAT"),
    ],
)
def test_a_mapping_is_read_strictly(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "map.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=says):
        load_document(tmp_path / "map.yaml", Mapping)


def test_a_mapping_of_what_is_not_there_is_told(export: Path) -> None:
    with pytest.raises(InputError, match="jira, which is no reader; write jira-csv or jira-json"):
        read_exports([export], mapping=Mapping.model_validate({"columns": {"jira": {"Key": "id"}}}))
    spare = Mapping.model_validate({"columns": {"jira-csv": {"Custom field (Gone)": "team"}}})
    assert "mapping-unused" in {f.code for f in read_exports([export], mapping=spare).report.findings}


def test_headers_that_are_hard_to_write_survive(tmp_path: Path) -> None:
    hard = [
        "a: b",
        "#x",
        "'q'",
        '"d"',
        "two\nlines",
        "tab\there",
        "é {",
        "- dash",
        "yes",
        "12",
        "x" * 700,
        "two  blanks",
    ]
    path = tmp_path / "hard.csv"
    quoted = ",".join('"' + name.replace('"', '""') + '"' for name in hard)
    path.write_text(f"Issue key,Summary,Status,{quoted}\nABC-1,One,To Do{',' * len(hard)}\n", encoding="utf-8")
    save_mapping(propose_mapping([path]), tmp_path / "map.yaml")
    assert set(load_document(tmp_path / "map.yaml", Mapping).columns["jira-csv"]) == {
        "Issue key", "Summary", "Status", *hard,
    }  # fmt: skip


def test_the_report_is_plain_data(export: Path) -> None:
    report = read_exports([export]).report
    data = report.to_json()
    json.dumps(data)
    assert data == json.loads(report.model_dump_json())
    assert (data["rows_read"], data["imported"], data["merged"], data["rejected"]) == (3, 3, 0, 0)
    assert data["edges"] == [
        {
            "predecessor": a, "successor": b, "type": "FS", "lag": "0", "origin": "Outward issue link (Blocks)",
            "certainty": certainty,
        }
        for a, b, certainty in (("ABC-1", "ABC-2", "stated"), ("ABC-3", "XYZ-1", "external"))
    ]  # fmt: skip
    assert [d["target"] for d in data["dangling"]] == ["XYZ-1"]
    assert data["estimate_hours"] == 12
    assert [item["id"] for item in data["items"]] == ["ABC-1", "ABC-2", "ABC-3"]
    assert data["files"][0]["dates"] == {"Created": "d MMM y HH:mm"}


def test_findings_never_quote_free_text(tmp_path: Path) -> None:
    secret = "s3cret-text"
    path = tmp_path / "export.csv"
    path.write_text(
        f"Issue key,Summary,Status,Created,Description\nABC-1,{secret},To Do,{secret},{secret}\n"
        "ABC-2,,To Do,12/Mar/21,\n"
        f"{secret},,,,\n",
        encoding="utf-8",
    )
    assert secret not in str(read_exports([path]).report.to_json()["findings"])
    assert secret not in str(read_exports([path]).report.to_json()["rejections"])


def test_two_systems_are_one_portfolio(export: Path, tmp_path: Path) -> None:
    change = {
        "number": "CHG0030001", "sys_id": "a" * 32, "state": "-2", "type": "normal", "short_description": "Firmware",
        "opened_at": "2021-03-14 10:00:00", "u_after": "ABC-1",
    }  # fmt: skip
    (tmp_path / "changes.json").write_text(json.dumps({"result": [change]}), encoding="utf-8")
    mapping = Mapping.model_validate({"columns": {"servicenow-change": {"u_after": "waits_for"}}})
    ingested = read_exports([export, tmp_path / "changes.json"], mapping=mapping)
    assert ingested.portfolio.work["CHG0030001"].after[0].item == "ABC-1"
    assert str(ingested.portfolio.as_of) == "2021-03-14T10:00Z"
    assert [f.reader for f in ingested.report.files] == ["jira-csv", "servicenow-change"]
    assert ingested.report.rows_read == 4


def test_the_same_file_twice_is_merged(export: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.csv"
    again.write_bytes(export.read_bytes())
    ingested = read_exports([export, again])
    assert (ingested.report.imported, ingested.report.merged) == (3, 3)


def test_the_same_bytes_give_the_same_portfolio(export: Path) -> None:
    first, second = read_exports([export]), read_exports([export])
    assert first.portfolio.model_dump_json() == second.portfolio.model_dump_json()
    assert first.report == second.report


def test_files_are_known_by_content(export: Path, tmp_path: Path) -> None:
    renamed = tmp_path / "servicenow.json"
    renamed.write_bytes(export.read_bytes())
    assert reader_of(renamed) == "jira-csv"
    assert len({reader.name for reader in READERS}) == len(READERS)


def test_the_examples_of_the_documentation_are_valid() -> None:
    text = (Path(__file__).parents[3] / "docs" / "ingest.md").read_text(encoding="utf-8")
    team, mapping = (read_yaml(block.partition("```")[0], Path("ingest.md")) for block in text.split("```yaml\n")[1:])
    assert TeamFile.model_validate(team).people["brent"].aliases
    assert Mapping.model_validate(mapping).link_types["Prerequisite"].means == "FS-reversed"
    assert all(f"`{reader.name}`" in text for reader in READERS)


@pytest.mark.parametrize(
    "status",
    ["On Hold", "Waiting", "Blocked", "En espera", "Bloqueada", "Wartend", "Blockiert", "Zurückgestellt", "En attente",
     "Bloqué", "Em espera", "Aguardando"],
)  # fmt: skip
def test_work_that_waits_is_open_planned_and_listed(desk: Any, status: str) -> None:
    rows = (
        "Issue key|Summary|Status|Parent key",
        f"ABC-1|One|{status}|",
        f"ABC-2|Two|{status}|ABC-1",
        "ABC-3|Three|To Do|",
    )
    ingested = desk.jira(*rows)
    assert ingested.portfolio.work["ABC-1"].status is Status.OPEN
    (told,) = (f for f in ingested.report.findings if f.code == "waiting")
    assert (told.level, told.ids) == ("info", ("ABC-1", "ABC-2"))
    assert told.message.startswith("2 items have a status that says waiting")
    held = desk.jira(*rows, team={"work": {"ABC-1": {"on_hold": "the vendor is on strike"}}})
    assert held.portfolio.work["ABC-1"].on_hold
    assert "waiting" not in [f.code for f in held.report.findings]


def test_findings_about_one_are_singular(desk: Any) -> None:
    rows = ("Issue key|Summary|Status|Issue Type|Parent key|Resolution", "ABC-1|One|Limbo|Gizmo|ABC-1|",
            "ABC-2|Two|To Do|Story|GONE-1|Done", "|No id|To Do|Story||")  # fmt: skip
    messages = " / ".join(f.message for f in desk.jira(*rows).report.findings)
    for said in ("item has status 'Limbo'", "item has type 'Gizmo'", "item with itself", "item belongs to 1 parent"):
        assert f"1 {said}" in messages
    assert "1 row is left out" in messages
    assert not re.search(r"\b1 (items|rows|links|parents|assignees|columns|cells)\b", messages)


def test_a_language_that_nobody_knows_is_for_the_mapping(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_text("Тема,Ключ,Состояние\nПервая,ABC-1,Новая\nВторая,ABC-2,Новая\n")
    with pytest.raises(InputError, match=r"name the columns in map\.yaml"):
        read_exports([path])
    proposed = propose_mapping([path])
    assert {header: meaning.means for header, meaning in proposed.columns["jira-csv"].items()} == {
        "Ключ": "id", "Тема": "ignore", "Состояние": "ignore",
    }  # fmt: skip
    columns = {"Ключ": "id", "Тема": "title", "Состояние": "status"}
    said = Mapping.model_validate({"columns": {"jira-csv": columns}, "statuses": {"Новая": "open"}})
    work = read_exports([path], mapping=said).portfolio.work
    assert [(item.title, item.status) for item in work.values()] == [("Первая", "open"), ("Вторая", "open")]


def test_a_separator_survives_the_proposal(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_text('Issue key,Summary,Status,Custom field (Tools)\nABC-1,One,To Do,"red; blue"\n')
    said = Mapping.model_validate({"columns": {"jira-csv": {"Tools": {"means": "label", "separator": ";"}}}})
    assert read_exports([path], mapping=said).portfolio.work["ABC-1"].tags == ("red", "blue")
    save_mapping(propose_mapping([path], mapping=said), tmp_path / "map.yaml")
    again = load_document(tmp_path / "map.yaml", Mapping)
    assert read_exports([path], mapping=again).portfolio.work["ABC-1"].tags == ("red", "blue")
