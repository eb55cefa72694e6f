"""The command line: one file a command, imported only when it is called, so that help is instant."""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import os
import sys
from collections.abc import Sequence
from types import ModuleType

COMMANDS = {
    "demo": "train and audit three real models, offline, in under a minute",
    "init": "write an audit.toml by looking at a model and a data file",
    "check": "check audit.toml and the plan, and what the data could show, before anything runs",
    "run": "audit the model that audit.toml names",
    "judge": "judge a stored run again, by other limits, without the model",
    "diff": "compare two runs, measure by measure",
    "accept": "make a run the baseline that later runs are held against",
    "list": "show every check and measure",
    "explain": "show what a check measures, how, and what to do about it",
    "verify": "check that a run folder is as it was written, and measure it again",
    "track": "record energy and time while a command trains a model",
    "selftest": "audit planted faults, to see that this installation finds them",
    "doctor": "show what this installation can and cannot do",
}
PLUGGED = {
    "report": "write a run as HTML, Markdown, JUnit, SARIF or a statement",
    "dashboard": "explore and compare all stored runs in the browser, on this machine",
}


def main(argv: Sequence[str] | None = None) -> int:
    """The console script. Returns the exit code: 2 for whatever could not be done, 130 when interrupted."""
    arguments = [*(sys.argv[1:] if argv is None else argv)]  # "list" is a command here once it has been imported
    if not arguments or arguments[0] in {"-h", "--help", "help"}:
        print(_help())
        return 0 if arguments else 2
    if arguments[0] == "--version":
        print(f"assay {importlib.metadata.version('assay')}")
        return 0
    debug = "--debug" in arguments or bool(os.environ.get("ASSAY_DEBUG"))
    try:
        return _run(arguments[0], [a for a in arguments[1:] if a != "--debug"])
    except KeyboardInterrupt:
        goes_on = ", and the same command goes on from what was measured" if arguments[0] == "run" else ""
        _say(f"audit: interrupted; nothing half-written was left{goes_on}")
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # whoever read us has gone
        return 0
    except Exception as error:  # the outermost door: one line for the user, exit code 2
        if debug:
            raise
        _say(_one_line(error))
        return 2


def _run(name: str, arguments: list[str]) -> int:
    module = _command(name)
    parser = argparse.ArgumentParser(
        prog=f"audit {name}",
        description=(module.__doc__ or "").strip(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=getattr(module, "EPILOG", None),
        allow_abbrev=False,
    )
    module.add_arguments(parser)
    code: int = module.run(parser.parse_args(arguments))
    return code


def _command(name: str) -> ModuleType:
    from audit.errors import UsageError, nearest

    if name in COMMANDS:
        return importlib.import_module(f"audit.cli.{name}")
    points = {point.name: point for point in importlib.metadata.entry_points(group="audit.commands")}
    if name in points:
        return importlib.import_module(points[name].value.partition(":")[0])
    known = [*COMMANDS, *points]
    raise UsageError(f'no command "{name}"{nearest(name, known)}: "audit --help" lists them')


def _one_line(error: Exception) -> str:
    from audit.errors import AuditError, Unavailable

    if isinstance(error, AuditError | Unavailable):
        return f"audit: {error}"
    return f"audit: {type(error).__name__}: {error} (a defect of Assay: run again with --debug and report it)"


def _say(line: str) -> None:
    print(" ".join(line.split()), file=sys.stderr)


def _help() -> str:
    width = max(map(len, [*COMMANDS, *PLUGGED])) + 2
    rows = "\n".join(f"  {name:<{width}}{words}" for name, words in {**COMMANDS, **PLUGGED}.items())
    return f"""usage: audit COMMAND [options]

Assay audits a trained model: how good it is and for whom, what it relies on, what it cost.
Every number carries its interval, its method and its n.

{rows}

  audit COMMAND --help shows the options of a command; --debug shows the traceback of an error.

New here? Begin with: audit demo"""


if __name__ == "__main__":
    sys.exit(main())
