"""Every fault at every signal set, and back from its file."""

from collections import Counter
from pathlib import Path

import pytest

from firmware_sim.__main__ import main
from firmware_sim.fleet import fleet
from firmware_sim.matrix import matrix, written
from firmware_sim.mishaps import happenings
from firmware_sim.scenario import PLANT_FAULTS, Happening, ScenarioError, SignalSet, load


@pytest.mark.parametrize("fault", PLANT_FAULTS)
def test_a_fault_befalls_every_plant_of_every_signal_set_once_and_nothing_else_does(fault: Happening) -> None:
    scenario = matrix(fault, "m", injections=3)
    stands = fleet(scenario).plants
    assert Counter(site.signals for site in stands) == dict.fromkeys(SignalSet, 3)
    assert sorted(event.target for event in happenings(scenario)) == [site.device for site in stands]
    for event in happenings(scenario):
        assert event.kind is fault
        assert isinstance(event.at, float)
        assert 72 <= event.at < 0.76 * scenario.hours
    assert load(written(scenario)) == scenario


def test_there_are_fifteen_faults_and_each_seed_has_its_own_instants() -> None:
    assert len(PLANT_FAULTS) == 15
    assert matrix(Happening.JAM, 1).events != matrix(Happening.JAM, 2).events


def test_what_is_no_plants_fault_is_refused() -> None:
    with pytest.raises(ScenarioError, match="fire is no fault of a plant"):
        matrix(Happening.FIRE, 1)


def test_a_matrix_is_written_as_a_file_that_can_be_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "jam.yaml"
    assert main(["matrix", "jam", "--injections", "1", "--days", "4", "--to", str(file)]) == 0
    assert "jam at 14 plants" in capsys.readouterr().out
    files = [part for key in ("uplinks", "inventory", "truth") for part in (f"--{key}", str(tmp_path / key))]
    assert main(["tell", str(file), *files]) == 0
    assert (tmp_path / "truth").read_text("utf-8").count('"fault":"jam"') == 14
    with pytest.raises(SystemExit):
        main(["matrix", "jam", "--injections", "0", "--days", "0", "--to", str(file)])
