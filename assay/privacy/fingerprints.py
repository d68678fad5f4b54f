"""Fingerprints: what was masked, in a form that can be compared and not be read.

HMAC-SHA256 (RFC 2104) of the folded value under a key that is kept apart from everything it marks, cut to
:data:`LENGTH` hexadecimal digits. Two spellings of one value have one fingerprint, whatever type either was taken
for; whoever has the key can ask whether a text holds a masked value, and nobody else can. While the key exists a
fingerprint is personal data still; destroy the key and it is a random number.
"""

import hashlib
import hmac
import re
import unicodedata

from assay.errors import RedactionError

VERSION = 1

LENGTH = 12
"""Hexadecimal digits: of a million values two share a fingerprint with a chance of one in 560."""

KEY_BYTES = 16
"""Fewest bytes of a key; telephone numbers under a short one could be tried out."""

_APOSTROPHES = str.maketrans({"\u2018": "'", "\u2019": "'"})
# Letters, digits and what stands between the groups of a number; but the dots of an IPv4 address tell it apart.
_NUMBER = re.compile(r"(?=\D*\d)(?!\d{1,3}(?:\.\d{1,3}){3}$)[+(#]*[^\W_][\w()+#/.-]*")


def folded(value: str) -> str:
    """``value`` without its case, width and white space, and if it is a number without its punctuation."""
    plain = unicodedata.normalize("NFKC", value).casefold().translate(_APOSTROPHES)
    compact = "".join(plain.split())
    return "".join(filter(str.isalnum, compact)) if _NUMBER.fullmatch(compact) else compact


def fingerprint(value: str, key: bytes) -> str:
    """The fingerprint of ``value`` under ``key``.

    Raises:
        RedactionError: the key is shorter than :data:`KEY_BYTES`.
    """
    if len(key) < KEY_BYTES:
        raise RedactionError(
            f"the key of the fingerprints has {len(key)} bytes, expected at least {KEY_BYTES}; make one with "
            "`secrets.token_hex(32)`"
        )
    return hmac.new(key, folded(value).encode(), hashlib.sha256).hexdigest()[:LENGTH]
