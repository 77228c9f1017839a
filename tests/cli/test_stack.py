"""How the parts of the embedded stack are started."""

from pathlib import Path

from cli.stack import Stack
from cli.temporal_server import make_server_command
from settings import Settings
from temporal.dynamic_config import load_dynamic_config


def make_command(ui_port: int | None) -> str:
    return " ".join(
        make_server_command(
            "temporal",
            port=7233,
            ui_port=ui_port,
            database=Path("temporal.db"),
            config=load_dynamic_config(),
        )
    )


def test_the_server_asks_nobody_outside_for_anything() -> None:
    command = make_command(8233)
    assert "frontend.enableServerVersionCheck=false" in command
    assert "--ui-disable-news-fetch" in command


def test_the_web_ui_is_on_loopback_or_away(tmp_path: Path) -> None:
    assert "--ui-ip 127.0.0.1 --ui-port 8233" in make_command(8233)
    assert "--headless" in make_command(None)
    without = Stack(Settings(home=tmp_path, ui_port=0))
    assert "Temporal Web UI" not in without.addresses()
    addresses = Stack(Settings(home=tmp_path)).addresses()
    assert "Temporal Web UI" in addresses
    assert next(iter(addresses.items())) == ("Page", "http://127.0.0.1:8000/")
