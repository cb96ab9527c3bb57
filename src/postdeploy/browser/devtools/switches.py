"""The command line of a browser that nobody sits at: as Playwright starts one, for both look at pages alike."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

__all__ = ["PIPES", "switches"]

PIPES: Final = ("/bin/sh", "-c", 'exec "$0" "$@" 3<&0 4>&1 0</dev/null 1>/dev/null')
"""What starts a browser whose pipes (file descriptors 3 and 4) are this command's standard input and output."""

_FEATURES_OFF: Final = (
    "AvoidCorsURLLoaderRestartOnRedirect",  # aborts requests that are intercepted and redirected
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsFirstBalancedModeAutoEnable",
    "HttpsUpgrades",  # http: is what was asked for
    "MediaRouter",
    "NetworkTimeServiceQuerying",  # asks a server of Google's
    "OptimizationHints",  # so does this
    "PaintHolding",
    "PreconnectToSearch",  # and this
    "SpareRendererForSitePerProcess",  # a context ends with its page, so a spare process would never be used
    "ThirdPartyStoragePartitioning",
)
_FEATURES_ON: Final = (
    "NetworkServiceInProcess2",  # a process less to start, and to hand every answer through
    "SkipListAccountsWithoutGaiaCookies",
)
_SWITCHES: Final = (
    "--headless",
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-background-timer-throttling",
    "--disable-back-forward-cache",
    "--disable-backgrounding-occluded-windows",
    "--disable-breakpad",
    "--disable-component-extensions-with-background-pages",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-field-trial-config",
    "--disable-hang-monitor",
    "--disable-ipc-flooding-protection",
    "--disable-popup-blocking",
    "--disable-prompt-on-repost",
    "--disable-renderer-backgrounding",
    "--disable-search-engine-choice-screen",
    "--disable-sync",
    "--allow-pre-commit-input",
    "--enable-unsafe-swiftshader",
    "--force-color-profile=srgb",
    "--hide-scrollbars",
    "--metrics-recording-only",
    "--mute-audio",
    "--no-default-browser-check",
    "--no-first-run",
    "--no-service-autorun",
    "--password-store=basic",
    "--use-mock-keychain",
    "--blink-settings=primaryHoverType=2,availableHoverTypes=2,primaryPointerType=4,availablePointerTypes=4",
    f"--disable-features={','.join(_FEATURES_OFF)}",
    f"--enable-features={','.join(_FEATURES_ON)}",
    "--remote-debugging-pipe",
    "--no-startup-window",
)


def switches(profile: Path, arguments: Sequence[str]) -> tuple[str, ...]:
    """The arguments of a browser that keeps its state in the folder ``profile``."""
    return (*_SWITCHES, f"--user-data-dir={profile}", *arguments)
