"""What the commands `builders` and `trainer` share: option types, grouped help, messages, and exit codes."""

import errno
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from corpora.arguments import split_names
from corpora.errors import InputError
from corpora.extensions import Extensions, check_folders, current_extensions, use_extensions
from corpora.messages import log_messages
from corpora.path_lengths import describe_length
from corpora.printing import clean_streams, print_traceback, say
from corpora.progress import LogProgress, NullProgress, Progress, SeveralProgress, TerminalProgress

F = TypeVar("F", bound=Callable[..., Any])
INPUT_ERROR, INTERRUPTED, BROKEN_PIPE = 2, 130, 1  # exit codes
HELP_WIDTH = 100
SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": HELP_WIDTH}
PROJECT_FILE = "builders.toml"


class Names(click.ParamType[tuple[str, ...]]):
    """A list of names, joined by commas: `el,hi`."""

    name = "names"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        return split_names(value, param.opts[0] if param else "The list")


class Option(click.Option):
    """An option that stands in a group of its own in --help."""

    def __init__(self, *args: Any, group: str = "Options", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.group = group


def option(*names: str, **settings: Any) -> Callable[[F], F]:
    """Return a decorator that gives a verb an option; `group` is its section in --help."""
    return click.option(*names, cls=Option, **settings)


def options(*lists: Sequence[Callable[[Any], Any]]) -> Callable[[F], F]:
    """Return a decorator that gives a verb all options of some lists, in their order."""

    def decorate(function: F) -> F:
        for add in reversed([add for some in lists for add in some]):
            function = add(function)
        return function

    return decorate


FILE = click.Path(path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)
NAMES = Names()
MESSAGES = [
    option("--log-file", type=FILE, metavar="FILE", group="Output", help="Append messages and progress to FILE."),
    option("-v", "--verbose", count=True, group="Output", help="Show more messages; -vv shows all."),
    option("-q", "--quiet", is_flag=True, group="Output", help="Show errors only."),
]


class Verb(click.Command):
    """A command with grouped options, whose summary is never cut, and with the options of `MESSAGES`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for add in MESSAGES:
            add(self)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the verb while messages go to where the user wants them."""
        log_file, verbose, quiet = (ctx.params.pop(name) for name in ("log_file", "verbose", "quiet"))
        ctx.meta[__name__] = {"quiet": quiet, "log_file": log_file}
        with log_messages(log_file, verbose, quiet):
            return super().invoke(ctx)

    def get_short_help_str(self, limit: int = 45) -> str:
        """Return the first sentence of the help, whole."""
        return super().get_short_help_str(10_000)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        _format_options(self, ctx, formatter)


def verb(name: str, **settings: Any) -> Callable[[Callable[..., Any]], Verb]:
    """Return a decorator that makes a function a verb of this name."""
    return click.command(name, cls=Verb, **settings)


class Program(click.Group):
    """A group of verbs; `builders.toml` in the working folder gives defaults for some of their options."""

    command_class = Verb

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.sections: dict[str, list[str]] = {}

    def add_verbs(self, section: str, verbs: Sequence[click.Command]) -> None:
        """Add verbs that --help lists under a title."""
        for command in verbs:
            self.add_command(command)
            self.sections.setdefault(section, []).append(command.name or "")

    def invoke(self, ctx: click.Context) -> Any:
        """Run a verb with the project's defaults and tables."""
        project = read_project()
        folders = check_folders(project.pop("with_", ()), PROJECT_FILE)
        defaults = {
            name: {param.name: project[param.name] for param in command.params if param.name in project}
            for name, command in self.commands.items()
        }
        ctx.default_map = {**defaults, **(ctx.default_map or {})}
        known = current_extensions()
        with use_extensions(Extensions((*known.folders, *folders), known.code)):
            return super().invoke(ctx)

    def get_short_help_str(self, limit: int = 45) -> str:
        """Return the first sentence of the help, whole."""
        return super().get_short_help_str(10_000)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        _format_options(self, ctx, formatter)
        self.format_commands(ctx, formatter)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        listed = {name for names in self.sections.values() for name in names}
        others = [name for name in self.list_commands(ctx) if name not in listed]
        for title, names in {"Commands": others, **self.sections}.items():
            if names:
                with formatter.section(title):
                    formatter.write_dl([(name, self.commands[name].get_short_help_str(10_000)) for name in names])


def _format_options(command: click.Command, ctx: click.Context, formatter: click.HelpFormatter) -> None:
    groups: dict[str, list[tuple[str, str]]] = {}
    for param in sorted(command.get_params(ctx), key=lambda param: "--help" in param.opts):
        record = None if isinstance(param, click.Argument) else param.get_help_record(ctx)  # click lists arguments
        if record:
            groups.setdefault(param.group if isinstance(param, Option) else "Output", []).append(record)
    for title, records in groups.items():
        with formatter.section(title):
            formatter.write_dl(records)


def read_project(path: Path = Path(PROJECT_FILE)) -> dict[str, Any]:
    """Return the defaults in a `builders.toml` by the name of the option's parameter.

    Raises:
        InputError: A key is unknown, or a value has the wrong type.
    """
    if not path.exists():
        return {}
    from corpora.project import load_project

    return load_project(path)


@contextmanager
def report_progress() -> Iterator[Progress]:
    """Yield the progress that a verb passes on: a line on a terminal, log lines elsewhere, nothing with --quiet."""
    settings = click.get_current_context().meta[__name__]
    progress = _progress(settings["quiet"], settings["log_file"])
    try:
        yield progress
    finally:
        progress.finish()


def _progress(quiet: bool, log_file: Path | None) -> Progress:
    parts: list[Progress] = [TerminalProgress()] if sys.stderr.isatty() and not quiet else []
    if log_file or not (parts or quiet):
        parts.append(LogProgress())
    return SeveralProgress(*parts) if parts else NullProgress()


def run(
    program: click.Group,
    resume: str,
    answer: Callable[[BaseException], tuple[str, int] | None] = lambda error: None,
    write: Callable[[str, int], None] = lambda sentence, code: say(sentence),
) -> int:
    """Run a command and return its exit code; errors that a person can fix are sentences without a traceback.

    Args:
        program: The command.
        resume: How the user continues after Ctrl-C.
        answer: The sentence and exit code for errors of the command's own; None for those that it does not know.
        write: Writes the sentence for an exit code.
    """
    with clean_streams():
        return _run(program, resume, answer, write)


def _run(
    program: click.Group,
    resume: str,
    answer: Callable[[BaseException], tuple[str, int] | None],
    write: Callable[[str, int], None],
) -> int:
    try:
        program.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return INPUT_ERROR
    except (click.Abort, KeyboardInterrupt):
        return _written(write, f"Interrupted. {resume}", INTERRUPTED)
    except BrokenPipeError:
        sys.stderr.close()
        return BROKEN_PIPE
    except Exception as error:
        known = answer(error) or _known(error)
        if known is None:
            sys.excepthook = print_traceback
            raise
        return _written(write, *known)
    return 0


def _known(error: BaseException) -> tuple[str, int] | None:
    if isinstance(error, InputError):
        return f"Error: {error}", INPUT_ERROR
    if isinstance(error, OSError):
        if error.errno == errno.ENAMETOOLONG and error.filename and (sentence := describe_length(Path(error.filename))):
            return f"Error: {sentence}", INPUT_ERROR
        file = f" ({error.filename})" if error.filename else ""
        return f"Error: {error.strerror or error}{file}. Fix this and run the command again.", INPUT_ERROR
    if isinstance(error, ValueError) and "null byte" in str(error):  # of `open` and its relatives
        return "Error: The name of a file or folder holds a NUL character. Correct it.", INPUT_ERROR
    return None


def _written(write: Callable[[str, int], None], sentence: str, code: int) -> int:
    write(sentence, code)
    return code


def assignments(texts: Sequence[str], option: str, form: str) -> Mapping[str, str]:
    """Return KEY=VALUE texts as a mapping.

    Raises:
        InputError: A text has no `=`, or a key appears twice; `option` and `form` say what was expected.
    """
    values: dict[str, str] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key.strip():
            raise InputError(f"{option} takes {form}, not '{text}'.")
        if key.strip() in values:
            raise InputError(f"{option} gives {key.strip()} twice. Give it once.")
        values[key.strip()] = value.strip()
    return values
