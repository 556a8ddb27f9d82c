"""The house itself: packaging, pins, licences, layers, and what must not be in the tree."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import throttle

ROOT = Path(__file__).resolve().parents[1]
NAME = "throttle-scheduler"

# written in pieces, so that this file does not find itself
FORBIDDEN = {
    "a package registry": "|".join(("py" + r"pi\.(org|python)", "python" + "hosted", "npm" + "js", "registry" + r"\.")),
    "a path of some machine": r"(?<![\w.:/~-])/("
    + "|".join(("ho" + "me", "ro" + "ot", "Us" + "ers", "wo" + "rk"))
    + r")/\w",
}
LICENCES = re.compile(
    r"(Apache-2\.0( WITH LLVM-exception)?|MIT|BSD-[23]-Clause|0BSD|ISC|PSF-2\.0|Zlib|CC0-1\.0)"
    r"( (AND|OR) (Apache-2\.0( WITH LLVM-exception)?|MIT|BSD-[23]-Clause|0BSD|ISC|PSF-2\.0|Zlib|CC0-1\.0))*"
)
OLD_NAMES = {"Apache 2.0", "Apache Software License", "BSD", "BSD License", "3-Clause BSD License", "Dual License",
             "ISC", "ISC License", "ISC License (ISCL)", "MIT", "MIT License", "OSI Approved", "PSFL", "BSD-3-Clause",
             "Python Software Foundation License"}  # fmt: skip


def tree() -> list[Path]:
    """Every file of the repository, whether committed yet or not."""
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def needed(extras: tuple[str, ...] = ()) -> set[str]:
    """Canonical names of all that is installed for the project, directly or not."""
    seen: set[tuple[str, tuple[str, ...]]] = set()
    waiting = [(NAME, extras)]
    while waiting:
        if (entry := waiting.pop()) in seen:
            continue
        seen.add(entry)
        for text in metadata.requires(entry[0]) or []:
            requirement = Requirement(text)
            if requirement.marker is None or any(requirement.marker.evaluate({"extra": e}) for e in ("", *entry[1])):
                waiting.append((canonicalize_name(requirement.name), tuple(sorted(requirement.extras))))
    return {name for name, _ in seen} - {NAME}


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").split("\n")
    return {canonicalize_name(name): version for name, version in (line.split("==") for line in lines if line)}


# --- what must not be there


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_names(what: str) -> None:
    pattern = re.compile(FORBIDDEN[what].encode(), re.IGNORECASE)
    found = []
    for path in tree():
        if match := pattern.search(path.read_bytes()):
            found.append(f"{path.relative_to(ROOT)}: {match[0]!r}")
    assert found == []


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("a package registry", "https://" + "py" + "pi.org/simple"),
        ("a package registry", "https://files.python" + "hosted.org"),
        ("a path of some machine", "in /ho" + "me/someone"),
        ("a path of some machine", '"/wo' + 'rk/main"'),
    ],
)
def test_the_scan_finds_what_it_looks_for(what: str, text: str) -> None:
    assert re.search(FORBIDDEN[what], text)


def test_the_tree_has_no_large_file() -> None:
    assert [p.name for p in tree() if p.stat().st_size > 5_000_000] == []


# --- pins and licences


def test_constraints_pin_everything_that_is_needed_and_nothing_else() -> None:
    assert set(pins()) == needed(("dev",))


def test_constraints_are_plain_exact_pins() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not re.fullmatch(r"[\w.-]+==[\w.]+", line)] == []


def test_what_is_installed_is_what_is_pinned() -> None:
    assert {name: metadata.version(name) for name in pins()} == pins()


@pytest.mark.parametrize("package", sorted(needed()))
def test_licence_of_run_time_dependency_is_compatible_and_listed(package: str) -> None:
    about = metadata.metadata(package)
    if expression := about.get("License-Expression"):
        assert LICENCES.fullmatch(expression), expression
    else:
        stated = [c.split(" :: ")[-1] for c in about.get_all("Classifier") or [] if c.startswith("License ::")]
        stated += [about["License"]] if about.get("License") and "\n" not in about["License"] else []
        assert stated
        assert [name for name in stated if not LICENCES.fullmatch(name) and name not in OLD_NAMES] == []
    rows = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").split("## Licences", 1)[1]
    assert re.search(rf"[|,] {re.escape(package)}[ ,]", rows)


def test_the_licence_is_the_whole_apache_text() -> None:
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Version 2.0, January 2004" in text
    assert [n for n in range(1, 10) if not re.search(rf"^   {n}\. ", text, re.MULTILINE)] == []
    assert "APPENDIX: How to apply the Apache License to your work." in text


# --- packages


def test_layers_are_kept() -> None:
    run = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "1 kept, 0 broken" in run.stdout


def test_versions_agree() -> None:
    assert metadata.version(NAME) == throttle.__version__
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.findall(r"^## \[(\d[^\]]*)\]", changes, re.MULTILINE)[0] == throttle.__version__


def test_the_map_of_the_house_names_every_module() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    modules = [p for p in (ROOT / "src" / "throttle").iterdir() if not p.name.startswith(("_", ".", "py.typed"))]
    missing = [m.name for m in modules if f"`{m.name}`" not in text and f"src/throttle/{m.name}" not in text]
    assert missing == []


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-d", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return folder


def test_the_wheel_has_the_three_packages_the_example_and_nothing_else(built: Path) -> None:
    [wheel] = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        [points] = [n for n in names if n.endswith("entry_points.txt")]
        entry_points = archive.read(points).decode()
    tops = {n.split("/")[0] for n in names}
    assert tops == {
        "throttle",
        "throttle_api",
        "throttle_models",
        f"throttle_scheduler-{throttle.__version__}.dist-info",
    }
    for package in ("throttle", "throttle_api", "throttle_models"):
        assert f"{package}/py.typed" in names
    assert any(n.startswith("throttle/demo_data/") for n in names)
    assert any(n.endswith("licenses/LICENSE") for n in names)
    assert [n for n in names if n.endswith((".pyc", ".nbc", ".nbi"))] == []
    assert "[throttle.commands]" in entry_points


def test_the_example_is_found_in_an_installed_wheel(built: Path, tmp_path: Path) -> None:
    [wheel] = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    script = (
        "from throttle.demo import demo_folder\nfrom throttle.files import load_portfolio\n"
        "folder = demo_folder()\nprint(folder)\nassert load_portfolio(folder).work"
    )
    run = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert Path(run.stdout.strip()) == tmp_path / "throttle" / "demo_data"


def test_the_source_distribution_can_build_the_wheel(built: Path) -> None:
    [source] = built.glob("*.tar.gz")
    with tarfile.open(source) as archive:
        names = {"/".join(n.split("/")[1:]) for n in archive.getnames()}
    wanted = {"pyproject.toml", "hatch_build.py", "LICENSE", "README.md", "src/throttle/__init__.py"}
    assert wanted <= names
    assert any(n.startswith("datasets/parts-unlimited/native/") for n in names)


# --- commands of developers


def test_the_two_commands_of_the_readme_are_those_that_ci_runs() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    text = script.read_text(encoding="utf-8")
    assert "set -euo pipefail" in text
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for command in ("make demo", "make test"):
        assert re.search(rf"^{command}$", text, re.MULTILINE)
        assert command in readme


def test_make_says_which_python_is_needed(tmp_path: Path) -> None:
    old = tmp_path / "python3"
    old.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    old.chmod(0o755)
    run = subprocess.run(
        ["make", "setup", f"PYTHON={old}", f"VENV={tmp_path / 'venv'}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 2
    assert "3.11 or later" in run.stderr
    assert not (tmp_path / "venv").exists()
