"""Starts the `ktrdr` command."""

import gc
import signal


def main() -> None:
    """Run the command. Ctrl-C ends it without a word while its modules are loading."""
    # Python would print where it was interrupted. The command has its own handler once it runs. In
    # the background of a shell Ctrl-C is switched off, which stays so.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    # What is loaded is no garbage. To look for it takes a sixth of the time.
    gc.disable()
    from cli.main import app  # noqa: PLC0415 - takes half a second

    gc.freeze()
    gc.enable()
    app()


if __name__ == "__main__":
    main()
