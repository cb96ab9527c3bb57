"""Playwright's own selector engine, out of the package that is installed, for what one cheap look cannot tell.

It is not a public part of Playwright: where a version keeps it elsewhere, pages that need it are looked at with
Playwright itself, and a test of ours says so.
"""

from __future__ import annotations

import json
import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

__all__ = ["NoEngineError", "engine_script", "query_script"]

_BUNDLE: Final = Path("driver", "package", "lib", "coreBundle.js")
_PLACE: Final = 'generated/injectedScriptSource.ts"() {'
_SOURCE: Final = re.compile(re.escape(_PLACE) + r"""\s+"use strict";\s+\w+ = '((?:[^'\\\n]|\\.)*)';""")
_ESCAPE: Final = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(.))")
_LETTERS: Final = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "v": "\v", "0": "\0"}
_OPTIONS: Final = {
    "isUnderTest": False,
    "sdkLanguage": "python",
    "frameSeq": 0,
    "testIdAttributeName": "data-testid",
    "stableRafCount": 1,
    "browserName": "chromium",
    "shouldPrependErrorPrefix": False,
    "isUtilityWorld": True,
    "customEngines": [],
}
_QUERY: Final = """
((selector, texts) => {
  const found = postdeployEngine.querySelectorAll(postdeployEngine.parseSelector(selector), document);
  return texts ? found.map((element) => element.innerText ?? null) : found.length;
})
"""


class NoEngineError(Exception):
    """The installed Playwright does not have its engine where it is looked for."""


@cache
def engine_script() -> str:
    """What makes the engine in a world of its own. Raises NoEngineError."""
    options = json.dumps(_OPTIONS)
    instance = f"new (module.exports.InjectedScript())(globalThis, {options})"
    return f"globalThis.postdeployEngine = (() => {{ const module = {{}};\n{_source()}\nreturn {instance}; }})(); 0"


def query_script(selector: str, *, texts: bool) -> str:
    """What asks it for the number of matches, or for their texts."""
    if "enter-frame" in selector:
        raise NoEngineError("the engine looks at one frame only")
    return f"{_QUERY}({json.dumps(selector)}, {json.dumps(texts)})"


def _source() -> str:
    spec = find_spec("playwright")
    if spec is None or spec.origin is None:
        raise NoEngineError("Playwright is not installed")
    try:
        bundle = (Path(spec.origin).parent / _BUNDLE).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise NoEngineError(str(error)) from error
    found = _SOURCE.match(bundle, max(bundle.find(_PLACE), 0))
    if found is None or "InjectedScript" not in found.group(1):
        raise NoEngineError("this version of Playwright keeps it elsewhere")
    return _ESCAPE.sub(_unescaped, found.group(1))


def _unescaped(match: re.Match[str]) -> str:
    """A character of a JavaScript string."""
    code = match.group(1) or match.group(2)
    return chr(int(code, 16)) if code else _LETTERS.get(match.group(3), match.group(3))
