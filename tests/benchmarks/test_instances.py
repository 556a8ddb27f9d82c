from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks.instances import Known, instances, known, strangers

from throttle.errors import InputError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "set").mkdir()
    for name in ("j30_1_1.rcp", "j30_1_2.rcp", "j301_3.sm", "j1201_4.sm", "notes.txt"):
        (tmp_path / "set" / name).touch()
    (tmp_path / "best_known.csv").write_text(
        "instance,lower_bound,upper_bound,source\n"
        "j30_1_1,43,43,x\nj30_1_2,4.5,,y\nj30_1_3,46,47,z\nj120_1_4,99,100,z\n",
        encoding="utf-8",
    )
    return tmp_path


def test_only_what_a_reader_knows_is_an_instance(folder: Path) -> None:
    assert [p.name for p in instances(folder)] == ["j1201_4.sm", "j301_3.sm", "j30_1_1.rcp", "j30_1_2.rcp"]


def test_a_sample_is_the_same_for_the_same_seed(folder: Path) -> None:
    samples = {seed: tuple(instances(folder, 2, seed)) for seed in range(8)}
    assert all(instances(folder, 2, seed) == list(drawn) for seed, drawn in samples.items())
    assert all(len(set(drawn)) == 2 for drawn in samples.values())
    assert len(set(samples.values())) > 1
    assert instances(folder, 9) == instances(folder)


def test_a_folder_without_instances_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="holds no instance"):
        instances(tmp_path)


def test_best_known_is_read_from_the_nearest_folder_above(folder: Path) -> None:
    assert known(folder / "set" / "j30_1_1.rcp") == Known(43, 43)
    assert known(folder / "set" / "j30_1_2.rcp") == Known(4.5, None)
    assert known(folder / "set" / "other.rcp") == Known()
    (folder / "set" / "best_known.csv").write_text("instance,lower_bound,upper_bound\nj30_1_1,1,2\n", encoding="utf-8")
    assert known(folder / "set" / "j30_1_1.rcp") == Known(1, 2)


def test_names_of_psplib_itself_are_known(folder: Path) -> None:
    assert known(folder / "set" / "j301_3.sm") == Known(46, 47)
    assert known(folder / "set" / "j1201_4.sm") == Known(99, 100)


def test_a_file_is_its_only_instance_and_nothing_has_none(folder: Path) -> None:
    assert instances(folder / "set" / "j301_3.sm") == [folder / "set" / "j301_3.sm"]
    with pytest.raises(FileNotFoundError, match="does not exist"):
        instances(folder / "elsewhere")


def test_names_may_have_their_ending_and_folders(folder: Path) -> None:
    table = folder / "best_known.csv"
    table.write_text(
        "\ufeffinstance, lower_bound\nj30_1_1.rcp,1\n set/j30_1_2 ,2\nj301_3.sm,3\nx.sm,\n", encoding="utf-8"
    )
    found = [known(folder / "set" / name) for name in ("j30_1_1.rcp", "j30_1_2.rcp", "j301_3.sm", "j1201_4.sm")]
    assert found == [Known(1), Known(2), Known(3), Known()]
    assert strangers(instances(folder)) == {table: ["x.sm"]}


def test_a_sample_makes_no_strangers(folder: Path) -> None:
    assert strangers(instances(folder, 1)) == {folder / "best_known.csv": []}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "but has nothing; rename the columns"),
        ("instance;upper_bound\n", "separated by commas, but has instance;upper_bound"),
        ("instance,makespan\n", "but has instance, makespan"),
        ("instance,upper_bound\na,1\nb,many\n", "line 3: upper_bound should be a number, or empty .* not 'many'"),
        ("instance,lower_bound\na,inf\n", "line 2: lower_bound should be a number"),
    ],
)
def test_a_table_that_cannot_be_read_is_told(text: str, said: str, folder: Path) -> None:
    (folder / "best_known.csv").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=f"best_known.csv.*{said}"):
        known(folder / "set" / "j30_1_1.rcp")
