"""Steps of their own before the first look: the sketches by which markets are recognised."""

from pathlib import Path

from quant.bars.loader import load_bars
from quant.bars.sketch import sketch_bars
from quant.messages.data import DataInfo, DataSource
from quant.messages.record.market import Sketch, Sketches
from quant.universe.loader import load_instruments, load_universe


def sketch_market(data: DataSource, data_dir: Path | None) -> Sketch:
    """Return the sketch of the bars of one instrument.

    Raises:
        InvalidInput: The bars do not exist, cannot be trusted or have changed.
    """
    return sketch_bars(load_bars(data, data_dir))


def describe_market(data: DataSource, data_dir: Path | None) -> DataInfo:
    """Return the description of the bars of a universe.

    Raises:
        InvalidInput: The bars do not exist, cannot be trusted or have changed.
    """
    return load_universe(data, data_dir).describe()


def sketch_instruments(data: DataSource, data_dir: Path | None) -> Sketches:
    """Return the sketches of some instruments, each by itself.

    Raises:
        InvalidInput: The bars do not exist or cannot be trusted.
    """
    return Sketches(sketches=tuple(sketch_bars(each) for each in load_instruments(data, data_dir)))
