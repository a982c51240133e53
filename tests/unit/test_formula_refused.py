"""What is no formula is refused at once, with a sentence that says what is wrong and where."""

from __future__ import annotations

import time

import pytest

from data.formula import parse
from data.formula.scanning import MOST_CHARACTERS, scan
from errors import InvalidFormula

AT_ONCE_S = 0.5  # of CPU: thousands of times what the slowest takes

HOSTILE = {
    "a tower of powers": ("temperature * 9**9**9**9", "from -10 to 10"),
    "a great power": ("temperature**1000", "from -10 to 10"),
    "a giant string": ("'a'*10**10", "a text stands for"),
    "a giant integer": ("9" * 900, "too long or too large"),
    "an infinite number": ("temperature + 1e309", "too long or too large"),
    "attributes of a tuple": ("().__class__.__mro__", "Character 3"),
    "attributes of a sensor": ("temperature.__class__", "Character 12"),
    "attributes of a string": ('"".format(temperature)', "Character 3"),
    "an import": ('__import__("os")', "__import__"),
    "the statement of an import": ("import os", "import"),
    "a built-in": ("open('/etc/passwd')", "no function open"),
    "eval": ('eval("1")', "no function eval"),
    "a dunder name": ("__builtins__", "__builtins__"),
    "lambda": ("(lambda: 1)()", "lambda"),
    "a list": ("[temperature]", "[temperature]"),
    "a comprehension": ("[x for x in temperature]", "for"),
    "a generator": ("max(x for x in temperature)", "for"),
    "a dictionary": ("{1: 2}", "'{'"),
    "an f-string": ('f"{temperature}"', "cannot follow here"),
    "bytes": ("b'a'", "cannot follow here"),
    "a walrus": ("(x := temperature)", "':'"),
    "an assignment": ("x = temperature", "'='"),
    "two statements": ("temperature; humidity", "';'"),
    "star arguments": ("max(*temperature)", "no names and no stars"),
    "double star arguments": ("max(**temperature)", "no names and no stars"),
    "a keyword argument": ('rolling_mean(temperature, length="1 h")', "'='"),
    "a starred name": ("*temperature", "Character"),
    "await": ("await temperature", "await"),
    "yield": ("(yield temperature)", "yield"),
    "a subscript of a subscript": ('temperature["JFK"]["EWR"]', 'as temperature["JFK"]'),
    "a number as subscript": ("temperature[0]", 'as temperature["JFK"]'),
    "a slice": ("temperature[1:2]", "':'"),
    "a call of a call": ('abs(temperature)("x")', "only a function's name"),
    "a tuple": ("temperature, humidity", "not part of the language"),
    "a null byte": ("temperature\0", "Character 12"),
    "a null byte in a text": ('temperature["\0"]', "cannot be seen"),
    "a lone surrogate": ('temperature["\ud800"]', "cannot be seen"),
    "an escape": ('temperature["\\x41"]', "Character 13"),
    "look-alike letters": ("tеmperature", "Character 2"),
    "full-width letters": ("ｔemperature", "Character 1"),
    "a digit of another script": ("temperature + ٣", "Character 15"),
    "hexadecimal": ("temperature + 0xFF", "cannot follow here"),
    "an imaginary number": ("temperature + 1j", "cannot follow here"),
    "digits with underscores": ("temperature + 1_000", "cannot follow here"),
    "a bit shift": ("1 << 100000", "only"),
    "a remainder": ("temperature % 2", "'%'"),
    "a whole division": ("temperature // 2", "only"),
    "a comment": ("temperature # x", "'#'"),
    "an ellipsis": ("...", "Character 1"),
    "None": ("None", "None"),
    "membership": ("temperature in humidity", "in"),
    "deep parentheses": ("(" * 21 + "temperature" + ")" * 21, "parentheses within each other"),
    "deep negation": ("-" * 300 + "temperature", "nested too deep"),
    "deep not": ("not " * 200 + "temperature", "nested too deep"),
    "a long sum": ("+".join(["temperature"] * 83), "nested too deep"),
    "many words": ("-1" * 250 + "*temperature", "words and signs"),
    "a very long text": ("temperature " * 100_000, "at most 1000 characters"),
    "nothing": ("", "empty"),
    "blanks": (" \n\t", "empty"),
    "no sensor": ("1 + 1", "names no sensor"),
    "half a formula": ("temperature +", "cannot be read here"),
    "an open parenthesis": ("abs(temperature", "cannot be read here"),
}


@pytest.mark.parametrize(("text", "says"), HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_text_is_refused_at_once_with_what_is_wrong_and_where(text, says):
    begun = time.process_time()
    with pytest.raises(InvalidFormula) as refused:
        parse(text)
    assert time.process_time() - begun < AT_ONCE_S
    assert says in refused.value.message
    assert len(refused.value.message) < 400


def test_no_text_is_longer_than_its_limit_before_anything_reads_it():
    scan("temperature".ljust(MOST_CHARACTERS))
    with pytest.raises(InvalidFormula, match="1001"):
        scan("temperature".ljust(MOST_CHARACTERS + 1))


@pytest.mark.parametrize(
    ("text", "at"),
    [("temperature + nothing(1)", 15), ("  temperature + open(1)", 17), ('temperature["Žilina"] + open(1)', 25)],
)
def test_a_refusal_counts_characters_of_the_text_as_it_was_written(text, at):
    with pytest.raises(InvalidFormula, match=f"^Character {at}: "):
        parse(text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("abs()", "abs takes abs(number), not 0 arguments"),
        ("dew_point(temperature)", "dew_point takes dew_point(temperature, humidity), not 1 arguments"),
        ("temperature + abs", "abs is a function"),
        ("rolling_mean(temperature)", "takes readings and a length"),
        ('rolling_mean(temperature, "1 week")', "takes readings and a length"),
        ('rolling_mean(temperature, "0 h")', "takes readings and a length"),
        ('rolling_mean(2, "1 h") + temperature', "needs readings"),
        ('shift(temperature, "32 d")', "at most 31 days"),
        ('shift(rolling_mean(temperature, "20 d"), "12 d")', "at most 31 days"),
        ("temperature + quantity(5)", 'quantity(5, "m/s")'),
        ("temperature + quantity(humidity, 'K')", 'quantity(5, "m/s")'),
        ("temperature ** humidity", "plain number"),
        ("temperature + 'x'", "a text stands for"),
        ('temperature[" "]', "no name of a station"),
    ],
)
def test_a_wrong_call_is_refused_with_how_it_is_written(text, says):
    with pytest.raises(InvalidFormula) as refused:
        parse(text)
    assert says in refused.value.message
