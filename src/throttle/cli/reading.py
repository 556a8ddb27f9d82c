"""Reading what the user names: portfolios and ticket exports, told apart by their content."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from throttle.errors import InputError
from throttle.wording import some
from throttle_models import Finding

if TYPE_CHECKING:
    from throttle.ingest import Ingested, ReadOptions
    from throttle_models import Learned, Mapping, Plan, Portfolio, TeamFile

Kind = Literal["portfolio", "plan", "mapping", "run", "batch", "rows", "export"]
"""``rows``: a plan as ``throttle export --format json`` writes it, for other programs."""

_HEAD = 64 * 1024
_YAML = re.compile(r"(%YAML|---|[\"']?[A-Za-z_][\w-]*[\"']?\s*:(\s|$))")
_PORTFOLIO_KEYS = frozenset({"throttle", "as_of", "work", "people", "policy", "projects"})


@dataclass(frozen=True, slots=True)
class ReadHow:
    """What the command line says about reading exports; none of it applies to portfolios."""

    team: Path | None = None
    map: Path | None = None
    zone: str | None = None
    date_order: Literal["dmy", "mdy"] | None = None
    encoding: str | None = None
    pseudonymise: bool = False
    pseudonyms: Path | None = None
    """Where the table of pseudonyms is kept from import to import."""
    learned: Path | None = None

    def given(self) -> list[str]:
        """The options used, as written."""
        named = {"--team": self.team, "--map": self.map, "--zone": self.zone}
        named |= {"--date-order": self.date_order, "--encoding": self.encoding, "--pseudonyms": self.pseudonyms}
        named |= {"--learned": self.learned}
        return [name for name, value in named.items() if value is not None]


def _error(code: str, message: str, path: Path) -> InputError:
    return InputError([Finding(level="error", code=code, message=message, file=str(path))])


def need_files(paths: Sequence[Path]) -> None:
    """Raise InputError naming every path that does not exist or cannot be read."""
    findings: list[Finding] = []
    for path in paths:
        try:
            if path.is_dir():
                next(path.iterdir(), None)
            elif path.exists() and not path.is_file():
                message = f"{path} is a device or a pipe, which cannot be read twice: name a file."
                findings.append(Finding(level="error", code="no-file", message=message, file=str(path)))
            else:
                with path.open("rb") as file:
                    file.read(1)
        except OSError as problem:
            why = (problem.strerror or type(problem).__name__).lower()
            message = f"Cannot read {path}: {why}. Check the name and your rights."
            findings.append(Finding(level="error", code="cannot-read", message=message, file=str(path)))
    if findings:
        raise InputError(findings)


def kind_of(path: Path) -> Kind:
    """What a readable file or folder is. Whatever is not like a portfolio or plan is left to the export readers."""
    if path.is_dir():
        kinds = {kind_of(p) for p in path.iterdir() if p.is_file() and not p.name.startswith(".")}
        told: tuple[Kind, ...] = ("plan", "batch")
        return next((kind for kind in told if kind in kinds), "export" if kinds == {"export"} else "portfolio")
    head = _head(path)
    if head.lstrip().startswith(("{", "[")):
        return _kind_of_json(path, head)
    lines = (line for line in head.splitlines() if line.strip() and not line.lstrip().startswith("#"))
    first = next(lines, "")
    if first.startswith("throttle_map"):
        return "mapping"
    return "portfolio" if _YAML.match(first) else "export"


def _head(path: Path) -> str:
    from throttle.documents import encoding_of

    with path.open("rb") as file:
        raw = file.read(_HEAD)
    return raw.decode(encoding_of(raw), "replace")


def _kind_of_json(path: Path, head: str) -> Kind:
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        # cut off or broken: whoever reads it says where
        return "portfolio" if re.search(r'"throttle"\s*:\s*1\b', head) else "export"
    if not isinstance(content, dict):
        return "export"
    for kind in ("plan", "run", "batch"):
        if content.get("kind") == kind:
            return kind
    if "throttle_map" in content:
        return "mapping"
    if "input_hash" in content and isinstance(content.get("items"), list):
        return "rows"
    if content.keys() & {"throttle", "as_of"}:
        return "portfolio"
    maps = any(isinstance(content[key], dict) for key in _PORTFOLIO_KEYS & content.keys())
    return "portfolio" if maps else "export"  # trackers have lists of projects and people


def _expand(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    found = sorted(p for p in path.iterdir() if p.is_file() and not p.name.startswith("."))
    if not found:
        raise _error("no-files", f"{path} is a folder without files: name one that holds exports.", path)
    return found


def read(paths: Sequence[Path], how: ReadHow, earlier: Portfolio | None = None) -> tuple[Portfolio, Ingested | None]:
    """The portfolio, and what the export readers say if they made it. Raises InputError.

    ``earlier``: of a plan, of which exports are news.
    """
    need_files([*paths, *(p for p in (how.team, how.map) if p)])
    kinds = {path: kind_of(path) for path in paths}
    for path, kind in kinds.items():
        if kind == "plan":
            plan = path / "plan.json" if path.is_dir() else path
            raise _error("is-a-plan", f"{plan} is a plan already: use throttle verify, why or replan on it.", path)
        if kind == "rows":
            raise _error("is-an-export-of-ours", f"{path} {_ROWS}.", path)
        if kind == "run":
            raise _error("is-a-run", f"{path} tells how a plan was made: name what it was made from.", path)
        if kind == "batch":
            message = f"{path} is of a batch, which has a plan for each run: name one of them, as results.csv lists."
            raise _error("is-a-batch", message, path)
        if kind == "mapping":
            raise _error("is-a-mapping", f"{path} is a mapping: name exports, and give it with --map.", path)
        if kind == "portfolio" and len(paths) > 1:
            raise _error(
                "several-inputs", f"{path} is no export: name a portfolio alone, and a team file with --team.", path
            )
    if "portfolio" not in kinds.values():
        ingested = read_exports(paths, how, earlier)
        return ingested.portfolio, ingested
    if given := how.given():
        message = f"{paths[0]} is a portfolio, so {', '.join(given)} has no effect: leave it out, or name an export."
        raise _error("option-without-effect", message, paths[0])
    from throttle.files import load_portfolio

    return load_portfolio(paths[0]), None


def read_exports(paths: Sequence[Path], how: ReadHow, earlier: Portfolio | None = None) -> Ingested:
    """Read ticket exports as told. Raises InputError."""
    from throttle import ingest
    from throttle.files import load_document
    from throttle_models import Mapping
    from throttle_models.mapping import Pseudonyms

    need_files([*paths, *(p for p in (how.team, how.map, how.learned) if p)])
    team = team_of(how)
    kept = load_document(how.pseudonyms, Pseudonyms) if how.pseudonyms and how.pseudonyms.exists() else Pseudonyms()
    ingested = ingest.read_exports(
        [p for path in paths for p in _expand(path)],
        mapping=load_document(how.map, Mapping) if how.map else None,
        team=team,
        options=replace(_options(how), pseudonyms=kept.people, pseudonyms_key=kept.key),
        earlier=earlier,
    )
    if how.team is None or team is None or team.as_of is None:
        return ingested
    read = {item.id for item in ingested.report.items}
    if not (added := [id for id in team.work if id not in read]):
        return ingested
    message = (
        f"{how.team} has as_of and work that is in none of the exports ({some(added)}), which is planned too: if it "
        f"is a whole portfolio, give throttle {how.team} alone, without exports and --team."
    )
    whole = Finding(level="warning", code="team-adds-work", message=message, ids=tuple(added[:100]))
    report = ingested.report.model_copy(update={"findings": (*ingested.report.findings, whole)})
    return replace(ingested, report=report)


def team_of(how: ReadHow, hidden: Ingested | None = None) -> TeamFile | None:
    """The team file, with what was learned behind it; ``hidden``: with the pseudonyms of that import."""
    from throttle.files import load_document
    from throttle_models import Learned, TeamFile

    team = load_document(how.team, TeamFile) if how.team else None
    if team is not None and hidden is not None and hidden.pseudonyms:
        from throttle.ingest.pseudonyms import hidden_team

        team = hidden_team(team, hidden.pseudonyms)
    if how.learned is None:
        return team
    team, learned = team or TeamFile(), load_document(how.learned, Learned)
    return team.model_copy(update={"defaults": team.defaults.model_copy(update={"learned": learned})})


def learn(paths: Sequence[Path], how: ReadHow) -> Learned:
    """What the history in ticket exports teaches. Raises InputError."""
    from throttle.files import load_document
    from throttle.learn import learn as learned
    from throttle_models import Mapping

    need_files([*paths, *(p for p in (how.team, how.map) if p)])
    mapping = load_document(how.map, Mapping) if how.map else None
    return learned(
        [p for path in paths for p in _expand(path)], mapping=mapping, team=team_of(how), options=_options(how)
    )


def save_pseudonyms(ingested: Ingested, path: Path) -> None:
    """Keep who is who, for the next import."""
    from throttle.cli import output
    from throttle.documents import render_yaml
    from throttle.files import write_atomic

    data = {"throttle_pseudonyms": 1, "key": ingested.pseudonyms_key, "people": ingested.pseudonyms}
    output.write_file(path, lambda new: write_atomic(new, render_yaml(data)), force=True)


def propose(paths: Sequence[Path], how: ReadHow) -> Mapping:
    """What the columns and words of ticket exports seem to mean. Raises InputError."""
    from throttle.ingest import propose_mapping

    need_files(paths)
    return propose_mapping([p for path in paths for p in _expand(path)], _options(how))


def show_summary(ingested: Ingested, quiet: bool) -> None:
    """Tell on standard error what was read of exports; ``quiet``: warnings only. Pins are told with the plan."""
    from throttle.cli import screen
    from throttle.terminal import ingest_summary

    if not quiet:
        screen.say(ingest_summary(ingested.report))
    findings = [f for f in ingested.report.findings if f.code != "pin-without-effect"]
    screen.show_findings(findings, most=20, least="warning" if quiet else "info")


def _options(how: ReadHow) -> ReadOptions:
    from throttle.ingest import ReadOptions

    return ReadOptions(
        encoding=how.encoding,
        date_order=how.date_order,
        zone=how.zone,
        pseudonymise=how.pseudonymise or how.pseudonyms is not None,
    )


def read_plan_with_portfolio(plan_file: Path, portfolio_file: Path | None) -> tuple[Plan, Portfolio]:
    """A plan and what it was made from. Raises InputError where that is not known, or is another portfolio."""
    from throttle.files import load_portfolio, portfolio_hash

    plan = read_plan(plan_file)
    if portfolio_file is not None:
        portfolio = load_portfolio(portfolio_file)
        if portfolio_hash(portfolio) != plan.certificate.input_hash:
            message = (
                f"{portfolio_file} is not what {plan_file} was made from: their hashes differ. Name the right one."
            )
            raise _error("other-portfolio", message, portfolio_file)
        return plan, portfolio
    if plan.portfolio is None:
        message = f"{plan_file} does not carry the portfolio that it was made from: give it with --portfolio."
        raise _error("no-portfolio", message, plan_file)
    return plan, plan.portfolio


def read_plan_or_portfolio(
    input: Path, portfolio_file: Path | None, budget: float | None, instead: str = ""
) -> tuple[Plan | None, Portfolio]:
    """The plan named and its portfolio, or only the portfolio named; an option that then has no effect is refused.

    instead: what a budget could have been meant for, as the end of a sentence.
    """
    is_plan = input.suffix == ".json" and not input.exists()  # whose absence is told with its remedy
    if not is_plan:
        need_files([input])
        is_plan = kind_of(input) in ("plan", "run")
    code = "option-without-effect"
    if not is_plan:
        if portfolio_file is not None:
            message = f"{input} is a portfolio, so --portfolio has no effect: leave it out, or name a plan first."
            raise _error(code, message, input)
        return None, read([input], ReadHow())[0]
    if budget is not None:
        raise _error(code, f"{input} is a plan already, so --budget has no effect: leave it out{instead}.", input)
    return read_plan_with_portfolio(input, portfolio_file)


def read_plan(path: Path) -> Plan:
    """Raises InputError, with the remedy where there is no plan yet."""
    from throttle.files import load_plan

    with suppress(OSError):  # which need_files tells
        if not path.exists():
            raise _error("no-plan", f"There is no plan {path}: make one with throttle plan, or name another.", path)
    need_files([path])
    if path.is_dir():
        raise _error("not-a-file", f"{path} is a folder: name the plan.json in it.", path)
    if is_other := _other_than_plan(path):
        raise _error("not-a-plan", f"{path} {is_other}.", path)
    return load_plan(path)


_ROWS = "was written by throttle export, for other programs: name the plan.json that it was made of"


def _other_than_plan(path: Path) -> str | None:
    """What a readable file is, and what to do with it; None for a plan, and for JSON that is broken or unknown."""
    from throttle import ingest

    kind, head = kind_of(path), _head(path).lstrip()
    if kind == "rows":
        return _ROWS
    if kind == "run":
        return "tells how a plan was made: name the plan.json beside it"
    if kind == "batch":
        return "is of a batch, which has a plan for each run: name one of them, as results.csv lists"
    if kind == "mapping":
        return "is a mapping, not a plan: name a plan.json"
    if kind == "portfolio" and not head.startswith("{"):
        return f"is YAML, as portfolios are, and a plan is JSON: throttle plan {path} makes one of a portfolio"
    if kind == "portfolio" and _json_object(path):
        return f"is a portfolio, not a plan: throttle plan {path} makes one"
    if kind == "export":
        try:
            ingest.reader_of(path)
        except InputError:
            return None if head.startswith(("{", "[")) or not head else "is not JSON, so no plan: name a plan.json"
        return f"is a ticket export, not a plan: throttle plan {path} makes one"
    return None


def _json_object(path: Path) -> bool:
    """Whether it is sound JSON; what is cut off or broken is told with its place by whoever reads it."""
    try:
        return isinstance(json.loads(path.read_bytes()), dict)
    except (ValueError, RecursionError):
        return False


@contextmanager
def naming(*paths: Path | None) -> Iterator[None]:
    """Where one file is read, errors of what is in it name it."""
    try:
        yield
    except InputError as problem:
        raise InputError(with_file(problem.findings, *paths)) from problem


def with_file(findings: Iterable[Finding], *paths: Path | None) -> list[Finding]:
    """The findings, with the file where they name none and there is only one."""
    given = [str(path) for path in paths if path]
    if len(given) != 1:
        return list(findings)
    return [f if f.file or f.code == "cannot-print" else f.model_copy(update={"file": given[0]}) for f in findings]
