"""The command line: which commands there are, how they fail, and nothing heavy.

A command's module is imported when the command is used, so that ``--help`` is instant.
"""

from __future__ import annotations

import importlib
import logging
import os
import sys
from typing import Any

import click

from schemas.errors import PairwrightError

os.environ.setdefault("_RJEM_MALLOC_CONF", "narenas:1,dirty_decay_ms:0,muzzy_decay_ms:0")
"""Polars' allocator reads this once, when Polars is loaded: memory that is free goes back at once, 45 MB of a run's."""

COMMANDS = {
    "run": ("flows.commands.running:run", "Run RECIPE, a name or a path, and publish what it makes."),
    "plan": ("flows.commands.running:plan", "Say what a run of RECIPE would ask, cost and reuse."),
    "sql": ("flows.commands.looking:sql", "Answer QUERY, in DuckDB's SQL, over the lake."),
    "versions": ("flows.commands.looking:versions", "List the versions of DATASET, or of all datasets, oldest first."),
    "diff": ("flows.commands.looking:diff", "Compare two versions, as in `diff v1 v2`."),
    "lineage": ("flows.commands.looking:lineage", "Show everything behind a pair, from its prompt to its cost."),
    "report": ("flows.commands.looking:report", "Describe DATASET or DATASET@VERSION, in numbers and examples."),
    "compare": ("flows.commands.compare:compare", "Compare what each RECIPE made of the same stored answers."),
    "browse": ("flows.commands.browsing:browse", "Read the lake in a browser: versions, pairs by filter, lineage."),
    "export": ("flows.commands.exporting:export", "Write DATASET or DATASET@VERSION in the form a trainer loads."),
    "publish": (
        "flows.commands.publishing:publish",
        "Publish DATASET or DATASET@VERSION to a folder, the Hugging Face Hub or S3, with card and report.",
    ),
    "audit": (
        "flows.commands.auditing:audit",
        "Measure JUDGE on gold labels: agreement, order, position, length, self-preference, calibration.",
    ),
    "cycles": (
        "flows.commands.circling:cycles",
        "Report cycles in the comparisons of JUDGES, by default of all together: A over B, B over C, C over A.",
    ),
    "audit-dataset": (
        "flows.commands.foreign:audit_dataset",
        "Describe the published preference data in PATH: figures, defects, checks; nothing is generated.",
    ),
    "verify": (
        "flows.commands.verifying:verify",
        "Check the lake, or that VERSION is what it was and is made again from the ledger.",
    ),
    "offenders": (
        "flows.commands.offending:offenders",
        "Show the rows behind what the gates said of VERSION, a version or a run.",
    ),
    "embed": (
        "flows.commands.embedding:embed",
        "Have the texts of FILE or DATASET turned into vectors by an endpoint.",
    ),
    "tag": ("flows.commands.keeping:tag", "Give VERSION (dataset@v2) the tag NAME."),
    "rollback": ("flows.commands.keeping:rollback", "Publish the content of VERSION again, as the newest version."),
    "promote": ("flows.commands.keeping:promote", "Publish VERSION, which a gate held back, all the same."),
    "vacuum": ("flows.commands.keeping:vacuum", "Delete data files that neither a version nor a table needs."),
    "migrate": (
        "flows.commands.keeping:migrate",
        "Bring the lake to today's format; answers, versions and audits stay.",
    ),
    "ledger": (
        "flows.commands.keeping:ledger",
        "Look into the answers that were bought: stats, verify, export, compact, drop.",
    ),
    "reparse": (
        "flows.commands.running:reparse",
        "Judge again from the answers in the ledger; ask nothing.",
    ),
    "recipe": ("flows.commands.knowing:recipe", "List, show and check recipes."),
    "block": ("flows.commands.knowing:block", "List and show blocks."),
}
"""Name -> where the command lives, and the line ``--help`` shows for it."""


ABOUT = """Make and curate preference data for post-training language models.

\b
Start with:   pairwright run quickstart
Then:         pairwright report quickstart
              pairwright export quickstart --format trl_dpo --to ./export

Exit codes: 0 done, 1 refused by a gate or an audit floor, 2 wrong usage or bad input, 3 stopped by a budget or
Ctrl-C (the same command goes on), 4 an endpoint or the store failed.
"""

SETTINGS: dict[str, Any] = {"help_option_names": ["-h", "--help"], "max_content_width": 110}


class Lazy(click.Group):
    """A group that imports a command when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Returns the names in the order of ``COMMANDS``."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Returns a command, imported now."""
        if cmd_name not in COMMANDS:
            from schemas.errors import nearest

            ctx.fail(f"no command {cmd_name!r}; {nearest(cmd_name, COMMANDS)}")
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        command.context_settings = {**SETTINGS, **command.context_settings}  # click keeps the first --help it makes
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the list of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.command(cls=Lazy, help=ABOUT, context_settings=SETTINGS)
@click.version_option(package_name="pairwright")
@click.option("-v", "--verbose", is_flag=True, help="Log what each step does, to stderr.")
def cli(verbose: bool) -> None:
    """Sets up logging; the text of ``--help`` is ``ABOUT``."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setLevel(logging.INFO if verbose else logging.WARNING)  # some libraries set their own loggers to INFO
    logging.basicConfig(level=handler.level, handlers=[handler], format="%(levelname)s %(name)s: %(message)s")


def main(arguments: list[str] | None = None) -> None:
    """Runs the command line and exits with the code of what happened."""
    try:
        code: Any = cli.main(args=arguments, standalone_mode=False)
    except PairwrightError as error:
        _fail(str(error), error.exit_code)
    except click.exceptions.Abort:
        _fail("stopped; the same command goes on from here", 3)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        _fail("stopped; the same command goes on from here", 3)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except OSError as error:  # of a file that was to be written or read; what a block does wrong is no OSError
        logging.getLogger(__name__).debug("%s", error, exc_info=True)
        what = f"{error.filename} cannot be read or written: {error.strerror}" if error.filename else str(error)
        _fail(what, 4)
    except Exception as error:
        from storage.guard import unreadable

        if not unreadable(error):
            raise
        _fail(f"a data file is broken: {error}; `pairwright verify` names what is wrong with a lake", 4)
    else:
        sys.exit(code if isinstance(code, int) else 0)


def _fail(message: str, code: int) -> None:
    click.echo(f"pairwright: {message}", err=True)
    sys.exit(code)


if __name__ == "__main__":
    main()
