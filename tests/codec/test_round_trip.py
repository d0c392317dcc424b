"""Any value of any supported type comes back equal; nothing but the library's errors ever comes out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dynawire import DecodeError, LimitExceeded, ValidationError
from dynawire.codec.resolve import Resolver
from dynawire.operations.mapped import mapped
from tests.codec.strategies import Typed, classes, junk, types, wires

# To make a class takes longer than to make a value, and machines may be busy.
unhurried = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@given(classes())
@unhurried
def test_any_instance_comes_back_equal(made: tuple[Any, Any]) -> None:
    cls, instance = made
    plan = mapped(cls).plan
    wire = plan.encode(instance)
    body = msgspec.json.encode({"Item": wire})
    found, _ = plan.read_item(body)
    assert found == instance
    assert plan.from_wire(wire) == instance
    (again, *_), page = plan.read_page(msgspec.json.encode({"Items": [wire, wire], "Count": 2}))
    assert again == instance
    assert page.Count == 2
    # What was loaded is what would be written: save() would find no change.
    assert _unordered(plan.loaded_wire(found._loaded)) == _unordered(plan.encode(found))
    assert not list(plan.record.member_problems(instance, ""))


@given(types(), st.data())
@unhurried
def test_codec_comes_back_equal_alone(typed: Typed, data: st.DataObject) -> None:
    annotation, values = typed
    codec = Resolver().codec(annotation)
    value = data.draw(values)
    wire = codec.encode(value)
    assert codec.decode(wire) == value
    assert wire.keys() <= codec.tags
    assert not list(codec.problems(value, ""))
    assert codec.unconstrained.encode(value).keys() == wire.keys()
    assert isinstance(codec.describe(), str)


@given(types(), junk)
@settings(unhurried, max_examples=300)
def test_what_does_not_fit_is_refused_and_nothing_else_happens(typed: Typed, value: Any) -> None:
    codec = Resolver().codec(typed[0])
    refusal = _raised(lambda: codec.encode(value), ValidationError, LimitExceeded)
    if refusal is None:
        wire = codec.encode(value)
        codec.decode(wire)
        msgspec.json.encode(wire)
        return
    assert isinstance(refusal, LimitExceeded) or refusal.errors
    assert not isinstance(value, str) or len(value) < 8 or value not in str(refusal)


@given(types(), wires)
@settings(unhurried, max_examples=300)
def test_what_is_stored_otherwise_is_a_decode_error_and_nothing_else(typed: Typed, wire: dict[str, Any]) -> None:
    codec = Resolver().codec(typed[0])
    if _raised(lambda: codec.decode(wire), DecodeError) is None:
        assert wire.keys() <= codec.tags
        # Another type never turns into None in silence.
        assert codec.decode(wire) is not None or wire == {"NULL": True}


@given(classes(), st.data())
@unhurried
def test_a_misfit_is_located(made: tuple[Any, Any], data: st.DataObject) -> None:
    cls, instance = made
    plan = mapped(cls).plan
    item = plan.encode(instance)
    name = data.draw(st.sampled_from(sorted(item.keys() - {"id"}) or ["id"]))
    item[name] = data.draw(wires)
    misfit = _raised(lambda: plan.from_wire(item), DecodeError)
    if misfit is not None:
        attribute = next(one.name for one in cls.__mapping__.attributes.values() if one.stored_name == name)
        assert misfit.path.startswith(attribute)
        assert misfit.key == {"id": item["id"]}
        assert f"{cls.__name__}.{attribute}" in str(misfit)


def _raised(call: Callable[[], Any], *kinds: type[Exception]) -> Any:
    """The error of one of these kinds that a call raises, or None."""
    try:
        call()
    except kinds as error:
        return error
    return None


def _unordered(wire: Any) -> Any:
    if isinstance(wire, dict):
        return {name: sorted(one) if name in ("SS", "NS", "BS") else _unordered(one) for name, one in wire.items()}
    return [_unordered(one) for one in wire] if isinstance(wire, list) else wire
