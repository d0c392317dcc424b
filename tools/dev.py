"""The commands of ./dev. Standard library only: it runs before anything is installed."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from environments import ROOT, Environment, SetupFailed, clean_environment
from interpreters import Interpreter, find_interpreters
from steps import Result, captured, conclude, report, streamed

HELP = """\
./dev demo [--url URL ...]     the airports of the United States, stored and queried (embedded, or at URL)
./dev test                     everything: format, lint, types, tests, examples, on every CPython 3.11-3.14 found
./dev test --fast [pytest ...] the tests that need neither DynamoDB Local nor a type checker
./dev test PYTEST-ARGUMENTS    pytest with these arguments
./dev lint                     format check, ruff, mypy --strict and pyright
./dev format                   put the sources into form, mending what ruff can mend
./dev bench [--quick]          speed, side by side with boto3, PynamoDB, aiodynamo, pydynox and dynamoxy
./dev bench models [--quick]   what each schema library and each capability costs over the bare model

Each sets up what it needs under .dev/ first. DynamoDB Local (for ./dev test) needs Java 17 and, once, npm."""

# The airports of the demo: its declared dependencies (pandas) are of no use here.
SAMPLE_DATA = ("vega-datasets==0.9.0",)
FAST = ("-m", "not dynamodb_local and not type_checker")

RIVALS = ("boto3", "pynamodb", "aiodynamo", "pydynox", "dynamoxy", "moto[dynamodb]", "orjson", "aiohttp", "uvloop")
SCHEMA_LIBRARIES = ("attrs", "marshmallow", "pydantic", "schematics")


def demo(arguments: Sequence[str]) -> int:
    environment = Environment("demo", main_interpreter(), alone=SAMPLE_DATA)
    environment.prepare()
    return become(environment.command("python", str(ROOT / "examples" / "airports.py"), *arguments))


def bench(arguments: Sequence[str]) -> int:
    models = arguments[:1] == ["models"]
    program, name, requirements = (
        ("models.py", "bench-models", SCHEMA_LIBRARIES) if models else ("run.py", "bench", RIVALS)
    )
    refusal = None
    for interpreter in complete_interpreters():
        environment = Environment(name, interpreter, requirements=requirements, only_wheels=True)
        try:
            environment.prepare()
        except SetupFailed as error:
            print(f"not every library installs on Python {interpreter.name}; trying an older one", flush=True)
            refusal = refusal or error
            continue
        rest = arguments[1:] if models else arguments
        return become(environment.command("python", str(ROOT / "benchmarks" / program), *rest))
    raise refusal or SetupFailed("no Python found to run the benchmarks with")


def lint(arguments: Sequence[str]) -> int:
    refuse_arguments("lint", arguments)
    start = time.monotonic()
    environment = development_environment()
    results = [report(step()) for step in [*style_steps(environment), *type_steps(environment)]]
    return conclude(results, time.monotonic() - start)


def put_into_form(arguments: Sequence[str]) -> int:
    refuse_arguments("format", arguments)
    environment = development_environment()
    mended = streamed("ruff check --fix", environment.command("ruff", "check", "--fix"))
    formed = streamed("ruff format", environment.command("ruff", "format"))
    return 0 if mended.passed and formed.passed else 1


def test(arguments: Sequence[str]) -> int:
    if arguments:
        environment = development_environment()
        selection = [*FAST, *arguments[1:]] if arguments[0] == "--fast" else arguments
        return become(environment.command("python", "-m", "pytest", *selection), cwd_is_root=True)
    start = time.monotonic()
    environment = development_environment()
    results = [report(step()) for step in style_steps(environment)]
    # Two cores: the whole suite on one, what else there is on the other.
    with ThreadPoolExecutor(max_workers=1) as aside:
        others = [one for one in complete_interpreters() if one.name != environment.interpreter.name]
        waiting = [aside.submit(step) for step in type_steps(environment)]
        waiting += [aside.submit(fast_tests, one) for one in others]
        command = environment.command("python", "-m", "pytest", "--durations=5", "--durations-min=5")
        try:
            results.append(report(streamed(f"all tests on Python {environment.interpreter.name}", command)))
            results += [report(future.result()) for future in waiting]
        except KeyboardInterrupt:
            aside.shutdown(cancel_futures=True)
            raise
    return conclude(results, time.monotonic() - start)


def style_steps(environment: Environment) -> list[Callable[[], Result]]:
    return [
        partial(captured, "ruff format --check", environment.command("ruff", "format", "--check")),
        partial(captured, "ruff check", environment.command("ruff", "check", "--output-format=concise")),
    ]


def type_steps(environment: Environment) -> list[Callable[[], Result]]:
    pyright = environment.command("pyright", "--pythonpath", environment.python)
    return [
        partial(captured, "mypy --strict src tools", environment.command("mypy")),
        partial(captured, "pyright src", pyright, PYRIGHT_PYTHON_IGNORE_WARNINGS="1"),
    ]


def fast_tests(interpreter: Interpreter) -> Result:
    """The fast part of the tests on another Python."""
    name = f"fast tests on Python {interpreter.name}"
    environment = Environment(f"python{interpreter.name}", interpreter, extras=("test",), alone=SAMPLE_DATA)
    start = time.monotonic()
    try:
        environment.prepare(announce=False)  # it would stand amid what the main tests print
    except SetupFailed as error:
        return Result(name, False, time.monotonic() - start, str(error))
    command = environment.command("python", "-m", "pytest", *FAST, "--tb=short", "-p", "no:cacheprovider")
    storage = str(environment.folder / "hypothesis")
    return captured(name, command, lambda said: said.split("\n")[-1], HYPOTHESIS_STORAGE_DIRECTORY=storage)


def development_environment() -> Environment:
    environment = Environment("main", main_interpreter(), extras=("dev",), alone=SAMPLE_DATA)
    environment.prepare()
    return environment


def complete_interpreters() -> list[Interpreter]:
    return [one for one in find_interpreters() if one.complete]


def main_interpreter() -> Interpreter:
    found = find_interpreters()
    if not found:
        raise SetupFailed("no released CPython of 3.11 to 3.14 was found; install one, or name one: PYTHON=... ./dev")
    return found[0]


def refuse_arguments(command: str, arguments: Sequence[str]) -> None:
    if arguments:
        raise SetupFailed(f"./dev {command} takes no arguments, but was given: {' '.join(arguments)}")


def become(command: list[str], cwd_is_root: bool = False) -> int:
    """Go on as ``command``: its exit status and the signals it gets are its own."""
    if cwd_is_root:
        os.chdir(ROOT)
    sys.stdout.flush()
    os.execve(command[0], command, clean_environment())


COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {
    "bench": bench,
    "demo": demo,
    "format": put_into_form,
    "lint": lint,
    "test": test,
}


def main(arguments: Sequence[str]) -> int:
    if not arguments or arguments[0] in ("help", "-h", "--help"):
        print(HELP)
        return 0
    command = COMMANDS.get(arguments[0])
    if command is None:
        print(f"./dev: there is no command {arguments[0]!r}\n\n{HELP}", file=sys.stderr)
        return 2
    try:
        return command(arguments[1:])
    except SetupFailed as error:
        print(f"./dev: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
