"""Which character sets of an answer are read; Python's codecs know more, some of which are no character sets."""

from __future__ import annotations

import re
from typing import Final

from postdeploy.domain.strict_json import UnreadableError

__all__ = ["charset_of"]

_PARAMETER: Final = re.compile(r";\s*charset\s*=\s*\"?([^\s\";]*)", re.IGNORECASE)
_KNOWN: Final = (
    r"(?i:utf-?8|utf-16(?:le|be)?|us-ascii|ascii|latin-?1|iso-?8859-(?:[1-9]|1[0-6])|(?:windows-|cp)125[0-8]"
    r"|euc-(?:kr|jp)|ks_c_5601-1987|shift[_-]jis|gb(?:k|2312|18030)|big5|koi8-[ru]|tis-620)"
)


def charset_of(content_type: str) -> str:
    """The character set that a header names, UTF-8 if it names none. Raises UnreadableError for what is none."""
    found = _PARAMETER.search(content_type)
    name = found[1] if found else ""
    if not name:
        return "utf-8"
    if not re.fullmatch(_KNOWN, name):
        raise UnreadableError(f"text in the character set {name[:40]!a}, which is not read")
    return name.lower()
