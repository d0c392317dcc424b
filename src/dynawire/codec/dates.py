"""Codecs of dates, times and durations.

Text is ISO 8601, always of one time zone (UTC), so that DynamoDB's order of text is the order in time. It is what the
classes of Python's own write: a class derived from one may write anything.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from .misfit import Misfit
from .scalars import ScalarCodec, wrong_type

if TYPE_CHECKING:
    from decimal import Decimal

__all__ = ["date_codec", "epoch_seconds_codec", "naive_datetime_codec"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_MICROSECOND = timedelta(microseconds=1)


def date_codec(name: str) -> ScalarCodec | None:
    """The codec of a class of the module ``datetime``; None when that has none."""
    if name == "datetime":
        # Two datetimes that differ for Python may be the same instant, as in the gap of a daylight saving time.
        return ScalarCodec(
            "datetime",
            "S",
            datetime,
            datetime,
            _aware_payload,
            fast_test="{}.tzinfo is utc",
            fast_payload="{}.isoformat()",
            from_payload=_aware,
            names={"utc": UTC},
            injective=False,
        )
    if name == "date":
        return ScalarCodec("date", "S", date, date, _date_payload, fast_payload="{}.isoformat()")
    if name == "time":
        # msgspec reads no offsets with seconds, which Python's time may have.
        return ScalarCodec("time", "S", time, str, _time_payload, from_payload=_time)
    if name == "timedelta":
        from decimal import Decimal

        return ScalarCodec("timedelta", "N", timedelta, Decimal, _timedelta_payload, from_payload=_timedelta)
    return None


def naive_datetime_codec() -> ScalarCodec:
    """A datetime without time zone, stored without offset."""
    return ScalarCodec("naive datetime", "S", datetime, datetime, _naive_payload, from_payload=_naive)


def epoch_seconds_codec() -> ScalarCodec:
    """A datetime as a number of whole seconds since 1970-01-01 UTC."""
    return ScalarCodec(
        "datetime (EpochSeconds)", "N", datetime, int, _epoch_payload, from_payload=_from_epoch, injective=False
    )


def _require_aware(value: Any) -> datetime:
    if not isinstance(value, datetime):
        raise wrong_type("datetime", value)
    if value.utcoffset() is None:
        raise Misfit(
            "is a datetime without time zone; give it one (tzinfo=timezone.utc), or declare "
            "Annotated[datetime, NaiveDatetime]"
        )
    return value


def _aware_payload(value: Any) -> str:
    try:
        return datetime.isoformat(_require_aware(value).astimezone(UTC))
    except OverflowError:
        raise Misfit("is beyond the years 1 to 9999 in UTC") from None


def _aware(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise Misfit("a datetime without time zone")
    return value


def _naive_payload(value: Any) -> str:
    if not isinstance(value, datetime):
        raise wrong_type("datetime", value)
    if value.tzinfo is not None:
        raise Misfit("is a datetime with time zone, but is declared NaiveDatetime; drop the marker or the zone")
    return datetime.isoformat(value)


def _naive(value: datetime) -> datetime:
    if value.tzinfo is not None:
        raise Misfit("a datetime with time zone")
    return value


def _epoch_payload(value: Any) -> str:
    return str((_require_aware(value) - _EPOCH) // _SECOND)


def _from_epoch(seconds: int) -> datetime:
    try:
        return _EPOCH + timedelta(seconds=seconds)
    except OverflowError:
        raise Misfit("a number of seconds beyond the years 1 to 9999") from None


def _date_payload(value: Any) -> str:
    if isinstance(value, date) and not isinstance(value, datetime):
        return date.isoformat(value)
    raise wrong_type("date", value)


def _time_payload(value: Any) -> str:
    if isinstance(value, time):
        return time.isoformat(value)
    raise wrong_type("time", value)


def _time(text: str) -> time:
    try:
        return time.fromisoformat(text)
    except ValueError:
        raise Misfit("text that is not an ISO 8601 time") from None


def _timedelta_payload(value: Any) -> str:
    if not isinstance(value, timedelta):
        raise wrong_type("timedelta", value)
    seconds, fraction = divmod(abs(value) // _MICROSECOND, 1_000_000)
    sign = "-" if value < timedelta(0) else ""
    return f"{sign}{seconds}" + (f".{fraction:06}".rstrip("0") if fraction else "")


def _timedelta(seconds: Decimal) -> timedelta:
    # In whole numbers: Decimal's own arithmetic would round to the caller's precision.
    numerator, denominator = seconds.as_integer_ratio()
    microseconds, rest = divmod(numerator * 1_000_000, denominator)
    if rest:
        raise Misfit("a duration with more than six decimals")
    try:
        return timedelta(microseconds=microseconds)
    except OverflowError:
        raise Misfit("a duration that is too long") from None
