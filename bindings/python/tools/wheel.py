"""Makes the wheel: the package with the components, the WIT and the program `streams` of this checkout inside.

`cargo xtask dist --python` builds those files and calls this program. The wheel is for one platform, as componentize-py's
are, because it contains the program `streams`.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PACKAGE = ROOT / "bindings" / "python"
CARRIED = ("streams.wasm", "streams-tls.wasm", "streams-unix.wasm", "streams-unix-tls.wasm")


def main() -> int:
    """Runs the command; returns its exit status."""
    parser = argparse.ArgumentParser(description="Makes the wheel of asyncio-streams.")
    parser.add_argument("--components", type=Path, default=ROOT / "target" / "components", help="where streams.wasm is")
    parser.add_argument("--streams", type=Path, default=ROOT / "target" / "release" / "streams", help="the program")
    parser.add_argument("--output", type=Path, default=ROOT / "target" / "dist", help="the folder to write the wheel into")
    options = parser.parse_args()
    files = [options.streams, *(options.components / name for name in CARRIED)]
    missing = [str(file) for file in files if not file.is_file()]
    if missing:
        print(f"wheel.py: there is no {', '.join(missing)}: `cargo xtask dist --python` builds it", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="asyncio-streams-wheel-") as folder:
        stage = Path(folder)
        for name in ("pyproject.toml", "README.md"):
            shutil.copy(PACKAGE / name, stage)
        shutil.copy(ROOT / "LICENSE", stage)
        package = stage / "asyncio_streams"
        shutil.copytree(
            PACKAGE / "asyncio_streams", package, ignore=shutil.ignore_patterns("__pycache__", "_carried", "wit")
        )
        shutil.copytree(ROOT / "wit", package / "wit", ignore=lambda _, names: [n for n in names if n.endswith(".md")])
        carried = package / "_carried"
        carried.mkdir()
        shutil.copy2(options.streams, carried / "streams")
        for name in CARRIED:
            shutil.copy2(options.components / name, carried)
        strip = shutil.which("strip")
        if strip is not None:
            subprocess.run([strip, str(carried / "streams")], check=True)
        command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(options.output)]
        command.append(f"--config-setting=--build-option=--plat-name={platform(options.streams)}")
        done = subprocess.run([*command, str(stage)], capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"wheel.py: the build failed:\n{done.stdout}{done.stderr}", file=sys.stderr)
            return 1
    for wheel in options.output.glob("asyncio_streams-*.whl"):
        print(f"{wheel} ({wheel.stat().st_size} bytes)")
    return 0


def platform(program: Path) -> str:
    """Returns the tag of the platforms on which a program runs: on Linux, those with its C library or a later one."""
    plain = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    versions = re.findall(rb"GLIBC_(\d+)\.(\d+)", program.read_bytes())
    if not plain.startswith("linux_") or not versions:
        return plain
    major, minor = max((int(major), int(minor)) for major, minor in versions)
    return f"manylinux_{major}_{minor}_{plain.removeprefix('linux_')}"


if __name__ == "__main__":
    sys.exit(main())
