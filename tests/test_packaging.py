"""What gets installed is what stands in the repository, and the layout holds."""

from __future__ import annotations

import ast
import importlib.util
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

import syswire


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"loaded_{path.stem}", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def setup_module(root: Path) -> ModuleType:
    return load(root / "setup.py")


@pytest.fixture(scope="module")
def layout(root: Path) -> ModuleType:
    return load(root / "scripts" / "check_layout.py")


def requirement_names(text: str) -> set[str]:
    return {
        match[0].lower().replace(".", "-")
        for match in re.findall(r"^([A-Za-z][\w.-]*)((?:[ \t]|==|;).*)?$", text, re.M)
    }


def test_every_folder_with_code_is_a_package(root: Path, setup_module: ModuleType) -> None:
    folders = {path.parent for top in ("capture", "convert", "reports") for path in (root / top).rglob("*.py*")}
    folders = {folder for folder in folders if folder.name != "__pycache__"}
    expected = {"syswire"} | {"syswire." + ".".join(folder.relative_to(root).parts) for folder in folders}
    assert set(setup_module.packages()) == expected
    assert all((folder / "__init__.py").is_file() for folder in folders)


def test_package_inits_do_nothing(root: Path) -> None:
    """pytest imports the root's a second time under another name; what did something would do it twice."""
    for statement in ast.parse((root / "__init__.py").read_text("utf-8")).body:
        assert isinstance(statement, ast.Expr | ast.Assign), ast.unparse(statement)


def test_version_is_told_once(root: Path, setup_module: ModuleType) -> None:
    assert setup_module.version() == syswire.__version__
    assert syswire.__version__ in (root / "CHANGELOG.md").read_text("utf-8")


@pytest.mark.parametrize("name", ["requirements", "requirements-dev"])
def test_lock_pins_what_is_asked_for(root: Path, name: str) -> None:
    lock = (root / f"{name}.lock").read_text("utf-8")
    assert requirement_names((root / f"{name}.in").read_text("utf-8")) <= requirement_names(lock)
    for entry in re.split(r"\n(?=[A-Za-z])", lock.split("make lock\n", 1)[1]):
        assert re.match(r"[\w.-]+==\S+", entry), entry
        assert "--hash=sha256:" in entry, entry


def test_development_uses_the_locked_versions_of_users(root: Path) -> None:
    pin = re.compile(r"^([\w.-]+==\S+)", re.M)
    users = set(pin.findall((root / "requirements.lock").read_text("utf-8")))
    assert users
    assert users <= set(pin.findall((root / "requirements-dev.lock").read_text("utf-8")))


def test_requirements_of_the_package(setup_module: ModuleType) -> None:
    names = requirement_names("\n".join(setup_module.requirements()))
    assert {"msgspec", "jinja2", "weasyprint"} <= names
    assert "bcc" not in names, "PyPI's bcc is something else"


def test_layout_holds(layout: ModuleType) -> None:
    assert layout.problems() == []


def plant(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return root


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"convert/model/a.py": "x = 1\n" * 401}, "convert/model/a.py: 401 lines, 400 at most"),
        ({"convert/model/a.pyx": ""}, "convert/model/a.pyx: no .pyi beside it"),
        ({"convert/model/a.pyi": ""}, "convert/model/a.pyi: no .pyx beside it"),
        ({"convert/new/__init__.py": "", "convert/new/a.py": ""}, "convert.new.a: name its place in RANKS"),
        (
            {"convert/model/a.py": "def f():\n    from ..source import g\n", "convert/source.py": ""},
            "convert.model.a imports convert.source, which stands higher",
        ),
        (
            {"convert/model/a.pyx": "from syswire.convert.scap.b cimport (c)\n", "convert/scap/b.pxd": ""},
            "convert.model.a imports convert.scap.b, which stands higher",
        ),
        (
            {"convert/scap/a.py": "from . import b\n", "convert/scap/b.py": "from .a import c\n"},
            "imports in a circle: convert.scap.a -> convert.scap.b -> convert.scap.a",
        ),
        (
            {"capture/a.py": "from ..convert.source import b\n", "convert/source.py": ""},
            "capture.a imports convert.source: capture uses convert.scap, filters and trace only",
        ),
    ],
)
def test_layout_check_sees(layout: ModuleType, tmp_path: Path, files: dict[str, str], told: str) -> None:
    assert any(problem.startswith(told) for problem in layout.problems(plant(tmp_path, files)))


def test_layout_check_leaves_alone(layout: ModuleType, tmp_path: Path) -> None:
    files = {
        "cli.py": "from .reports.a import b\nimport os\n",
        "reports/a.py": "from syswire.convert.pipeline import c\nfrom .. import __version__\n",
        "convert/pipeline.py": "from .scap.d import e\n",
        "convert/scap/d.pyx": "from syswire.convert.model.rows cimport Chunk\nfrom ..model import rows\n",
        "convert/scap/d.pyi": "",
        "convert/model/rows.py": "",
        "convert/model/rows.pxd": "",
        "__init__.py": "",
    }
    assert layout.problems(plant(tmp_path, files)) == []


@pytest.mark.slow
def test_distributions(root: Path, setup_module: ModuleType, tmp_path: Path) -> None:
    """The wheel is built out of the source distribution, and holds the package and nothing else."""
    sources = [path for top in ("capture", "convert", "reports") for path in (root / top).rglob("*")]
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(tmp_path), str(root)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    (source,) = tmp_path.glob("*.tar.gz")
    (wheel,) = tmp_path.glob("*.whl")
    with tarfile.open(source) as archive:
        shipped = {name.partition("/")[2] for name in archive.getnames()}
    assert {"setup.py", "requirements.in", "LICENSE", "tests/conftest.py", "scripts/build.py"} <= shipped
    assert not [name for name in shipped if name.endswith((".so", ".pyc"))]
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    installed = {name for name in names if ".dist-info/" not in name}
    assert {name.split("/")[0] for name in installed} == {"syswire"}
    probe = {f"syswire/{path.relative_to(root)}" for path in (root / "capture" / "probe").glob("*.[ch]")}
    assert probe | {"syswire/capture/record.h"} <= installed  # compiled where it is recorded
    strange = ("setup.py", "conftest.py", ".pyx", ".c")
    assert [name for name in installed - probe if "/tests/" in name or name.endswith(strange)] == []
    for path in root.glob("*.py"):
        assert (f"syswire/{path.name}" in installed) == (path.stem != "setup")
    data = {".py", ".pyi", ".pxd", ".json", ".css", ".j2", ".html", ".toml"}
    assert {f"syswire/{path.relative_to(root)}" for path in sources if path.suffix in data} <= installed
    modules = [path.relative_to(root).with_suffix("") for path in sources if path.suffix == ".pyx"]
    assert {".".join(("syswire", *module.parts)) for module in modules} <= set(setup_module.sources())
    for module in modules:
        assert [name for name in installed if name.startswith(f"syswire/{module}.") and name.endswith(".so")], module
    assert "syswire/py.typed" in installed


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["convert", "--help"]])
def test_starting_imports_nothing_heavy(arguments: list[str]) -> None:
    command = [sys.executable, "-X", "importtime", "-m", "syswire", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert "argparse" in loaded
    assert not loaded & {"numpy", "scapy", "dpkt", "weasyprint", "rich", "jinja2", "asyncio"}
