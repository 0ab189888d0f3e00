"""What a wheel holds, and that every way to import the package finds one and the same package."""

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

import df2net_hub

ROOT = Path(__file__).resolve().parent.parent
SITE_PACKAGES = sysconfig.get_path("purelib")


def run_python(code: str, cwd: Path, *python_path: Path) -> subprocess.CompletedProcess[str]:
    """Run `code` in `cwd`, without .pth files: an editable install does not count."""
    path = os.pathsep.join([*map(str, python_path), SITE_PACKAGES])
    return subprocess.run(
        [sys.executable, "-S", "-c", code],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of a copy of the sources, as `pip install .` builds it."""
    source = tmp_path_factory.mktemp("source") / "df2net_hub"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    for name in ("df2net_hub", "modeling", "pipelines"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", str(source)],
        check=True,
        capture_output=True,
    )
    (path,) = (source / "dist").glob("*.whl")
    return path


@pytest.fixture(scope="module")
def unpacked(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unpacked")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def test_the_wheel_holds_every_source_file_and_nothing_beside_the_package(unpacked: Path) -> None:
    packed = {
        path.relative_to(unpacked).as_posix()
        for path in unpacked.rglob("*")
        if path.is_file() and ".dist-info" not in path.as_posix()
    }
    sources = {path for path in (ROOT / "df2net_hub").rglob("*") if path.is_file()}
    sources -= {path for path in sources if "__pycache__" in path.parts}
    expected = {path.relative_to(ROOT).as_posix() for path in sources}
    for folder in ("modeling", "pipelines"):
        expected |= {f"df2net_hub/{folder}/{path.name}" for path in (ROOT / folder).glob("*.py")}
    assert packed == expected
    assert "df2net_hub/py.typed" in packed


def test_the_version_is_written_in_one_place(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith("METADATA"))
        metadata = Parser().parsestr(archive.read(name).decode())
    assert metadata["Version"] == df2net_hub.__version__
    assert metadata["License-Expression"] == "Apache-2.0"


IMPORT_EVERYTHING = """
import df2net_hub, df2net_hub.modeling.cascade as cascade, df2net_hub.pipelines.df2net as pipeline
assert pipeline.DF2Net is cascade.DF2Net
print(df2net_hub.__file__, cascade.__file__, sep="|")
"""


def test_the_checkout_imports_from_its_root_without_an_install() -> None:
    run = run_python(IMPORT_EVERYTHING, ROOT)
    assert run.returncode == 0, run.stderr
    package, cascade = map(Path, run.stdout.strip().split("|"))
    assert package == ROOT / "df2net_hub" / "__init__.py"
    assert cascade == ROOT / "modeling" / "cascade.py"


def test_an_installed_copy_imports_from_anywhere(unpacked: Path, tmp_path: Path) -> None:
    run = run_python(IMPORT_EVERYTHING, tmp_path, unpacked)
    assert run.returncode == 0, run.stderr
    package, cascade = map(Path, run.stdout.strip().split("|"))
    assert package == unpacked / "df2net_hub" / "__init__.py"
    assert cascade == unpacked / "df2net_hub" / "modeling" / "cascade.py"


def test_an_installed_copy_does_not_mix_with_the_checkout_in_its_root(unpacked: Path) -> None:
    run = run_python(IMPORT_EVERYTHING, ROOT, unpacked)
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() == f"{ROOT}/df2net_hub/__init__.py|{ROOT}/modeling/cascade.py"


@pytest.mark.parametrize("folder", ["modeling", "pipelines"])
def test_a_folder_imported_by_its_bare_name_is_an_error_that_names_the_package(folder: str) -> None:
    run = run_python(f"import {folder}", ROOT)
    assert run.returncode == 1
    assert f"ImportError: import df2net_hub.{folder}" in run.stderr


def test_importing_the_package_loads_no_heavy_library() -> None:
    heavy = ("accelerate", "datasets", "gradio", "timm", "numba", "torchvision", "matplotlib")
    code = f"import df2net_hub, sys; print([m for m in {heavy} if m in sys.modules])"
    run = run_python(code, ROOT)
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() == "[]"
