"""Audit the model that audit.toml names, write the run folder, and say what was found."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path

from audit.policy.gate import EXIT_CODES

EPILOG = "exit codes:\n" + "\n".join(f"  {code:<4} {meaning}" for code, meaning in EXIT_CODES)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("spec", nargs="?", type=Path, default=Path("audit.toml"), help="default: audit.toml")
    parser.add_argument("--out", type=Path, default=Path("audits"), metavar="DIR", help="where run folders go")
    parser.add_argument("--json", action="store_true", help="print the result on stdout instead of the summary")
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress, and one line of summary")
    parser.add_argument("--summary", type=Path, metavar="FILE", help="append the Markdown summary to FILE")
    parser.add_argument("--policy", type=Path, metavar="FILE", help="limits that audit.toml may only tighten")
    parser.add_argument("--baseline", type=Path, metavar="RUN", help="the run that `regress` limits compare with")
    parser.add_argument("--inconclusive", choices=("block", "warn"), help="overrides [gate] inconclusive")
    parser.add_argument("--allow-code", action="store_true", help="let Python files beside audit.toml run")
    parser.add_argument(
        "--cost", action="append", default=[], choices=("timing", "retrain"), help="also run the checks of this cost"
    )


def run(arguments: argparse.Namespace) -> int:
    from audit.cli.auditing import Options, audit_file
    from audit.cli.progress import progress
    from audit.cli.summary import one_line, screen

    options = Options(
        out=arguments.out,
        policy=arguments.policy,
        baseline=arguments.baseline,
        inconclusive=arguments.inconclusive,
        allow_code=arguments.allow_code,
        costs=tuple(arguments.cost),
        command=shlex.join(["audit", *sys.argv[1:]]),
    )
    with progress(quiet=arguments.quiet or arguments.json) as shown:
        folder, result = audit_file(arguments.spec, options, shown)
    if arguments.summary:
        with arguments.summary.open("a", encoding="utf-8") as stream:
            stream.write((folder / "summary.md").read_text(encoding="utf-8"))
    if arguments.json:
        print((folder / "result.json").read_text(encoding="utf-8"), end="")
    else:
        print(one_line(result, folder) if arguments.quiet else screen(result, folder))
    return result.exit_code
