"""How syswire is packed: the repository's folders become the one import name `syswire`.

Everything that needs the layout (scripts/build.py, the tests) loads this file for `packages`,
`extensions` and `link_tree`, so it calls setup() only when it is run.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py
from setuptools.command.editable_wheel import editable_wheel
from setuptools.command.sdist import sdist

ROOT = Path(__file__).resolve().parent
TOP = ("capture", "convert", "reports")
NOT_IN_THE_PACKAGE = {"setup", "conftest"}
C_FLAGS = ["-O2", "-fwrapv", "-Wall", "-Wno-unused-function", "-Wno-maybe-uninitialized"]


def build_mode() -> str:
    """Which build SYSWIRE_BOUNDS asks for.

    plain (unset or 0): no checks. checked (1): Cython's checks of every index into a view, string or array.
    address: those, and the compiler's address sanitizer, which sees what raw pointers touch; its library has to be
    preloaded into Python (`make test-address` does).
    """
    asked = os.environ.get("SYSWIRE_BOUNDS", "")
    return asked if asked == "address" else "plain" if asked in ("", "0") else "checked"


def c_flags(mode: str) -> list[str]:
    """The C compiler's flags for a build."""
    return [*C_FLAGS, *(["-fsanitize=address", "-g", "-fno-omit-frame-pointer"] if mode == "address" else [])]


def packages() -> list[str]:
    """Every folder with an __init__.py, as a package below `syswire`."""
    found = sorted(init.parent.relative_to(ROOT) for top in TOP for init in (ROOT / top).rglob("__init__.py"))
    return ["syswire", *(".".join(("syswire", *folder.parts)) for folder in found)]


def requirements() -> list[str]:
    """What syswire needs to run, by requirements.in."""
    lines = (ROOT / "requirements.in").read_text("utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def version() -> str:
    """`__version__` of the root __init__.py, read without importing it."""
    for line in (ROOT / "__init__.py").read_text("utf-8").splitlines():
        if line.startswith("__version__"):
            return line.split('"')[1]
    raise SystemExit("__init__.py has no __version__")


def link_tree() -> Path:
    """Lay build/tree/syswire with links to the package's parts, and return build/tree.

    Cython (for cimports) and mypy look for a folder of the package's name; the checkout may have any.
    """
    tree = ROOT / "build" / "tree"
    home = tree / "syswire"
    home.mkdir(parents=True, exist_ok=True)
    for name in (*TOP, "py.typed", *(path.name for path in ROOT.glob("*.py") if path.stem not in NOT_IN_THE_PACKAGE)):
        link = home / name
        if not link.is_symlink():
            try:
                link.symlink_to(os.path.relpath(ROOT / name, home))
            except FileExistsError:  # another build laid it meanwhile
                continue
    for link in home.iterdir():
        if not link.exists():
            link.unlink(missing_ok=True)
    return tree


def sources() -> dict[str, Path]:
    """Compiled modules: full name to the path of its .pyx, relative to the root."""
    found = sorted(path.relative_to(ROOT) for top in TOP for path in (ROOT / top).rglob("*.pyx"))
    return {".".join(("syswire", *path.with_suffix("").parts)): path for path in found}


def directives(mode: str) -> dict[str, Any]:
    """Cython's compiler directives for a build."""
    checked = mode != "plain"
    return {
        "language_level": 3,
        "boundscheck": checked,
        "wraparound": False,
        "initializedcheck": checked,
        "nonecheck": False,  # would need the GIL for `self.count += 1`
        "overflowcheck": False,
        "cdivision": True,
        "binding": True,
        "embedsignature": True,
    }


def extensions(names: list[str] | None = None) -> list[Extension]:
    """Translate the named compiled modules (all by default) to C, below build/."""
    from Cython.Build import cythonize

    mode = build_mode()
    wanted = {name: path for name, path in sources().items() if names is None or name in names}
    if not wanted:
        return []
    tree = link_tree()
    os.chdir(ROOT)  # distutils takes relative source paths only
    modules = [Extension(name, [str(path)], extra_compile_args=c_flags(mode)) for name, path in wanted.items()]
    return list(
        cythonize(
            modules,
            include_path=[str(tree)],
            build_dir=str(Path("build", "cython", mode)),
            compiler_directives=directives(mode),
            quiet=True,
            nthreads=0 if len(modules) == 1 else os.cpu_count() or 1,
            force=True,  # the caller has judged by hashes; Cython judges by times
        )
    )


class BuildPy(build_py):
    """build_py would take every .py of the root; setup.py and the like are no part of the package."""

    def find_package_modules(self, package: str, package_dir: str) -> list[tuple[str, str, str]]:
        """Leave out what is not in the package."""
        found = super().find_package_modules(package, package_dir)
        return [module for module in found if package != "syswire" or module[1] not in NOT_IN_THE_PACKAGE]


class BuildExt(build_ext):
    """Translates the compiled modules when they are really built, not when setup.py is only asked a question."""

    def run(self) -> None:
        """Give each placeholder the C file that Cython made of it, then compile."""
        translated = {extension.name: extension for extension in extensions()}
        for extension in self.extensions:
            extension.sources = translated[extension.name].sources
            extension.extra_compile_args = c_flags(build_mode())
        self.parallel = os.cpu_count()
        super().run()


class EditableWheel(editable_wheel):
    """Leaves the compiled modules of a checkout to scripts/build.py, which knows when one is stale."""

    def run(self) -> None:
        """Build in place, then install links only."""
        subprocess.run([sys.executable, str(ROOT / "scripts" / "build.py")], check=True)
        link_tree()
        self.distribution.ext_modules = []
        super().run()


class SDist(sdist):
    """Makes the source distribution without translating anything."""

    def add_defaults(self) -> None:
        """The .pyx come in by MANIFEST.in, the .pxd and .pyi as package data."""
        self.distribution.ext_modules = []
        super().add_defaults()


def run() -> None:
    """Call setuptools."""
    os.chdir(ROOT)
    setup(
        name="syswire",
        version=version(),
        description="From system calls and packets to Wireshark captures, annotations and audit reports",
        long_description=(ROOT / "README.md").read_text("utf-8") if (ROOT / "README.md").exists() else None,
        long_description_content_type="text/markdown",
        author="The syswire developers",
        license="MIT",
        license_files=["LICENSE"],
        python_requires=">=3.11",
        platforms=["Linux"],
        packages=packages(),
        package_dir={"syswire": "."},
        package_data={
            "": ["*.pyi", "*.pxd", "*.json", "*.css", "*.j2", "*.html", "*.svg"],
            "syswire": ["py.typed"],
            "syswire.reports": ["templates/*"],
            "syswire.reports.findings": ["rules/*.toml"],
            "syswire.reports.wireshark": ["*.lua"],
            "syswire.reports.languages": ["*/LC_MESSAGES/*.mo"],
            "syswire.capture": ["record.h"],
            "syswire.capture.probe": ["*.h", "*.c"],
        },
        include_package_data=False,
        install_requires=requirements(),
        ext_modules=[Extension(name, [str(path)]) for name, path in sources().items()],
        entry_points={"console_scripts": ["syswire = syswire.cli:main"]},
        cmdclass={"build_py": BuildPy, "build_ext": BuildExt, "editable_wheel": EditableWheel, "sdist": SDist},
        zip_safe=False,
    )


if __name__ == "__main__":
    run()
