"""Certificates as dicts, compared with CPython's own `ssl`."""

import random
import shutil
import ssl
import subprocess
import tempfile
import unittest
from pathlib import Path

from asyncio_streams._tls import certificate, ciphers


@unittest.skipUnless(shutil.which("openssl"), "openssl, which makes the certificates, is not here")
class Certificates(unittest.TestCase):
    def make(self, subject, *extensions):
        with tempfile.TemporaryDirectory() as folder:
            command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -utf8".split()
            command += ["-keyout", f"{folder}/key.pem", "-out", f"{folder}/cert.pem", "-subj", subject]
            for extension in extensions:
                command += ["-addext", extension]
            subprocess.run(command, check=True, capture_output=True)
            path = Path(folder) / "cert.pem"
            return ssl.PEM_cert_to_DER_cert(path.read_text()), ssl._ssl._test_decode_cert(str(path))

    def test_equal_to_cpythons(self):
        for subject, *extensions in (
            (
                "/CN=localhost",
                "subjectAltName=DNS:localhost,DNS:*.example.org,IP:127.0.0.1,IP:::1,email:a@b.c,URI:http://x/y",
            ),
            ("/C=CH/ST=Zürich/O=Ö & Co/OU=a+b/CN=name/emailAddress=x@y.z",),
            ("/DC=org/DC=example/CN=x/serialNumber=12",),
        ):
            der, stock = self.make(subject, *extensions)
            ours = certificate.decode(der)
            for name in ("subject", "issuer", "version", "serialNumber", "notBefore", "notAfter", "subjectAltName"):
                self.assertEqual(ours.get(name), stock.get(name), name)

    def test_cut_or_broken_certificates_raise_value_error(self):
        der, _ = self.make("/CN=localhost")
        chance = random.Random(1)
        for _ in range(2000):
            broken = bytearray(der)
            for _ in range(chance.randrange(1, 4)):
                broken[chance.randrange(len(broken))] = chance.randrange(256)
            broken = bytes(broken[: chance.randrange(len(broken) + 1)]) if chance.random() < 0.5 else bytes(broken)
            try:
                certificate.decode(broken)
            except ValueError:
                pass


class Suites(unittest.TestCase):
    def test_names(self):
        for name, openssl in (
            ("TLS_AES_256_GCM_SHA384", "TLS_AES_256_GCM_SHA384"),
            ("TLS_CHACHA20_POLY1305_SHA256", "TLS_CHACHA20_POLY1305_SHA256"),
            ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256"),
            ("TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305"),
        ):
            self.assertEqual(ciphers.openssl_name(name), openssl)


if __name__ == "__main__":
    unittest.main()
