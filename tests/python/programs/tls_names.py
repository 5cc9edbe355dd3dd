"""The module ssl as packages use it: the names that they import, and contexts that they make during the import.

    tls_names.py HOST PORT

A server must listen at the address whose certificate is not from the library's authority.
"""

import asyncio
import ssl
import sys

from library import contexts

# Names used by redis, hypercorn, scramp, grpclib, aiohttp, urllib3, trio and CPython's own modules.
NAMES = """VerifyFlags SSLSocket SSLObject DefaultVerifyPaths get_default_verify_paths MemoryBIO SSLSession AlertDescription
SSLErrorNumber Options VerifyMode TLSVersion Purpose OP_ALL OP_NO_COMPRESSION OP_NO_TICKET OP_NO_SSLv2 OP_NO_SSLv3 OP_NO_TLSv1_2
OP_IGNORE_UNEXPECTED_EOF PROTOCOL_SSLv23 PROTOCOL_TLS PROTOCOL_TLSv1 PROTOCOL_TLSv1_2 HAS_SNI HAS_ALPN HAS_ECDH
HAS_NEVER_CHECK_COMMON_NAME RAND_bytes cert_time_to_seconds get_server_certificate get_protocol_name VERIFY_DEFAULT
VERIFY_X509_STRICT VERIFY_X509_PARTIAL_CHAIN VERIFY_X509_TRUSTED_FIRST CHANNEL_BINDING_TYPES create_connection
SSL_ERROR_WANT_READ SSL_ERROR_EOF SSLWantReadError SSLZeroReturnError socket_error""".split()


async def main(host, port):
    print("missing", [name for name in NAMES if not hasattr(ssl, name)])
    print(ssl.get_default_verify_paths().openssl_cafile_env, ssl.Purpose.CLIENT_AUTH.oid, len(ssl.RAND_bytes(5)))
    print(ssl.cert_time_to_seconds("May  9 00:00:00 2027 GMT"), repr(ssl.TLSVersion.TLSv1_3), ssl.VerifyFlags.VERIFY_X509_STRICT)
    for context in (contexts.from_file, contexts.from_data):
        print(context.cert_store_stats(), context.get_ca_certs()[0]["subject"], context.check_hostname)
        try:
            await asyncio.open_connection(host, port, ssl=context, server_hostname="server.test")
        except ssl.SSLCertVerificationError as error:
            print(error.verify_code in (18, 19, 20), error.reason, isinstance(error, ValueError))
    print(contexts.server.verify_mode, contexts.server.check_hostname)
    mistaken = ssl.create_default_context()
    try:
        mistaken.load_verify_locations(cadata="nonsense")
    except ssl.SSLError as error:
        print("nonsense", type(error).__name__)
    mistaken.maximum_version = ssl.TLSVersion.TLSv1_2
    mistaken.options |= ssl.OP_NO_TLSv1_2
    try:
        await asyncio.open_connection(host, port, ssl=mistaken, server_hostname="server.test")
    except ssl.SSLError as error:
        print("no version", error.reason in ("NO_PROTOCOLS_AVAILABLE", "NO_CIPHERS_AVAILABLE"))
    mistaken.set_alpn_protocols(["a", "b"])
    bio = ssl.MemoryBIO()
    bio.write(b"kept")
    print(bio.read(), bio.eof)


asyncio.run(main(sys.argv[1], int(sys.argv[2])))
