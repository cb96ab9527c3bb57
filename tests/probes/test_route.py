from __future__ import annotations

from pathlib import Path

import pytest

from postdeploy.probes.route import default_route

HEAD = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
ON_LINK = "eth0\t0000000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
DEFAULT = "eth0\t00000000\t0100000A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
DOWN = "eth0\t00000000\t0100000A\t0002\t0\t0\t0\t00000000\t0\t0\t0\n"
REJECTED = "*\t00000000\t00000000\t0201\t0\t0\t0\t00000000\t0\t0\t0\n"
ANY6 = f"{'0' * 32} 00 {'0' * 32} 00 fe80{'0' * 27}1 00000400 00000001 00000000 00000003     eth0\n"
REJECTED6 = f"{'0' * 32} 00 {'0' * 32} 00 {'0' * 32} ffffffff 00000001 00000000 00200200       lo\n"


@pytest.mark.parametrize(
    ("version_4", "version_6", "found"),
    [
        ("", "", False),
        (ON_LINK, "", False),
        (DOWN + REJECTED, REJECTED6, False),
        (ON_LINK + DEFAULT, "", True),
        ("", ANY6, True),
        (DEFAULT, None, True),
    ],
)
def test_a_default_route(tmp_path: Path, version_4: str, version_6: str | None, *, found: bool) -> None:
    """A route to everywhere counts where it is up and rejects nothing, by either protocol."""
    (tmp_path / "route").write_text(HEAD + version_4)
    if version_6 is not None:
        (tmp_path / "ipv6_route").write_text(version_6)
    assert default_route(tmp_path) is found


def test_a_system_that_does_not_say(tmp_path: Path) -> None:
    """Without the kernel's tables nothing is known."""
    assert default_route(tmp_path) is None


def test_this_machine() -> None:
    """The tables of this machine can be read."""
    assert default_route() in {True, False}
