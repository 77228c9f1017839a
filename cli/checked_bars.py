"""Checks the bars of this machine, as a research would."""

from pathlib import Path

from cli.local_answers import Finding, ReadableBars, UnreadableBars
from errors import KtrdrError
from quant.bars import catalog
from quant.bars.directory import list_files
from quant.bars.mapping import MAPPING_FILE, find_pattern, read_mappings
from quant.messages.data import DataSource


def check_bars(entry: catalog.CatalogEntry, directory: Path) -> Finding:
    """Return what a research would say about some bars."""
    from quant.bars.loader import load_bars  # noqa: PLC0415
    from quant.verdict import remarks  # noqa: PLC0415 - loads the numerical libraries

    source = DataSource(symbol=entry.symbol, timeframe=entry.timeframe)
    path = locate(entry.file, directory)
    try:
        bars = load_bars(source, directory)
        info = bars.describe().model_dump()
        return ReadableBars(**info, file=entry.file, path=path, remarks=remarks.describe_bars(bars))
    except KtrdrError as error:
        return UnreadableBars(
            **source.model_dump(exclude={"symbols"}),
            file=entry.file,
            path=path,
            error=error.message,
        )


def warn_of_unused(pattern: str, directory: Path) -> Finding:
    """Return the warning about a pattern of `mapping.yaml` that matches no file."""
    return Finding(
        file=MAPPING_FILE,
        path=locate(MAPPING_FILE, directory),
        warning=f"{MAPPING_FILE}: no file matches {pattern!r}.",
    )


def list_unused_patterns(directory: Path) -> list[str]:
    """Return the patterns of `mapping.yaml` that match no file."""
    mappings = read_mappings(directory)
    used = {find_pattern(path.name, mappings) for path in list_files(directory, catalog.SUFFIXES)}
    return [pattern for pattern in mappings if pattern not in used]


def locate(file: str | None, directory: Path) -> str | None:
    """Return the path of a file of bars; None for built-in ones."""
    return file and str(directory / file)
