"""The component's errors as Python's exceptions; the bindings' classes are made here as componentize-py makes them."""

import errno
import socket
import sys
import unittest
from enum import Enum
from pathlib import Path
from types import SimpleNamespace

from asyncio_streams import _errors

Code = Enum("Code", [*_errors.CODES, *_errors.NAME_CODES])
WIT = Path(__file__).resolve().parents[3] / "wit" / "types.wit"


def error(case, value=None):
    """Returns the exception of the bindings for a case of the interface's `error`."""
    made = Exception()
    made.value = type(f"Error_{case}", (), {"value": value})()
    return made


def network(code, message="text"):
    return SimpleNamespace(code=Code[code], message=message)


def attempt(host, port, code):
    address = SimpleNamespace(value=SimpleNamespace(host=host, port=port, flow_info=0, scope_id=0))
    return SimpleNamespace(address=address, error=network(code))


class Errors(unittest.TestCase):
    def test_the_components_reason_is_kept_as_a_note(self):
        attempts = [attempt("127.0.0.1", 9, "CONNECTION_REFUSED"), attempt("::1", 9, "UNREACHABLE")]
        attempts[1].error.message = "no route"
        one = _errors.from_attempts(attempts[:1], all_errors=False)
        self.assertEqual(str(one), f"[Errno {errno.ECONNREFUSED}] Connect call failed ('127.0.0.1', 9)")
        self.assertEqual(one.__notes__, ["asyncio:streams: text"])
        both = _errors.from_attempts(attempts, all_errors=False)
        self.assertEqual(both.__notes__, ["asyncio:streams: text", "asyncio:streams: no route"])
        self.assertEqual(getattr(_errors.with_reason(OSError("a text"), "text"), "__notes__", []), [])

    def test_a_missing_grant_is_advised_for_once(self):
        denied = network("ACCESS_DENIED", "look up x: not permitted")
        wrapped = [attempt("127.0.0.1", 9, "ACCESS_DENIED"), attempt("::1", 9, "ACCESS_DENIED")]
        for found in (
            _errors.from_network(denied),
            _errors.from_network(denied, "another text"),
            _errors.to_exception(error("Network", denied)),
            _errors.from_attempts(wrapped[:1], all_errors=False),
            _errors.from_attempts(wrapped, all_errors=False),
        ):
            self.assertEqual(sum("--allow-connect HOST:PORT" in note for note in found.__notes__), 1)
        self.assertFalse(hasattr(_errors.from_network(network("CONNECTION_REFUSED")), "__notes__"))
        with self.assertRaises(PermissionError) as denied, _errors.advising(), _errors.advising():
            raise PermissionError(errno.EACCES, "Permission denied")
        self.assertEqual(denied.exception.__notes__, [_errors.UNGRANTED])

    def test_a_failed_bind_names_the_local_address(self):
        one = attempt("127.0.0.1", 9, "ADDRESS_NOT_AVAILABLE")
        one.error.message = "bind to 192.0.2.1:7: address not available"
        text = "error while attempting to bind on address ('192.0.2.1', 7): address not available"
        found = _errors.from_attempts([one], all_errors=False)
        self.assertEqual(str(found), f"[Errno {errno.EADDRNOTAVAIL}] {text}")
        six = attempt("::1", 9, "ADDRESS_IN_USE")
        six.error.message = "bind to [2001:db8::1]:7: address in use"
        self.assertIn(
            "address ('2001:db8::1', 7, 0, 0): address in use", str(_errors.from_attempts([six], all_errors=False))
        )
        six.error.message = "connect to [::1]:9: no local address of its family"
        found = _errors.from_attempts([six], all_errors=False)
        self.assertEqual(str(found), f"no matching local address with family={socket.AF_INET6!r} found")

    def test_every_code_of_the_interface_has_its_errno(self):
        text = WIT.read_text()
        body = text[text.index("enum network-code {") :]
        body = body[: body.index("\n  }")]
        names = {line.strip(" ,").replace("-", "_").upper() for line in body.splitlines()[1:] if "///" not in line}
        self.assertEqual(names, {*_errors.CODES, *_errors.NAME_CODES})

    def test_every_case_of_the_interface_has_its_exception(self):
        text = WIT.read_text()
        body = text[text.index("variant error {") :]
        cases = [
            line.strip().split("(")[0].strip(",")
            for line in body.splitlines()[1:]
            if line.startswith("    ") and "//" not in line
        ]
        self.assertIn("deadline-exceeded", cases)
        for case in cases:
            name = "".join(part.capitalize() for part in case.split("-"))
            value = {"Network": network("OTHER"), "Connect": [attempt("::1", 1, "OTHER")]}.get(name)
            value = value or SimpleNamespace(code="c", message="m", failure=type("TlsFailure_Handshake", (), {})())
            self.assertNotIn("value", vars(_errors.to_exception(error(name, value))), case)

    def test_the_classes_are_pythons(self):
        classes = {
            "ACCESS_DENIED": PermissionError,
            "CONNECTION_REFUSED": ConnectionRefusedError,
            "CONNECTION_RESET": ConnectionResetError,
            "CONNECTION_ABORTED": ConnectionAbortedError,
            "BROKEN_PIPE": BrokenPipeError,
            "TIMED_OUT": TimeoutError,
            "NAME_NOT_FOUND": socket.gaierror,
            "NAME_LOOKUP_FAILED": socket.gaierror,
            "UNREACHABLE": OSError,
            "NO_SUCH_FILE": FileNotFoundError,
        }
        for code, kind in classes.items():
            found = _errors.to_exception(error("Network", network(code)))
            self.assertIs(type(found), kind)
            self.assertEqual(found.strerror, "text")
        self.assertEqual(_errors.from_network(network("ADDRESS_IN_USE")).errno, errno.EADDRINUSE)
        self.assertEqual(_errors.from_network(network("NAME_NOT_FOUND")).errno, socket.EAI_NONAME)

    def test_connect_errors_are_combined_as_in_asyncio(self):
        one = _errors.from_attempts([attempt("127.0.0.1", 9, "CONNECTION_REFUSED")], all_errors=False)
        self.assertIsInstance(one, ConnectionRefusedError)
        self.assertEqual(str(one), f"[Errno {errno.ECONNREFUSED}] Connect call failed ('127.0.0.1', 9)")
        attempts = [attempt("::1", 9, "CONNECTION_REFUSED"), attempt("127.0.0.1", 9, "TIMED_OUT")]
        two = _errors.from_attempts(attempts, all_errors=False)
        self.assertIs(type(two), OSError)
        self.assertIsNone(two.errno)
        self.assertRegex(str(two), r"^Multiple exceptions: \[Errno .*\('::1', 9, 0, 0\), \[Errno .*\('127.0.0.1', 9\)$")
        if sys.version_info < (3, 11):
            return
        group = _errors.from_attempts(attempts, all_errors=True)
        self.assertIsInstance(group, ExceptionGroup)
        self.assertEqual([type(each) for each in group.exceptions], [ConnectionRefusedError, TimeoutError])

    def test_other_exceptions_are_unchanged(self):
        reason = KeyError("x")
        self.assertIs(_errors.to_exception(reason), reason)


if __name__ == "__main__":
    unittest.main()
