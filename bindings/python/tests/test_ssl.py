"""CPython's own `ssl` over this package's `_ssl`, beside the one over OpenSSL. Nothing here connects."""

import enum
import importlib.util
import shutil
import ssl as stock
import subprocess
import sys
import tempfile
import unittest
import warnings
from pathlib import Path

from asyncio_streams import _lending, tls
from asyncio_streams._tls import ciphers


def over_the_component():
    """Loads the machine's own ssl.py over our `_ssl`."""
    spec = importlib.util.spec_from_file_location("ssl_over_the_component", stock.__file__)
    made = importlib.util.module_from_spec(spec)
    before, sys.modules["_ssl"] = sys.modules["_ssl"], tls.module()
    # Enumerations find their module by its name.
    sys.modules[spec.name] = made
    try:
        spec.loader.exec_module(made)
    finally:
        sys.modules["_ssl"] = before
    return made


def public(module):
    return {name for name in dir(module) if not name.startswith("_")}


@unittest.skipIf(sys.version_info < (3, 13), "the component's CPython is 3.14, whose ssl.py wants other names than this one")
class Module(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.ssl = over_the_component()

    def test_every_public_name_exists(self):
        self.assertEqual(public(stock) - public(self.ssl), set())

    def test_every_public_name_of_the_classes_exists(self):
        for name in public(stock):
            theirs, ours = getattr(stock, name), getattr(self.ssl, name)
            if isinstance(theirs, type):
                self.assertEqual(public(theirs) - public(ours), set(), name)

    def test_classes_have_the_modules_of_openssls(self):
        for name in public(stock):
            theirs, ours = getattr(stock, name), getattr(self.ssl, name)
            if isinstance(theirs, type) and ours.__module__ != self.ssl.__name__:
                self.assertEqual(ours.__module__, theirs.__module__, name)

    def test_numbers_are_openssls(self):
        # Versions of OpenSSL differ in which of them they have, and in the value for all.
        varying = {
            "OPENSSL_VERSION_NUMBER",
            "OP_ALL",
            "OP_CIPHER_SERVER_PREFERENCE",
            "OP_SINGLE_DH_USE",
            "OP_SINGLE_ECDH_USE",
        }
        checked = 0
        for name in public(stock) - varying:
            theirs = getattr(stock, name)
            if isinstance(theirs, int) and not isinstance(theirs, bool):
                self.assertEqual(int(getattr(self.ssl, name)), int(theirs), name)
                checked += 1
        self.assertGreater(checked, 60)
        for name in ("Options", "VerifyFlags", "AlertDescription", "SSLErrorNumber", "TLSVersion", "VerifyMode"):
            self.assertTrue(issubclass(getattr(self.ssl, name), enum.Enum), name)

    def test_a_new_context_equals_openssls(self):
        for protocol in (stock.PROTOCOL_TLS_CLIENT, stock.PROTOCOL_TLS_SERVER):
            theirs, ours = stock.SSLContext(protocol), self.ssl.SSLContext(int(protocol))
            for name in (
                "check_hostname",
                "verify_mode",
                "verify_flags",
                "maximum_version",
                "num_tickets",
                "post_handshake_auth",
            ):
                self.assertEqual(getattr(ours, name), getattr(theirs, name), name)
            self.assertEqual(ours.session_stats(), theirs.session_stats())
            self.assertEqual(ours.cert_store_stats(), {"x509": 0, "crl": 0, "x509_ca": 0})
        self.assertEqual(self.ssl.create_default_context().verify_flags, stock.create_default_context().verify_flags)

    def test_errors_have_the_same_types(self):
        def outcome(module, call):
            try:
                return call(module)
            except Exception as reason:
                return type(reason).__name__

        def setting(name, value, protocol="PROTOCOL_TLS_CLIENT"):
            return lambda module: setattr(module.SSLContext(getattr(module, protocol)), name, value)

        calls = (
            lambda module: module.SSLContext(99),
            lambda module: module.SSLSocket(),
            lambda module: module.SSLObject(),
            lambda module: module.SSLSession(),
            lambda module: module.RAND_bytes(-1),
            lambda module: len(module.RAND_bytes(7)),
            lambda module: module.cert_time_to_seconds("Jan  5 09:34:43 2018 GMT"),
            lambda module: module.cert_time_to_seconds("x"),
            lambda module: module.get_protocol_name(module.PROTOCOL_TLS),
            lambda module: module.Purpose.SERVER_AUTH.oid,
            lambda module: module.Purpose.CLIENT_AUTH.nid,
            lambda module: module.SSLContext(module.PROTOCOL_TLS_CLIENT).load_verify_locations(),
            lambda module: module.SSLContext(module.PROTOCOL_TLS_CLIENT).load_verify_locations("/nowhere"),
            lambda module: module.SSLContext(module.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata="nonsense"),
            lambda module: module.SSLContext(module.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=b"nonsense"),
            lambda module: module.SSLContext(module.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=""),
            lambda module: module.SSLContext(module.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=5),
            lambda module: module.SSLContext(module.PROTOCOL_TLS_CLIENT).load_cert_chain("/nowhere"),
            lambda module: module.SSLContext(module.PROTOCOL_TLS_CLIENT).set_ciphers("nonsense"),
            lambda module: module.SSLContext(module.PROTOCOL_TLS_CLIENT).set_alpn_protocols(["x" * 300]),
            lambda module: module.PEM_cert_to_DER_cert("x"),
            setting("num_tickets", 1),
            setting("num_tickets", -1, "PROTOCOL_TLS_SERVER"),
            setting("num_tickets", 0, "PROTOCOL_TLS_SERVER"),
            setting("verify_mode", 0),
            setting("verify_mode", 7),
            setting("minimum_version", 5),
            setting("sni_callback", None),
        )
        for number, call in enumerate(calls):
            with self.subTest(number):
                self.assertEqual(outcome(self.ssl, call), outcome(stock, call))

    def test_unsupported_features_name_the_alternative(self):
        context = self.ssl.SSLContext(self.ssl.PROTOCOL_TLS_SERVER)
        bio = self.ssl.MemoryBIO()
        for call, advice in (
            (lambda: context.wrap_bio(bio, bio, server_side=True), "start_tls"),
            (lambda: context.load_dh_params("/nowhere"), "leave load_dh_params out"),
            (lambda: context.set_ecdh_curve("prime256v1"), "leave set_ecdh_curve out"),
            (lambda: setattr(context, "keylog_filename", "/tmp/keys"), "SSLKEYLOGFILE"),
            (lambda: setattr(context, "hostname_checks_common_name", True), "subjectAltName"),
            (lambda: setattr(context, "verify_flags", self.ssl.VERIFY_CRL_CHECK_LEAF), "getpeercert"),
            (lambda: setattr(context, "sni_callback", print), "load_cert_chain"),
            (lambda: context.set_psk_server_callback(print), "HAS_PSK"),
            (lambda: self.ssl.SSLContext(self.ssl.PROTOCOL_TLSv1), "PROTOCOL_TLS_CLIENT"),
        ):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                with self.assertRaisesRegex(NotImplementedError, advice):
                    call()

    def test_a_bio_is_a_buffer(self):
        for module in (stock, self.ssl):
            bio = module.MemoryBIO()
            self.assertEqual((bio.read(), bio.pending, bio.eof), (b"", 0, False))
            self.assertEqual(bio.write(memoryview(b"abcdef")), 6)
            self.assertEqual((bio.read(2), bio.pending), (b"ab", 4))
            bio.write_eof()
            self.assertFalse(bio.eof)
            self.assertEqual((bio.read(), bio.eof), (b"cdef", True))
            self.assertRaises(module.SSLError, bio.write, b"x")
            self.assertRaises(TypeError, bio.write, "x")

    def test_versions_follow_from_versions_options_and_ciphers(self):
        def versions(**settings):
            context = self.ssl.SSLContext(self.ssl.PROTOCOL_TLS_CLIENT)
            for name, value in settings.items():
                setattr(context, name, value)
            return context._versions()

        version, both = self.ssl.TLSVersion, ("TLS12", "TLS13")
        self.assertEqual(versions(), both)
        self.assertEqual(versions(minimum_version=version.MINIMUM_SUPPORTED), both)
        self.assertEqual(versions(minimum_version=version.TLSv1_3), ("TLS13", "TLS13"))
        self.assertEqual(versions(maximum_version=version.TLSv1_2), ("TLS12", "TLS12"))
        self.assertEqual(versions(options=self.ssl.OP_NO_TLSv1_2), ("TLS13", "TLS13"))
        self.assertEqual(versions(options=self.ssl.OP_NO_TLSv1_3), ("TLS12", "TLS12"))
        for impossible in (
            {"options": self.ssl.OP_NO_TLSv1_2 | self.ssl.OP_NO_TLSv1_3},
            {"maximum_version": version.TLSv1_1},
            {"minimum_version": version.TLSv1_3, "maximum_version": version.TLSv1_2},
        ):
            with self.assertRaises(self.ssl._ssl.SSLError) as caught:
                versions(**impossible)
            self.assertEqual(caught.exception.reason, "NO_PROTOCOLS_AVAILABLE")

    @unittest.skipUnless(shutil.which("openssl"), "openssl, which makes the certificates, is not here")
    def test_authorities_are_shown_as_by_openssl(self):
        self.addCleanup(setattr, _lending, "possible", False)
        with tempfile.TemporaryDirectory() as folder:
            command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30".split()
            for name, extension in (("ca", "CA:TRUE"), ("leaf", "CA:FALSE")):
                more = ["-keyout", f"{folder}/{name}.key", "-out", f"{folder}/{name}.pem", "-subj", f"/CN={name}"]
                more += ["-addext", f"basicConstraints={extension}"]
                subprocess.run(command + more, check=True, capture_output=True)
            texts = [Path(folder, f"{name}.pem").read_text() for name in ("ca", "leaf")]
            both = Path(folder, "both.pem")
            both.write_text("A comment\n" + "\n".join(texts))
            contexts = [module.SSLContext(int(stock.PROTOCOL_TLS_CLIENT)) for module in (stock, self.ssl)]
            for context in contexts:
                context.load_verify_locations(both)
                context.load_verify_locations(cadata=stock.PEM_cert_to_DER_cert(texts[0]))
                # Authorities are no certificate of its own, with which it could be a server.
                self.assertFalse(_lending.possible)
                context.load_cert_chain(Path(folder, "leaf.pem"), Path(folder, "leaf.key"))
            self.assertTrue(_lending.possible)
            theirs, ours = contexts
            self.assertEqual(ours.cert_store_stats(), theirs.cert_store_stats())
            self.assertEqual(ours.get_ca_certs(), theirs.get_ca_certs())
            self.assertEqual(ours.get_ca_certs(True), theirs.get_ca_certs(True))
            self.assertRaises(self.ssl._ssl.SSLError, ours.load_cert_chain, Path(folder, "leaf.key"))


class CipherStrings(unittest.TestCase):
    def test_cipher_strings_choose_the_same_as_openssl(self):
        context = stock.SSLContext(stock.PROTOCOL_TLS_CLIENT)
        for text in (
            "DEFAULT",
            "ALL",
            "HIGH:!aNULL:!MD5",
            "ECDHE+AESGCM",
            "ECDHE+CHACHA20",
            "ECDH+AESGCM:DH+AESGCM:ECDH+AES256:!aNULL",
            "ECDHE-RSA-AES256-GCM-SHA384",
            "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305",
            "AES256:-ECDSA",
            "TLSv1.2:!AES128",
            "aRSA+AESGCM",
            "ECDHE+AESGCM:@STRENGTH",
            "kRSA+AES",
            "DEFAULT:!CHACHA20",
        ):
            context.set_ciphers(text)
            known = {cipher["name"] for cipher in context.get_ciphers()} & set(ciphers.OF_1_2)
            self.assertEqual(set(ciphers.chosen(text)), known, text)

    def test_unknown_words_are_refused(self):
        for text in ("", "nonsense", "!ALL", "nonsense+AES"):
            self.assertRaises(ValueError, ciphers.chosen, text)

    def test_suites_are_described_as_by_openssl(self):
        theirs = {cipher["name"]: cipher for cipher in stock.create_default_context().get_ciphers()}
        for ours in ciphers.descriptions([*ciphers.OF_1_3, *ciphers.OF_1_2]):
            self.assertEqual(ours, theirs.get(ours["name"], ours))

    def test_leaving_out_some_warns_and_leaving_out_all_leaves_tls_1_3(self):
        context = tls.SSLContext(16)
        with self.assertWarnsRegex(RuntimeWarning, "CHACHA20"):
            context.set_ciphers("ECDHE+AESGCM")
        self.assertEqual(len(context.get_ciphers()), 9)
        context.set_ciphers("TLSv1")
        self.assertEqual({cipher["protocol"] for cipher in context.get_ciphers()}, {"TLSv1.3"})
        context.set_ciphers("DEFAULT")
        self.assertEqual(len(context.get_ciphers()), 9)


if __name__ == "__main__":
    unittest.main()
