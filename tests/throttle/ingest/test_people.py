"""One person, written in several ways: what is taken as one, what is only asked, and what is never one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from throttle.files import load_document
from throttle.ingest import Ingested, ReadOptions, read_exports
from throttle.ingest.identity import identities, spelling
from throttle_models import Mapping, TeamFile

Two = Callable[..., Ingested]


def jira(*people: str) -> str:
    """A Jira CSV; a person is ``name`` or ``name|account``."""
    rows = [f'J{n},ABC-{n},Story,To Do,2021-03-12,"{p.partition("|")[0]}",{p.partition("|")[2]}' for n, p in
            enumerate(people, 1)]  # fmt: skip
    return "\n".join(("Summary,Issue key,Issue Type,Status,Created,Assignee,Assignee Id", *rows)) + "\n"


def desk_of(*people: str) -> str:
    rows = [f'CHG{n:07d},Change,normal,"{name}",Scheduled,2021-03-12 10:00:00' for n, name in enumerate(people, 1)]
    return "\n".join(("number,short_description,type,assigned_to,state,sys_created_on", *rows)) + "\n"


@pytest.fixture
def two(tmp_path: Path) -> Two:
    """A Jira and a ServiceNow export, read together."""

    def read(
        jira_file: str, desk_file: str, mapping: Mapping | None = None, team: TeamFile | None = None, **options: Any
    ) -> Ingested:
        a, b = tmp_path / "jira.csv", tmp_path / "changes.csv"
        a.write_text(jira_file)
        b.write_text(desk_file)
        return read_exports([a, b], mapping=mapping, team=team, options=ReadOptions(**options))

    return read


def told(ingested: Ingested, code: str) -> list[str]:
    return [finding.message for finding in ingested.report.findings if finding.code == code]


@pytest.mark.parametrize(
    ("in_jira", "in_desk", "why"),
    [
        ("Brent Geller", "Brent Geller (bgeller)", "the same name"),
        ("Brent Geller|712020:4f1", "Brent Geller (bgeller)", "the same name"),
        ("Geller, Brent", "Brent Geller", "the same name"),
        ("Brent Geller [X]", "Brent Geller", "the same name"),
        ("brent.geller@x.invalid", "Brent Geller", "the address or login spells the name"),
        ("bgeller@x.invalid", "Brent Geller (bgeller)", "the login of the address"),
        ("bgeller", "Brent Geller (bgeller)", "the same login"),
        ("B. Geller|bgeller", "Brent Geller (BGELLER)", "the same login"),
        ("Brent|b@x.invalid", "Geller, Brent (b@x.invalid)", "the same e-mail address"),
    ],
)
def test_strong_evidence_makes_one_person_and_is_told(two: Two, in_jira: str, in_desk: str, why: str) -> None:
    ingested = two(jira(in_jira), desk_of(in_desk))
    (person,) = ingested.portfolio.people
    assert {need.who for item in ingested.portfolio.work.values() for need in item.needs} == {(person,)}
    (message,) = told(ingested, "same-person")
    assert why in message
    assert "x.invalid" not in message
    assert not told(ingested, "maybe-same-person")


@pytest.mark.parametrize(
    ("in_jira", "in_desk"),
    [
        ("Geller Brent", "Brent Geller"),
        ("bgeller", "Brent Geller"),
        ("Brent A. Geller", "Brent Geller"),
        ("Brent Geller (Contractor)", "Brent Geller"),
        ("Brent Geller|bg@x.invalid", "Brent Geller (bgeller)"),
        ("Brent Geller|brentg", "Brent Geller (bgeller)"),
    ],
)
def test_weak_evidence_is_told_with_a_line_that_works(two: Two, tmp_path: Path, in_jira: str, in_desk: str) -> None:
    ingested = two(jira(in_jira), desk_of(in_desk))
    assert len(ingested.portfolio.people) == 2
    (message,) = told(ingested, "maybe-same-person")
    line = message.partition("write in map.yaml: ")[2]
    assert "x.invalid" not in message
    path = tmp_path / "map.yaml"
    path.write_text(f"throttle_map: 1\n{line}\n")
    again = two(jira(in_jira), desk_of(in_desk), load_document(path, Mapping))
    assert len(again.portfolio.people) == 1
    assert not told(again, "maybe-same-person")


def test_two_with_logins_of_their_own_are_never_one(two: Two) -> None:
    ingested = two(jira("Ann Lee", "Ann Lee"), desk_of("Ann Lee (alee)", "Ann Lee (alee2)"))
    desk = [ingested.portfolio.work[f"CHG000000{n}"].needs[0].who for n in (1, 2)]
    assert desk[0] != desk[1]
    ingested = two(jira("Ann Lee|712020:1", "Ann Lee|712020:2"), desk_of("Ann Lee (alee)"))
    assert len(ingested.portfolio.people) == 3
    assert told(ingested, "maybe-same-person")


def test_one_login_of_two_names_is_two_people(two: Two) -> None:
    assert len(two(jira("Ann Lee|ann"), desk_of("Anton Kim (ann)")).portfolio.people) == 2


def test_the_team_file_knows_people_by_any_spelling(two: Two) -> None:
    team = TeamFile.model_validate({"people": {"brent": {"name": "Brent Geller"}}})
    ingested = two(jira("Geller, Brent", "bgeller@x.invalid"), desk_of("Brent Geller (bgeller)"), team=team)
    assert list(ingested.portfolio.people) == ["brent"]
    team = TeamFile.model_validate({"people": {"a": {"aliases": ["Ann Lee"]}, "b": {"aliases": ["Ann Lee (alee)"]}}})
    ingested = two(jira("Ann Lee"), desk_of("Ann Lee (alee)"), team=team)
    assert [item.needs[0].who for item in ingested.portfolio.work.values()] == [("a",), ("b",)]
    assert not told(ingested, "same-person") + told(ingested, "maybe-same-person")


_NAMES = st.sampled_from(
    ["Ann Lee", "Lee, Ann", "Ann Lee (alee)", "Ann Lee (alee2)", "alee", "alee2", "alee@x.invalid"]
)
_WRITTEN = st.tuples(_NAMES, st.sampled_from(["", "", "7:1", "7:2"]), st.sampled_from(["a", "b"]))


@given(st.lists(_WRITTEN, max_size=6, unique=True))
def test_no_group_holds_two_logins_or_two_accounts_of_a_system(written: list[tuple[str, str, str]]) -> None:
    spellings = [spelling(*one) for one in written]
    found = identities(spellings, lambda _: None)
    assert sorted(map(repr, (one for group in found.groups for one in group.spellings))) == sorted(map(repr, spellings))
    for group in found.groups:
        for scope in ("a", "b"):
            assert len({one.account for one in group.spellings if one.scope == scope and one.account}) < 2
        logins = {login for one in group.spellings for login in one.logins}
        assert len(logins) < 2 or any(
            one.account for one in group.spellings
        )  # an account is one person, however called


def test_the_order_of_the_files_does_not_matter(tmp_path: Path) -> None:
    a, b = tmp_path / "jira.csv", tmp_path / "changes.csv"
    a.write_text(jira("Brent Geller|712020:1", "Lee, Ann"))
    b.write_text(desk_of("Ann Lee (alee)", "Brent Geller (bgeller)"))
    one, other = read_exports([a, b]).portfolio, read_exports([b, a]).portfolio
    assert set(one.people) == set(other.people) == {"brent-geller", "ann-lee"}
    assert {id: item.needs for id, item in one.work.items()} == {id: item.needs for id, item in other.work.items()}


def test_programs_groups_and_placeholders_are_nobody(two: Two) -> None:
    ingested = two(jira("dependabot[bot]", "[Phoenix]\\Phoenix Team", "TBD", "-", "Tibor D"), desk_of("Ann Lee"))
    real = [id for id, person in ingested.portfolio.people.items() if "name" not in person.inferred]
    assert real == ["tibor-d", "ann-lee"]
    for n in range(1, 5):
        (need,) = ingested.portfolio.work[f"ABC-{n}"].needs
        assert need.who == ()
        assert need.skill
    (message,) = told(ingested, "not-a-person")
    assert "dependabot" in message


def test_a_cell_that_names_several_is_a_crew(two: Two) -> None:
    cells = ("Ann Lee; Bob Ray", "Ann Lee", "Bob Ray & Ann Lee", "Bob Ray", "Lee, Ann", "Smith & Sons", "Ana y Luis")
    ingested = two(jira(*cells), desk_of("Bob Ray; Cy Doe"))
    who = [item.needs[0].who for item in ingested.portfolio.work.values()]
    assert who[:5] == [("ann-lee", "bob-ray"), ("ann-lee",), ("bob-ray", "ann-lee"), ("bob-ray",), ("ann-lee",)]
    assert who[5:] == [("smith-sons",), ("ana-y-luis",), ("bob-ray", "cy-doe")]
    (message,) = told(ingested, "several-assignees")
    assert message.startswith("3 items name several people")


def test_a_cell_that_somebody_has_named_is_one_person(two: Two) -> None:
    given = Mapping.model_validate({"users": {"Ann; Bob": "pair"}})
    assert list(two(jira("Ann; Bob"), desk_of("Cy Doe"), given).portfolio.people) == ["pair", "cy-doe"]


def test_signs_alone_are_nobody(two: Two) -> None:
    ingested = two(jira("/", "#", "()"), desk_of("Cy Doe"))
    assert [item.needs[0].who for item in ingested.portfolio.work.values()] == [(), (), (), ("cy-doe",)]
    assert len(told(ingested, "not-a-person")) == 1
