"""Each format on a small instance made up here: what it means, what it costs, and what a broken file is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from benchmarks.readers import FORMATS, comparable, read

from throttle.errors import InputError
from throttle.planning import make_plan
from throttle_models import Plan, Portfolio

RCP = """4 2
3 1
0 0 0 2 2 3
2 2 1 1 4
3 2 0 1 4
0 0 0 0
"""

SM = """************************************************************************
file with basedata            : made up
************************************************************************
projects                      :  1
jobs (incl. supersource/sink ):  4
horizon                       :  5
RESOURCES
  - renewable                 :  2   R
  - nonrenewable              :  0   N
  - doubly constrained        :  0   D
************************************************************************
PROJECT INFORMATION:
pronr.  #jobs rel.date duedate tardcost  MPM-Time
    1      2      0       3        0        3
************************************************************************
PRECEDENCE RELATIONS:
jobnr.    #modes  #successors   successors
   1        1          2           2   3
   2        1          1           4
   3        1          1           4
   4        1          0
************************************************************************
REQUESTS/DURATIONS:
jobnr. mode duration  R 1  R 2
------------------------------------------------------------------------
  1      1     0       0    0
  2      1     2       2    1
  3      1     3       2    0
  4      1     0       0    0
************************************************************************
RESOURCEAVAILABILITIES:
  R 1  R 2
    3    1
************************************************************************
"""

MSPSP = """% seed = 1
mint = 3; % maxt = 5;
nActs = 4;
dur = [0,2,3,0];
nSkills = 2;
sreq = [| 0,0,
        | 1,1,
        | 0,1,
        | 0,0, |];
nResources = 2;
mastery = [| true,false,
           | false,true, |];
nPrecs = 4;
pred = [1,1,2,3];
succ = [2,3,4,4];
unpred = [{1},{},1..2,{ }];
"""

WET = """n_tasks = 3;
n_res = 1;
d = [2, 3, 0];
rr = array2d(1..1, 1..3, [1, 1, 0]);
rc = [1];
suc = [{3}, 3..3, {}];
t_max = 20;
deadline = array2d(1..3, 1..3, [4, 5, 1,  4, 2, 3,  0, 0, 0]);
%s = [2, 4, 7];
"""

DEF = """===========
General characteristics:
Tasks: 3
Resources: 2
===========
ResourceID \t Salary \t Skills
1\t \t10.3\t Q0: 0 \t Q1: 2
2\t \t20.4\t Q0: 1
===========
TaskID \t Duration \t Skill \t Predecessor IDs
1\t \t4\t Q0: 0
2\t \t5\t Q1: 1\t \t
4\t \t3\t Q0: 1\t \t1\t2
===========
"""

MSRCP = r"""\* Project Module *\
4 3 2 3
50
3
0 2 2 3
2 1 4
4 1 4
0 0
\* Workforce Module *\
1 0
1 1
0 1
\* Workforce Module with Skill Levels *\
1 0
3 2
0 1
\* Skill Requirements Module *\
0 0
2 0
1 1
0 0
\* Skill Level Requirements Module *\
-1
1 2
2 1
-1
\* Cost Module *\
what follows is not read
"""

RCMP = """2
2
2 1

