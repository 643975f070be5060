"""docs/run-directory.md and docs/learning.md say of a calibration what the code does."""

from typing import get_args

from rl.calibrate.attempt import Attempt
from rl.calibrate.chance import at_most, below
from rl.calibrate.outcome import SOME, Calibration, Code, Group, world_of
from rl.calibrate.standard import GOAL, MOST_SHOWN, TRIALS
from rl.calibration_config import MOST_LEARNINGS, MOST_STEPS
from rl.config import CalibrateConfig
from runs_app.calibration_rows import WORDS
from tests.docs.pages import codes, named, page, section, table

FILE = section(page("docs/run-directory.md"), "calibration.json")
TOLD = section(page("docs/learning.md"), "Can this set-up learn anything?")
ONE = Attempt(0.5, 1, "shown", 0.0, 0.0, "cash", (0.0,), 0.0, 1.0, 0.5)


def test_every_key_of_the_file() -> None:
    rows = {codes(row[0])[0]: set(codes(row[1])) for row in table(FILE)}
    assert named(FILE) == set(Calibration(CalibrateConfig(), "", "", 0, (ONE,)).as_dict())
    assert rows["code"] == set(get_args(Code)) | {"shown"}
    assert rows["groups"] >= set(Group.__dataclass_fields__) | {"sentence"}
    assert rows["worlds"] == set(world_of(ONE))


def test_every_result_has_its_words_on_the_page() -> None:
    assert set(WORDS) == set(get_args(Code))
    results = [row[0] for row in table(TOLD[TOLD.index("| result |") :])]
    assert results == [word for code, word in WORDS.items() if code != "no_signal"]


def test_its_numbers() -> None:
    assert (
        f"0 of 10 worlds with nothing to find it was shown: the false-discovery rate is below {below(at_most(0, 10))}"
        in TOLD
    )
    assert f"0 of 20 is below {below(at_most(0, 20))}" in TOLD and f"0 of 59 below {below(at_most(0, 59))}" in TOLD
    assert f"the median capture is {SOME} or more" in TOLD
    assert f"a capture of {GOAL:.2f} in each of five" in TOLD and TRIALS["planted"].worlds == 5
    assert f"at most {MOST_SHOWN} of {TRIALS['null'].worlds}" in TOLD
    api = page("docs/api.md")
    assert f"at most {MOST_LEARNINGS} trainings and {MOST_STEPS // 10**6} million steps" in api
