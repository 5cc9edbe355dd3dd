"""The component's cipher suites with OpenSSL's names, and the choice of suites by OpenSSL's cipher strings."""

from __future__ import annotations

import re
from typing import Any

# The numbers are those of IANA's registry.
_SUITES_OF_1_3 = (
    (0x1303, "TLS_CHACHA20_POLY1305_SHA256"),
    (0x1302, "TLS_AES_256_GCM_SHA384"),
    (0x1301, "TLS_AES_128_GCM_SHA256"),
)
_SUITES_OF_1_2 = (
    (0xCCA9, "ECDHE-ECDSA-CHACHA20-POLY1305"),
    (0xCCA8, "ECDHE-RSA-CHACHA20-POLY1305"),
    (0xC02C, "ECDHE-ECDSA-AES256-GCM-SHA384"),
    (0xC02B, "ECDHE-ECDSA-AES128-GCM-SHA256"),
    (0xC030, "ECDHE-RSA-AES256-GCM-SHA384"),
    (0xC02F, "ECDHE-RSA-AES128-GCM-SHA256"),
)
OF_1_2 = tuple(name for _, name in _SUITES_OF_1_2)
OF_1_3 = tuple(name for _, name in _SUITES_OF_1_3)

# Words of OpenSSL that match every suite of the component, and those that match some.
_EVERY = frozenset(
    "ALL DEFAULT HIGH COMPLEMENTOFDEFAULT ECDH ECDHE EECDH kECDHE kEECDH kECDH TLSv1.2 AEAD FIPS SUITEB128".split()
)
_SOME = {
    "AES": "-AES",
    "AESGCM": "-GCM-",
    "AES128": "-AES128-",
    "AES256": "-AES256-",
    "CHACHA20": "-CHACHA20-",
    "ECDSA": "-ECDSA-",
    "aECDSA": "-ECDSA-",
    "aRSA": "-RSA-",
    "RSA": "-RSA-",
    "SHA256": "-SHA256",
    "SHA384": "-SHA384",
}
# Words of OpenSSL that match none of them.
_NONE = frozenset(
    "LOW MEDIUM EXPORT EXP eNULL NULL aNULL kRSA kDHE kEDH DH DHE EDH ADH AECDH aDSS DSS aPSK PSK kPSK kRSAPSK kECDHEPSK "
    "kDHEPSK SRP aSRP kSRP CAMELLIA CAMELLIA128 CAMELLIA256 ARIA ARIA128 ARIA256 ARIAGCM SEED IDEA 3DES DES RC4 RC2 MD5 "
    "SHA SHA1 AESCCM AESCCM8 SSLv3 TLSv1 TLSv1.0 TLSv1.1 kGOST aGOST GOST GOST94 GOST89MAC aGOST01"
    " CBC COMPLEMENTOFALL".split()
)
_NAME = re.compile(r"(?:TLS_)?[A-Z0-9]+(?:[-_][A-Z0-9]+)+")


def chosen(text: str) -> list[str]:
    """Returns the suites of TLS 1.2 that OpenSSL's cipher string `text` selects, in the component's order.

    As in OpenSSL, it does not select suites of TLS 1.3. Raises ValueError if `text` names nothing that OpenSSL knows.
    """
    found: set[str] = set()
    banned: set[str] = set()
    known = False
    for part in re.split(r"[:, ;]+", text.strip()):
        if not part or part.startswith("@"):
            continue
        sign = part[0] if part[0] in "!-+" else ""
        matching = _matching(part[len(sign) :])
        if matching is None:
            continue
        if sign == "!":
            banned |= matching
        elif sign == "-":
            found -= matching
        elif not sign:
            known = True
            found |= matching
    if not known:
        raise ValueError("No cipher can be selected.")
    return [name for name in OF_1_2 if name in found - banned]


def _matching(words: str) -> set[str] | None:
    """Returns the suites that match all of `words`, joined by +; None if a word is unknown."""
    found = set(OF_1_2)
    for word in words.split("+"):
        if word in _EVERY:
            continue
        if word in _SOME:
            found = {name for name in found if _SOME[word] in name or name.endswith(_SOME[word])}
        elif word in _NONE or _NAME.fullmatch(word):
            found &= {word}
        else:
            return None
    return found


def descriptions(names: tuple[str, ...] | list[str]) -> list[dict[str, Any]]:
    """Returns the result of `SSLContext.get_ciphers` for these suites."""
    numbers = {name: number for number, name in (*_SUITES_OF_1_3, *_SUITES_OF_1_2)}
    found = []
    for name in names:
        new = name in OF_1_3
        bits = 128 if "128" in name.partition("AES")[2] else 256
        chacha = "CHACHA20" in name
        encryption = f"CHACHA20/POLY1305({bits})" if chacha else f"AESGCM({bits})"
        authentication = "any" if new else name.split("-")[1]
        exchange = "any" if new else "ECDH"
        version = "TLSv1.3" if new else "TLSv1.2"
        found.append(
            {
                "id": 0x03000000 | numbers[name],
                "name": name,
                "protocol": version,
                "description": f"{name:30} {version} Kx={exchange:8} Au={authentication:5} Enc={encryption:22} Mac=AEAD",
                "strength_bits": bits,
                "alg_bits": bits,
                "aead": True,
                "symmetric": "chacha20-poly1305" if chacha else f"aes-{bits}-gcm",
                "digest": None,
                "kea": "kx-any" if new else "kx-ecdhe",
                "auth": f"auth-{authentication.lower()}",
            }
        )
    return found


def openssl_name(suite: str) -> str:
    """Returns OpenSSL's name of a suite in IANA's registry."""
    if "_WITH_" not in suite:
        return suite
    exchange, _, cipher = suite.removeprefix("TLS_").partition("_WITH_")
    if cipher.startswith("CHACHA20"):
        cipher = "CHACHA20-POLY1305"
    return f"{exchange}-{cipher}".replace("AES_128_", "AES128-").replace("AES_256_", "AES256-").replace("_", "-")