3 0
1 1
0 0 0 1 1:2
3 2 0 1 1:3
0 0 0 0
3 4
1 0
0 0 0 1 2:2
2 1 0 1 2:3
0 0 0 0
"""


def calendar_data(**changes: Any) -> dict[str, Any]:
    def task(id: str, hours: float, skills: list[str]) -> dict[str, Any]:
        return {"task_id": id, "duration": hours, "required_skills": skills, "earliest_start": None, "deadline": None}

    return {
        "tasks": [task("T1", 5.5, ["mill"]), task("T2", 3.0, ["mill", "test"]), task("T3", 1.0, ["drill", "test"])],
        "dependencies": [["T1", "T2"]],
        "resources": [
            {"resource_id": "M1", "skills": {"mill": 0.9, "drill": 0.7}},
            {"resource_id": "M2", "skills": {"test": 0.9}},
            {"resource_id": "M3", "skills": {"drill": 0.5, "test": 0.9}},
        ],
        "calendar_requirements": {
            "shifts": [{"name": "day", "start": "08:00", "end": "17:00", "days": [0, 1, 2, 3, 4]}],
            "lunch_break": {"start": "12:00", "end": "13:00"},
            "holidays": ["2025-01-07"],
        },
    } | changes


TEXTS = {
    "a.rcp": RCP,
    "a.sm": SM,
    "skills.dzn": MSPSP,
    "wet.dzn": WET,
    "a.def": DEF,
    "a.msrcp": MSRCP,
    "a.rcmp": RCMP,
    "a.json": json.dumps(calendar_data()),
}
BEST = {
    "a.rcp": 5,  # the two activities do not fit side by side
    "a.sm": 5,
    "skills.dzn": 5,  # both need person 2
    "a.def": 8,  # 2 does task 1, 1 does task 2, then 2 does task 4
    "a.msrcp": 6,  # both need person 2
    "a.rcmp": 6,  # project 2 is released at 4, when project 1 is done
    "a.json": 8.5,  # T1 on M1, then T2 by M1 and a tester
}


def instance(folder: Path, name: str, text: str | None = None) -> Portfolio:
    path = folder / name
    path.write_text(TEXTS[name] if text is None else text, encoding="utf-8")
    return read(path)


def planned(portfolio: Portfolio) -> Plan:
    plan = make_plan(portfolio, budget=0.2, workers=1)
    assert plan.certificate.checked
    assert not plan.unscheduled
    return plan


@pytest.mark.parametrize("name", BEST)
def test_best_plan_costs_the_objective_of_the_instance(name: str, tmp_path: Path) -> None:
    portfolio = instance(tmp_path, name)
    goal = planned(portfolio).certificate.objective
    assert comparable(portfolio, goal.value) == BEST[name]
    assert comparable(portfolio, goal.bound) <= BEST[name]


def test_a_plan_costs_its_weighted_earliness_and_tardiness(tmp_path: Path) -> None:
    portfolio = instance(tmp_path, "wet.dzn")
    plan = planned(portfolio)
    cost = 0.0
    for id, wanted, earliness, tardiness in (("1", 4, 5, 1), ("2", 4, 2, 3)):
        start = (plan.items[id].start - plan.as_of).total_seconds() / 3600
        cost += earliness * max(0, wanted - start) + tardiness * max(0, start - wanted)
    assert cost >= 3  # the second when wanted, the first right after it
    assert comparable(portfolio, plan.certificate.objective.value) == cost


def test_a_start_at_the_horizon_costs_more_than_all_else(tmp_path: Path) -> None:
    portfolio = instance(tmp_path, "wet.dzn", WET.replace("t_max = 20", "t_max = 6"))  # the last one starts at 5
    assert comparable(portfolio, planned(portfolio).certificate.objective.value) < 6 * (5 + 3) + 1
    portfolio = instance(tmp_path, "wet.dzn", WET.replace("t_max = 20", "t_max = 5"))
    assert comparable(portfolio, planned(portfolio).certificate.objective.value) > 5 * (5 + 3)


def test_every_format_has_an_instance_here() -> None:
    assert {f.suffix for f in FORMATS} == {Path(name).suffix for name in TEXTS}
    assert len(FORMATS) == len(TEXTS)


def test_psplib_and_patterson_are_two_ways_to_write_the_same(tmp_path: Path) -> None:
    assert instance(tmp_path, "a.rcp") == instance(tmp_path, "a.sm")


def test_the_mark_at_the_end_of_old_files_is_no_text(tmp_path: Path) -> None:
    assert instance(tmp_path, "a.sm", SM + "\x1a\n") == instance(tmp_path, "a.sm")


def test_a_renewable_resource_is_an_environment(tmp_path: Path) -> None:
    portfolio = instance(tmp_path, "a.rcp")
    assert {id: e.capacity for id, e in portfolio.environments.items()} == {"R1": 3, "R2": 1}
    assert portfolio.work["2"].environment == {"R1": 2, "R2": 1}
    assert [link.item for link in portfolio.work["4"].after] == ["2", "3"]


def test_patterson_may_break_its_lines_anywhere(tmp_path: Path) -> None:
    assert instance(tmp_path, "a.rcp", "\n".join(RCP.split())) == instance(tmp_path, "a.rcp")


def test_tables_of_minizinc_may_be_written_in_both_ways(tmp_path: Path) -> None:
    rows = MSPSP.index("sreq")
    end = MSPSP.index("|];", rows) + 3
    other = MSPSP[:rows] + "sreq = array2d(1..4, 1..2, [0,0, 1,1, 0,1, 0,0]);" + MSPSP[end:]
    assert instance(tmp_path, "skills.dzn", other) == instance(tmp_path, "skills.dzn")


def test_imopse_levels_begin_at_one_in_a_portfolio(tmp_path: Path) -> None:
    portfolio = instance(tmp_path, "a.def")
    assert portfolio.people["p1"].skills == {"Q0": 1, "Q1": 3}
    assert [(n.skill, n.level) for n in portfolio.work["4"].needs] == [("Q0", 2)]
    assert [link.item for link in portfolio.work["4"].after] == ["1", "2"]


def test_imopse_task_of_two_skills_takes_one_who_holds_both(tmp_path: Path) -> None:
    portfolio = instance(tmp_path, "a.def", DEF.replace("5\t Q1: 1", "5\t Q1: 1 \t Q0: 0"))
    assert [(n.skill, n.who) for n in portfolio.work["2"].needs] == [(None, ("p1",))]


def test_mslib_asks_for_the_levels_of_each_skill_in_turn(tmp_path: Path) -> None:
    portfolio = instance(tmp_path, "a.msrcp")
    assert portfolio.people["p2"].skills == {"S1": 3, "S2": 2}
    assert [(n.skill, n.level, n.people) for n in portfolio.work["2"].needs] == [("S1", 1, 1), ("S1", 2, 1)]
    assert [(n.skill, n.level, n.people) for n in portfolio.work["3"].needs] == [("S1", 2, 1), ("S2", 1, 1)]


def test_projects_keep_their_release(tmp_path: Path) -> None:
    plan = planned(instance(tmp_path, "a.rcmp"))
    first = min(item.start for id, item in plan.items.items() if id.startswith("P2."))
    assert (first - plan.as_of).total_seconds() / 3600 == 4


class TestCalendars:
    def team(self, skills: list[str], held: dict[str, list[str]], tmp_path: Path) -> list[set[str]]:
        data = calendar_data(
            dependencies=[], resources=[{"resource_id": k, "skills": dict.fromkeys(v, 1)} for k, v in held.items()]
        )
        data["tasks"] = [{"task_id": "T", "duration": 1, "required_skills": skills}]
        portfolio = instance(tmp_path, "a.json", json.dumps(data))
        return [set(need.who) for need in portfolio.work["T"].needs]

    def test_one_who_holds_all_is_enough(self, tmp_path: Path) -> None:
        assert self.team(["a", "b"], {"x": ["a", "b"], "y": ["a"], "z": ["b", "a"]}, tmp_path) == [{"x", "z"}]

    def test_else_the_fewest_that_hold_them_together(self, tmp_path: Path) -> None:
        held = {"x": ["a", "b"], "y": ["c"], "z": ["a"]}
        assert self.team(["a", "b", "c"], held, tmp_path) == [{"x"}, {"y"}]

    def test_of_two_splits_the_one_that_more_can_staff(self, tmp_path: Path) -> None:
        held = {"x": ["a", "b"], "y": ["b", "c"], "z": ["c"], "w": ["c"]}
        assert self.team(["a", "b", "c"], held, tmp_path) == [{"x"}, {"y", "z", "w"}]

    def test_lunch_nights_weekends_and_holidays_are_no_hours_of_work(self, tmp_path: Path) -> None:
        portfolio = instance(tmp_path, "a.json")
        # Monday 8:00 + 4 h is noon, + 5 h the end of lunch; Tuesday is closed, so 49 h later it is Wednesday 9:00
        assert [comparable(portfolio, clock) for clock in (4, 5, 9, 49)] == [4, 4, 8, 9]
        assert comparable(portfolio, 3.025) == 3.025

    def test_a_shift_may_last_into_the_next_day(self, tmp_path: Path) -> None:
        data = calendar_data()
        data["calendar_requirements"] = {
            "shifts": [{"name": "night", "start": "22:00", "end": "06:00", "days": [0, 1]}],
            "lunch_break": {"start": "02:00", "end": "02:30"},
            "holidays": [],
        }
        portfolio = instance(tmp_path, "a.json", json.dumps(data))
        assert [comparable(portfolio, clock) for clock in (4, 4.5, 8, 24, 32)] == [4, 4, 7.5, 7.5, 15]

    @pytest.mark.parametrize("end", ["24:00", "00:00", None])
    def test_a_clock_without_nights(self, end: str | None, tmp_path: Path) -> None:
        data = calendar_data()
        shifts = [{"name": "all", "start": "00:00", "end": end, "days": list(range(7))}] if end else []
        data["calendar_requirements"] = {"shifts": shifts, "lunch_break": None, "holidays": []}
        portfolio = instance(tmp_path, "a.json", json.dumps(data))
        assert comparable(portfolio, 100.5) == 100.5


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("a.rcp", "2 2 1 1 4", "2 2 1 1 5", r"a\.rcp, line 4: a successor of activity 2 should be from 1 to 4, not 5"),
        ("a.rcp", "3 2 0 1 4", "3 x 0 1 4", r"a\.rcp, line 5: 'x' is no whole number; a demand of activity 3"),
        ("a.rcp", "0 0 0 0\n", "0 0 0\n", r"a\.rcp, line 6: the file ends where the number of successors"),
        ("a.rcp", "0 0 0 0\n", "0 0 0 0\n7", r"a\.rcp, line 7: '7' is more than the counts before it announce"),
        ("a.sm", "   3        1          1", "   3        2          1", r"a\.sm, line 20: the number of modes"),
        ("a.sm", "  2      1     2       2    1\n", "", r"a\.sm, line 27: the number of a job, in order"),
        ("a.sm", "0   N", "1   N", r"a\.sm: it has nonrenewable resources"),
        ("a.sm", "RESOURCEAVAILABILITIES", "AVAILABILITIES", r"a\.sm"),
        ("skills.dzn", "nActs = 4", "nActs = 5", r"skills\.dzn, line 4: dur should be a list of 5 numbers"),
        ("skills.dzn", "dur = [0,2", "dur = [0 2", r"skills\.dzn, line 4: ',' is expected, not '2'"),
        ("skills.dzn", "true,false", "1,false", r"skills\.dzn, line 11: mastery should hold only true and false"),
        ("skills.dzn", "nSkills = 2;", "", r"skills\.dzn: it gives no value to nSkills"),
        ("wet.dzn", "1..3, [1, 1, 0]", "1..3, [1, 1]", r"wet\.dzn, line 4: an array of 3 values is expected"),
        ("wet.dzn", "{3}, 3..3", "{4}, 3..3", r"wet\.dzn, line 6: suc should be whole and from 1 to 3, not 4"),
        ("wet.dzn", "deadline", "wishes", r"wet\.dzn: no reader knows its format"),
        ("a.def", "\t1\t2\n", "\t1\t3\n", r"a\.def, line 13: task 4 waits for 3, which is no task"),
        ("a.def", "Q0: 0 \t Q1: 2", "some", r"a\.def, line 7: a resource is its number, a salary and skills"),
        ("a.def", "Q1: 1", "Q1: 9", r"a\.def, line 12: level 9 is above 8"),
        ("a.def", "Tasks: 3", "Tasks: 4", r"a\.def: its head announces 4 tasks, but it has 3"),
        ("a.def", "\t1\t2\n", "\t1\t2" + "1" * 40 + "x\n", r"a\.def, line 13: a task is its number"),
        ("a.def", "2\t \t20.4", "1\t \t20.4", r"a\.def, line 8: resource 1 is there twice"),
        ("a.def", "4\t \t3\t", "1\t \t3\t", r"a\.def, line 13: task 1 is there twice"),
        ("skills.dzn", "dur = [0,2", "dur = [0," + "9" * 5000, r"skills\.dzn: it is no \.dzn instance.*ValueError"),
        ("a.def", "TaskID", "Task", r"a\.def: it has no table that begins with TaskID"),
        ("a.msrcp", "\n1 2\n2 1\n", "\n1 4\n2 1\n", r"a\.msrcp, line 24: a level wanted by activity 2"),
        ("a.msrcp", "Skill Requirements Module", "Skills", r"a\.msrcp: it has no module named Skill Requirements"),
        ("a.msrcp", "2 1 4\n", "2 1 9\n", r"a\.msrcp, line 6: a successor of activity 2"),
        ("a.rcmp", "1:2", "1:9", r"a\.rcmp, line 7: 1:9, a successor of activity P1\.1, is no activity"),
        ("a.rcmp", "2:3", "23", r"a\.rcmp, line 13: '23' is no successor of activity P2\.2"),
        ("a.json", '"T1", "T2"]', '"T1", "T9"]', r"a\.json: dependency T1 -> T9 names a task that does not exist"),
        ("a.json", '["mill"]', '["saw"]', r"a\.json: task T1 needs a skill that nobody holds"),
        ("a.json", '"deadline": null', '"deadline": 5', r"a\.json: task T1 has dates of its own"),
        ("a.json", '"tasks"', '"jobs"', r"a\.json: it is not built as these instances are: KeyError\('tasks'\)"),
        ("a.json", "{", "", r"a\.json, line 1: it is no JSON"),
    ],
)  # fmt: skip
def test_a_broken_file_is_told_by_name_and_line(name: str, old: str, new: str, said: str, tmp_path: Path) -> None:
    assert old in TEXTS[name]
    with pytest.raises(InputError, match=said):
        instance(tmp_path, name, TEXTS[name].replace(old, new, 1))


def test_an_unknown_ending_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("1", encoding="utf-8")
    with pytest.raises(InputError, match=r"a\.txt: no reader knows its format"):
        read(path)
