from __future__ import annotations

import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.lab.providers import wire
from tests.lab.providers.random.provider import random_provider
from tests.lab.providers.random.text import SPECIAL, draw
from tests.lab.providers.resource import Resource

PROVIDER = random_provider()
PASSWORD = PROVIDER.resource("random:index/randomPassword:RandomPassword")

CLASSES = {
    "minLower": string.ascii_lowercase,
    "minUpper": string.ascii_uppercase,
    "minNumeric": string.digits,
    "minSpecial": SPECIAL,
}


@given(
    length=st.integers(min_value=20, max_value=40),
    minima=st.dictionaries(st.sampled_from(sorted(CLASSES)), st.integers(0, 5)),
)
def test_a_password_has_its_length_and_enough_of_each_class(length: int, minima: dict[str, int]) -> None:
    drawn = draw({"length": length, **minima})
    assert len(drawn) == length
    for name, least in minima.items():
        assert sum(character in CLASSES[name] for character in drawn) >= least


@given(st.sets(st.sampled_from(["lower", "upper", "numeric"])))
def test_classes_that_are_switched_off_do_not_appear(off: set[str]) -> None:
    kinds = {"lower": string.ascii_lowercase, "upper": string.ascii_uppercase, "numeric": string.digits}
    drawn = draw({"length": 40, "overrideSpecial": "_-", **dict.fromkeys(off, False)})
    allowed = "_-" + "".join(characters for name, characters in kinds.items() if name not in off)
    assert set(drawn) <= set(allowed)


def test_no_special_characters_when_not_wanted() -> None:
    assert draw({"length": 100, "special": False}).isalnum()
    assert draw({"length": 50, "number": False, "special": False}).isalpha()


def test_two_draws_differ() -> None:
    assert draw({"length": 24}) != draw({"length": 24})


@pytest.mark.parametrize(
    ("inputs", "reason"),
    [
        ({"length": 0}, "at least 1"),
        ({"length": 3, "minLower": 2, "minUpper": 2}, "at least 4, the sum of min"),
        (
            {"length": 3, **dict.fromkeys(("lower", "upper", "numeric", "special"), False)},
            "every class is switched off",
        ),
    ],
)
def test_impossible_passwords_are_refused(inputs: dict[str, Any], reason: str) -> None:
    (failure,) = PASSWORD.failures(inputs)
    assert failure.path == "length"
    assert reason in failure.reason


def test_an_unknown_length_is_not_judged() -> None:
    assert not list(PASSWORD.failures({"length": wire.UNKNOWN}))


@pytest.mark.parametrize("resource", PROVIDER.resources.values(), ids=lambda resource: resource.token)
def test_values_stay_until_an_input_changes(resource: Resource) -> None:
    inputs = dict.fromkeys(resource.schema.inputs.required, 8)
    made = resource.create(inputs)
    assert made.outputs.keys() <= resource.schema.outputs
    assert resource.diff(made.outputs, inputs).changes == ()
    assert resource.read(made.resource_id, inputs, made.outputs) == made.outputs
    (change,) = resource.diff(made.outputs, {**inputs, "keepers": {"version": "2"}}).changes
    assert (change.property, change.replaces) == ("keepers", True)


def test_what_is_secret() -> None:
    secret = {token: resource.secret_outputs for token, resource in PROVIDER.resources.items()}
    assert secret["random:index/randomPassword:RandomPassword"] == {"result"}
    assert secret["random:index/randomBytes:RandomBytes"] == {"base64", "hex"}
    assert secret["random:index/randomString:RandomString"] == frozenset()


def test_notations_of_an_id() -> None:
    made = PROVIDER.resource("random:index/randomId:RandomId").create({"byteLength": 5, "prefix": "x-"})
    digits = made.outputs["hex"].removeprefix("x-")
    assert len(digits) == 10
    assert made.outputs["dec"] == f"x-{int(digits, 16)}"
    assert made.outputs["b64Url"] == f"x-{made.resource_id}"
