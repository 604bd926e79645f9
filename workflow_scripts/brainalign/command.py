"""How a stage becomes a command: arguments from its signature, a log, a check of its code, one-sentence failures."""

import argparse
import contextlib
import errno
import gc
import inspect
import json
import logging
import os
import sys
import typing
from collections.abc import Callable, Sequence
from pathlib import Path

from brainalign.errors import InputError, UnreadableFileError
from brainalign.provenance import Provenance, code_is_current

_PACKAGES = Path(__file__).resolve().parents[1]
_TERMINAL = 3  # file descriptor on which the rules' shell keeps Snakemake's own standard error

# How much is made between searches for unreachable cycles. Importing torch and transformers makes hundreds of thousands
# of objects that all stay; with Python's own (700, 10, 10) searches among them are a tenth of a small job's seconds.
_COLLECTION = (5000, 20, 20)


def run(stage: Callable[..., None], arguments: Sequence[str] | None = None) -> None:
    """Run a stage function with arguments from the command line, and exit.

    Every parameter of type Path becomes `--name FILE`, `list[Path]` becomes `--name FILE …`. The parameter `spec`
    is given as `--spec JSON`, and `provenance` is made from `--spec` and `--code`. A rule that has not the stage's name
    gives its own as `--rule NAME`, for advice on its resources.

    The exit status is 0 when the outputs are whole, 1 after bad input (one sentence on standard error), 130 when
    interrupted. An input that an earlier job left unreadable is renamed `….unreadable`, so that the next run
    makes it again.
    """
    gc.set_threshold(*_COLLECTION)
    has_terminal = _is_open(_TERMINAL)  # now: later the number may be that of a file which the stage opened
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S", stream=sys.stderr)
    logging.captureWarnings(True)
    try:
        values = vars(_parser(stage).parse_args(arguments))
    except InputError as error:
        _end(f"{stage.__name__}: {error}", has_terminal)
    code, rule = values.pop("code"), values.pop("rule")
    if not code_is_current(_PACKAGES, code):
        _end(
            f"{stage.__name__}: its code changed after Snakemake planned this job; "
            "nothing was written. Start the run again.",
            has_terminal,
        )
    if "provenance" in inspect.signature(stage).parameters:
        values["provenance"] = Provenance(code.partition("@")[0].partition("+")[0], values["spec"], code)
    if "spec" not in inspect.signature(stage).parameters:
        del values["spec"]
    _end(_attempt(stage, values, rule), has_terminal)


def _end(outcome: str | int, has_terminal: bool) -> typing.NoReturn:
    """Exit with a status, or with a sentence on standard error (a job's log) and on Snakemake's terminal if any."""
    if isinstance(outcome, str) and has_terminal:
        with contextlib.suppress(OSError):  # standard error says it too
            os.write(_TERMINAL, f"{outcome}\n".encode())
    sys.exit(outcome)


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def _attempt(stage: Callable[..., None], values: dict[str, typing.Any], rule: str) -> str | int:
    """Call the stage; return 0, or the sentence or status to exit with."""
    name = stage.__name__
    try:
        stage(**values)
    except InputError as error:
        return f"{name}: {error}"
    except UnreadableFileError as error:
        return f"{name}: {_set_aside(Path(str(error.path)), error.reason)}"
    except FileNotFoundError as error:
        return f"{name}: the file {error.filename} is missing; a new run makes it again if it is one of the run's own."
    except MemoryError as error:
        said = f" ({error})" if str(error) else ""
        return f"{name}: not enough memory{said}; give the rule more with --set-resources {rule}:mem_mb=…"
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            return f"{name}: {error}."
        return f"{name}: no space left on the disk of {error.filename or 'the results'}; free some and run again."
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        logging.getLogger(__name__).exception("this is a fault of brainalign or of a library, not of its input")
        return f"{name}: {type(error).__name__}: {error} (unexpected; the job's log holds the traceback)."
    return 0


def _set_aside(path: Path, reason: str) -> str:
    aside = path.with_name(path.name + ".unreadable")
    if not path.exists():
        return f"{path} cannot be used: {reason}. The next run makes it again."
    path.replace(aside)
    return f"{path} cannot be used: {reason}. It is now {aside.name}, and the next run makes it again."


class _Parser(argparse.ArgumentParser):
    """A parser that tells a mistake as any other bad input is told."""

    def error(self, message: str) -> typing.NoReturn:
        raise InputError(f"its command line cannot be read: {message}.")


def _parser(stage: Callable[..., None]) -> argparse.ArgumentParser:
    parser = _Parser(description=inspect.getdoc(stage), allow_abbrev=False)
    parser.add_argument("--spec", type=json.loads, default=None, help="the stage's settings, as JSON")
    parser.add_argument("--code", required=True, help="the fingerprint under which the job was planned")
    parser.add_argument("--rule", default=stage.__name__, help="the Snakemake rule, where it has not the stage's name")
    hints = typing.get_type_hints(stage)
    for name, parameter in inspect.signature(stage).parameters.items():
        if name in ("spec", "provenance"):
            continue
        flag = "--" + name.replace("_", "-")
        required = parameter.default is inspect.Parameter.empty
        if hints[name] == list[Path]:
            parser.add_argument(flag, type=Path, nargs="*", default=[])
        else:
            parser.add_argument(
                flag, type=hints[name], required=required, default=None if required else parameter.default
            )
    return parser
