"""Running a command on several files in one process, with one output for each in a folder.

Outputs that exist from the same command and inputs are complete, because files are put in place when they
are, and are not computed again; so the same command goes on where it was stopped. A file that fails is
reported, and the others go on.
"""

import contextlib
import copy
import os
from typing import NamedTuple

from spherekit._core.parallel import thread_count
from spherekit._core.progress import muted_bars, progress_bar
from spherekit.cli import options, output, overlapping, report, stopping
from spherekit.cli.options import Usage
from spherekit.io import provenance

#: Options of further outputs, with their suffixes in a folder.
_FURTHER = {"plot": ".png", "spectrum": ".txt"}


class Failed(ValueError):
    """Some of the files failed."""


class Item(NamedTuple):
    """One input, the options with which the command runs on it, and its command line."""

    path: str
    args: object
    words: list


def is_needed(args):
    """Whether ``args`` has several inputs, or its output is a folder."""
    paths = getattr(args, "file", None)
    target = getattr(args, "output", None)
    return isinstance(paths, list) and (
        len(paths) > 1 or (target is not None and _is_folder(target))
    )


def _is_folder(path):
    return path.endswith(("/", os.sep)) or os.path.isdir(path)


def run(command, args, argv):
    """Run a command on each of ``args.file``.

    Raises
    ------
    Usage
        Inputs of the same name, or wrong usage that shows at the first file.
    FileExistsError
        Outputs that exist and are not of this command, without --force.
    Failed
        Some of the files failed; the others are complete.
    """
    items, complete_items = _remaining(_items(command, args, argv), args)
    complete = len(complete_items)
    for item in complete_items if args.json else ():
        print(report.complete_as_json(command, item.path, _outputs(item)))
    failures = []
    finished = []
    try:
        with progress_bar(command, len(items), "files") as drawn, contextlib.ExitStack() as stack:
            if getattr(args, "output", None) is not None:
                stack.enter_context(provenance.recording(["spherekit", *argv]))
            stack.enter_context(muted_bars())
            stack.enter_context(report.dividing_output())
            results = stack.enter_context(
                contextlib.closing(_outcomes(command, items, args, finished))
            )
            for item, text, error in results:
                if error is not None:
                    if (isinstance(error, Usage) and item is items[0]) or args.debug:
                        raise error
                    failures.append(item.path)
                    _report_failure(command, item, error, drawn)
                else:
                    with drawn.hidden():
                        print(text, end="", flush=True)
                drawn.update()
    except stopping.Stopped as stopped:
        paths = {item.path for item in finished}
        count = complete + sum(item.path in paths or _is_written(item) for item in items)
        raise stopping.Stopped(
            f"{stopped} after {count} of {len(args.file)} files; these are complete, and the same command "
            "goes on with the others"
        ) from None
    if complete and not args.json:
        print(f"{complete} of {len(args.file)} files were complete from this command")
    if failures:
        raise Failed(f"{len(failures)} of {len(args.file)} files failed: {', '.join(failures)}")


def _outcomes(command, items, args, finished):
    """(item, what its command prints, error) of each item in turn; those that succeed are in ``finished``."""

    def run_item(item):
        text = _run_item(command, item)
        finished.append(item)
        return text

    is_plain = args.overlaps and getattr(args, "plot", None) is None
    threads = thread_count(getattr(args, "threads", None)) if is_plain else 1
    sizes = [os.path.getsize(item.path) if os.path.isfile(item.path) else 0 for item in items]
    return overlapping.outcomes(run_item, items, sizes, threads)


def _items(command, args, argv):
    """The items of all inputs. Raises Usage for outputs of the same name."""
    further = _further(args)
    if getattr(args, "output", None) is None:
        return [Item(path, _with(args, file=path), []) for path in args.file]
    present = [name for name in ("output", *_FURTHER) if getattr(args, name, None)]
    for name in present:
        _refuse_file_name(args, name)
    folder = options.folder(args.output)
    further_outputs = {
        name: (options.folder(getattr(args, name)), _FURTHER[name]) for name in present[1:]
    }
    items = []
    inputs = {}
    for path, beside in zip(args.file, further, strict=True):
        stem = options.stem(path)
        if stem in inputs:
            raise Usage(
                f"{inputs[stem]} and {path} have the same name {stem}, and so would their outputs; run them "
                "with different output folders"
            )
        inputs[stem] = path
        target = str(folder / f"{stem}{options.suffix(args, path)}")
        if os.path.realpath(target) in map(os.path.realpath, (path, *beside)):
            raise Usage(
                f"the output {target} would replace its input; choose another folder with -o"
            )
        changes = dict(file=path, output=target)
        changes |= {
            name: str(x / f"{stem}{suffix}") for name, (x, suffix) in further_outputs.items()
        }
        changes |= dict(further=beside) if beside else {}
        items.append(Item(path, _with(args, **changes), _words(args, argv, changes)))
    return items


