"""The table of a benchmark: figures, ratios, and how each stands to its target."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

OURS = "dynawire"
COLUMNS = ("get", "aget", "put", "aput", "query", "aquery")
HEADINGS = {"get": "get", "aget": "async", "put": "put", "aput": "async", "query": "query 100", "aquery": "async"}
NAMES = {"pynamodb": "PynamoDB", "moto": "moto (boto3)", "dynamodb_local": "DynamoDB Local (boto3)"}


@dataclass(frozen=True)
class Figures:
    """What was measured, in CPU seconds.

    Attributes:
        calls: per call against the canned-response server, by library and operation.
        imports: of importing the library.
        embedded: per call on what runs without the service, by engine and operation.
        decode: dynawire reading a page of 100 items, and orjson reading the same data as plain JSON.
        memory: items iterated, and bytes that the process grew by meanwhile.
    """

    calls: Mapping[str, Mapping[str, float]]
    imports: Mapping[str, float]
    embedded: Mapping[str, Mapping[str, float]]
    decode: tuple[float, ...] | None
    memory: tuple[int, ...] | None


@dataclass(frozen=True)
class Target:
    """One figure beside what it has to be: ``value`` at most ``limit``."""

    text: str
    value: float
    limit: float
    shown: str

    @property
    def met(self) -> bool:
        return self.value <= self.limit


def render(figures: Figures, versions: Mapping[str, str], *, quick: bool) -> int:
    """Print everything; 0 when every target is met (a quick run is not judged)."""
    rows = [["", *(HEADINGS[column] for column in COLUMNS), "import"]]
    for name, calls in figures.calls.items():
        title = f"{NAMES.get(name, name)} {versions[name]}"
        rows.append([title, *(_time(calls.get(column)) for column in COLUMNS), _time(figures.imports[name])])
    ratios = [_fastest_rival(figures.calls, column) for column in COLUMNS]
    imports = {name: {"import": seconds} for name, seconds in figures.imports.items()}
    ratios.append(_fastest_rival(imports, "import"))
    if OURS in figures.calls:
        ours = [figures.calls[OURS].get(column) for column in COLUMNS] + [figures.imports[OURS]]
        pairs = zip(ratios, ours, strict=True)
        rows.append(
            ["fastest rival / dynawire", *(_times(rival / mine if rival and mine else None) for rival, mine in pairs)]
        )
    if figures.embedded:
        rows.append([])
        rows.append(["without the service", "get", "", "put", "", "query 100", "", "update"])
        for name, calls in figures.embedded.items():
            best = {column: calls.get(column, calls.get(f"a{column}")) for column in ("get", "put", "query", "update")}
            shown = {column: _time(seconds) for column, seconds in best.items()}
            title = NAMES.get(name, f"{name} in memory")
            rows.append([title, shown["get"], "", shown["put"], "", shown["query"], "", shown["update"]])
    _print_aligned(rows)
    targets = list(_targets(figures))
    if targets:
        print()
        width = max(len(target.text) for target in targets)
        for target in targets:
            print(f"{target.text:{width}}  {target.shown:>18}  {'met' if target.met else 'MISSED'}")
    missed = sum(not target.met for target in targets)
    if targets:
        print(
            f"\n{len(targets) - missed} of {len(targets)} targets met"
            + (" (a quick run: rough figures)" if quick else "")
        )
    return 1 if missed and not quick else 0


def _targets(figures: Figures) -> Iterator[Target]:
    if OURS not in figures.calls:
        return
    mine = figures.calls[OURS]
    goals = {"get": 5.0, "put": 5.0, "aget": 3.5, "aput": 3.5, "query": 4.0, "aquery": 4.0}
    labels = {"get": "get", "put": "put", "query": "query of 100 items"}
    for column, factor in goals.items():
        rival = _fastest_rival(figures.calls, column)
        if rival is None or column not in mine:
            continue
        label = labels[column.removeprefix("a") if column.startswith("a") else column]
        label += ", async" if column.startswith("a") else ""
        yield _ratio(f"{label}: at most 1/{factor:g} of the fastest rival", mine[column], rival, factor)
    rivals = [seconds for name, seconds in figures.imports.items() if name != OURS]
    if rivals:
        yield _ratio("import: at most 1/2 of the fastest rival", figures.imports[OURS], min(rivals), 2)
    if figures.decode:
        decode, floor = figures.decode
        text = "reading 100 items: at most 3 times orjson.loads of plain JSON"
        yield Target(text, decode / floor, 3, f"{_time(decode)}, {decode / floor:.2f} times")
    if OURS in figures.embedded and "boto3" in figures.calls:
        for operation, factor in (("get", 50.0), ("put", 25.0)):
            ours, boto3 = figures.embedded[OURS][operation], figures.calls["boto3"][operation]
            yield _ratio(f"embedded {operation}: at most 1/{factor:g} of boto3's", ours, boto3, factor)
    if figures.memory:
        items, growth = figures.memory
        text = f"memory while iterating {items:,} items: within 50 MB"
        yield Target(text, growth, 50e6, f"{growth / 1e6:.1f} MB more")


def _ratio(text: str, ours: float, rival: float, factor: float) -> Target:
    return Target(text, ours * factor, rival, f"1/{rival / ours:.1f}")


def _fastest_rival(calls: Mapping[str, Mapping[str, float]], column: str) -> float | None:
    """The least of the other libraries for an operation; for a synchronous one their async form counts as well."""
    columns = {column} if column.startswith("a") else {column, f"a{column}"}
    found = [seconds for name, one in calls.items() if name != OURS for key, seconds in one.items() if key in columns]
    return min(found, default=None)


def _time(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    if seconds >= 1e-3:
        return f"{seconds * 1e3:.1f} ms"
    return f"{seconds * 1e6:.{1 if seconds < 1e-4 else 0}f} µs"


def _times(ratio: float | None) -> str:
    return "-" if ratio is None else f"{ratio:.1f}"


def _print_aligned(rows: list[list[str]]) -> None:
    width = max(len(row[0]) for row in rows if row)
    for row in rows:
        print(f"{row[0]:{width}}" + "".join(f"{cell:>11}" for cell in row[1:]) if row else "")
