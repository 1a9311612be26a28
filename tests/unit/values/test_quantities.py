from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.values.quantities import Duration, Size

QUANTITIES = [Duration, Size]


@pytest.mark.parametrize("kind", QUANTITIES)
@given(value=st.integers(min_value=1, max_value=10**15 - 1))
def test_written_and_read_again(kind: type[Duration] | type[Size], value: int) -> None:
    assert kind.parse(str(kind(value))) == kind(value)


@pytest.mark.parametrize("kind", QUANTITIES)
@pytest.mark.parametrize(
    "text", ["", "30", "30 days", "-1d", "0d", "0B", "1.5h", "d", "1e3s", "٣d", None, 30, True]
)
def test_refused_with_what_is_allowed(kind: type[Duration] | type[Size], text: object) -> None:
    with pytest.raises(ValueError, match=r"whole number above 0 and a unit \(.*for example"):
        kind.parse(text)


def test_known_values() -> None:
    assert Duration.parse("30d").seconds == 30 * 86400
    assert Duration.parse("15m").seconds == 900
    assert Size.parse("40GB").bytes == 40 * 10**9
    assert Size.parse("40GiB").bytes == 40 * 2**30
    assert Size.parse("2GiB").share(0.8).mebibytes == 1638
    assert Duration.parse("90m").in_unit("h") == "2h"
    assert Duration.parse("47h").days == 1
    assert [Size.parse(text).gibibytes_needed for text in ("1B", "1GiB", "1025MiB")] == [1, 1, 2]