#: Suffixes of outputs.
_SUFFIXES = {*options.PICTURES, *output.MAPS, *output.COEFFICIENTS}


def _refuse_file_name(args, name):
    """Raise Usage for an output with the name of a file where a folder is needed."""
    path = getattr(args, name)
    if _is_folder(path) or os.path.splitext(path)[1].lower() not in _SUFFIXES:
        return
    option = "-o" if name == "output" else f"--{name}"
    count = len(args.file)
    several = f"there are {count} inputs" if count > 1 else "-o is a folder"
    advice = f"pass a folder, such as {option} {options.stem(path)}/"
    if count == 2 and getattr(args, "further", False) is None:
        first, second = args.file
        advice += f"; if they are u and v of one wind: {first} --and {second}"
    raise Usage(f"{option} is {path}, the name of a file, and {several}; {advice}")


def _further(args):
    """The list of files of ``--and`` for each input. Raises Usage for another number of them."""
    paths = getattr(args, "further", None)
    if paths is None:
        return [[]] * len(args.file)
    if len(paths) != len(args.file):
        raise Usage(
            f"--and has {options.number_of(len(paths), 'file')} for {len(args.file)} inputs; expected one "
            "for each"
        )
    return [[path] for path in paths]


def _with(args, **changes):
    item_args = copy.copy(args)
    vars(item_args).update(changes)
    return item_args


def _words(args, argv, changes):
    """The command line of one file."""
    words = list(argv)
    for paths, path in ((args.file, changes["file"]), (getattr(args, "further", None), None)):
        if paths is None:
            continue
        count = len(paths)
        starts = [i for i in range(len(words)) if words[i : i + count] == paths]
        if starts:
            words[starts[0] : starts[0] + count] = [path or changes["further"][0]]
    words = [changes["output"] if word == args.output else word for word in words]
    words = _replaced(words, ("-o", "--output"), changes["output"])
    for name in _FURTHER:
        words = _replaced(words, (f"--{name}",), changes.get(name))
    return ["spherekit", *_replaced(words, ("--suffix",), None)]


def _replaced(words, names, value):
    """Words with another value of an option; without the option if ``value`` is None."""
    result = []
    is_value = False
    for word in words:
        option, equals, _ = word.partition("=")
        if is_value or option in names:
            if equals and not is_value:
                result += [] if value is None else [f"{option}={value}"]
            elif value is not None:
                result.append(value if is_value else word)
            is_value = not is_value and not equals
        else:
            result.append(word)
    return result


def _remaining(items, args):
    """(items to compute, those that are complete). Raises FileExistsError for other files."""
    if getattr(args, "output", None) is None or args.force:
        return items, []
    remaining = []
    complete = []
    present = []
    for item in items:
        exist = [path for path in _outputs(item) if os.path.exists(path)]
        if exist == _outputs(item) and all(_is_complete(path, item) for path in exist):
            complete.append(item)
            continue
        present += [path for path in exist if not _is_complete(path, item)]
        remaining.append(item)
    if present:
        further = f" and {options.number_of(len(present) - 1, 'other')}" if present[1:] else ""
        raise FileExistsError(
            f"{present[0]}{further} exist, and are not complete outputs of this command and these inputs; "
            "choose another folder or pass --force"
        )
    return remaining, complete


def _outputs(item):
    """The paths of the outputs of an item."""
    paths = (getattr(item.args, name, None) for name in ("output", *_FURTHER))
    return [path for path in paths if path]


def _is_written(item):
    """Whether the output of an item is complete, although its command has not returned."""
    path = getattr(item.args, "output", None)
    return path is not None and os.path.exists(path) and _is_complete(path, item)


def _is_complete(path, item):
    """Whether a file is what the command of ``item`` writes, by its provenance."""
    with contextlib.suppress(ValueError, OSError):
        inputs = [item.path, *(getattr(item.args, "further", None) or ())]
        return provenance.is_of(path, item.words, getattr(item.args, "seed", None), inputs)
    return False


def _run_item(command, item):
    """Run the command on one file, and return what it prints."""
    with contextlib.ExitStack() as stack:
        if item.words:
            seed = getattr(item.args, "seed", None)
            stack.enter_context(provenance.recording(item.words, seed))
        with report.collecting(captures=True) as collected:
            item.args.run(item.args)
        is_json = item.args.json and item.args.reports_json
        return collected.as_json(command) + "\n" if is_json else collected.text


def _report_failure(command, item, error, drawn):
    text = report.error_message(error)
    message = text if text.startswith(item.path) else f"{item.path}: {text}"
    with drawn.hidden():
        report.to_stderr(f"error: {message}")
        if item.args.json:
            print(report.failure_as_json(command, item.path, error))
