"""An API without keys must be out of reach of other machines."""

from ipaddress import ip_address

from errors import StartupError
from settings import Settings


def check_exposure(settings: Settings) -> None:
    """Check that the API may listen on its address.

    Raises:
        StartupError: Other machines could reach the API, and it has no keys.
    """
    if settings.api_keys is None and not _is_loopback(settings.api_host):
        raise StartupError(
            f"KTRDR_API_HOST: {settings.api_host} can be reached from other machines, and without "
            "API keys everybody may do everything. Create keys with `ktrdr admin keys add` and "
            "set KTRDR_API_KEYS."
        )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
