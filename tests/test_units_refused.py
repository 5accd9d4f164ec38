"""Numbers of values and of units that cannot be: one clear sentence, from Python and from the command line."""

import math
import re

import numpy as np
import pytest

from harmonium.cli import main
from harmonium.errors import InputError
from harmonium.units import Interval, Multivalued, Sparse, parse_side

SPELLED = ["s=0", "s=-1", "s=2.5", "s=", "s=1e400", "s=nan", "s=" + "9" * 400, "s=99999999", "q=3", ""]


@pytest.mark.parametrize("family", ["multivalued", "sparse"])
@pytest.mark.parametrize("option", SPELLED)
def test_a_spelling_without_a_usable_s_is_refused(family, option):
    text = f"{family}:10" + (f",{option}" if option else "")
    with pytest.raises(InputError) as raised:
        parse_side(text)
    message = str(raised.value)
    assert message.startswith(f"{family} units need one option, s=1, 2, 3,")
    assert message.endswith(f"write {family}:10,s=4.")
    assert len(message) < 200
    assert (option or "nothing")[:40] in message


@pytest.mark.parametrize("s", [0, -1, 2.5, math.nan, "4", None, True, 2**24 + 1, 10**400])
@pytest.mark.parametrize("family", [Multivalued, Sparse])
def test_a_number_of_values_that_is_none_is_refused(family, s):
    with pytest.raises(InputError, match="units must be a whole number from 1 to 16777216, not") as raised:
        family(10, s)
    assert len(str(raised.value)) < 200


def test_infinitely_many_values_are_the_interval():
    with pytest.raises(InputError, match=r"must be finite, not inf; use Interval\(10\)"):
        Multivalued(10, math.inf)
    assert parse_side("multivalued:10,s=inf") == Interval(10)
    assert parse_side("sparse:10,s=inf") == Sparse(10, math.inf)


@pytest.mark.parametrize("n", [0, -3, 2.5, "10", None, math.inf, True])
@pytest.mark.parametrize("make", [lambda n: Multivalued(n, 4), lambda n: Sparse(n, 4), Interval], ids="mvi")
def test_a_number_of_units_that_is_none_is_refused(make, n):
    with pytest.raises(InputError, match=r"the number of (multivalued|sparse|interval) units must be a whole number"):
        make(n)


@pytest.mark.parametrize("family", ["multivalued:{},s=4", "sparse:{},s=4", "interval:{}"])
@pytest.mark.parametrize("n", ["0", "-3", "2.5", ""])
def test_a_spelled_number_of_units_that_is_none_is_refused(family, n):
    with pytest.raises(InputError, match=r"the number of .* units must be a whole number from 1 on, not"):
        parse_side(family.format(n))


@pytest.mark.parametrize("text", ["10", "-5", "+5", "1e3", "10.5", ".5", "10;20", "bernoulli:3+5"])
def test_a_number_alone_is_no_family_s_name(text):
    number = text.removeprefix("bernoulli:3+")
    with pytest.raises(InputError, match=rf"^'{re.escape(number)}' names no units; write how many as a whole number"):
        parse_side(text)


def test_whole_numbers_of_other_types_are_taken():
    assert Multivalued(np.int64(3), np.int32(4)).n_states == 125


@pytest.mark.parametrize("hidden", ["multivalued:10,s=0", "multivalued:10,s=2.5", "multivalued:10", "sparse:10,s="])
def test_the_command_line_says_it_in_one_sentence(hidden, capsys, tmp_path):
    with pytest.raises(SystemExit) as raised:
        main(["train", "digits", "--hidden", hidden, "--out", str(tmp_path / "run")])
    said = capsys.readouterr().err
    assert raised.value.code == 2
    assert "need one option, s=1, 2, 3," in said
    assert "Traceback" not in said
    assert not (tmp_path / "run").exists()
