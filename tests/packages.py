"""Packages for tests, as pip lays them out."""

import importlib
import sys
from pathlib import Path


def lay_out(folder: Path, package: str, entry_points: str, module: str = "") -> None:
    """Install a package of one module into a folder that is on the path."""
    info = folder / f"{package}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    (info / "RECORD").write_text(f"{package}.py,,\n")
    (info / "entry_points.txt").write_text(entry_points)
    (folder / f"{package}.py").write_text(module)
    importlib.invalidate_caches()
    sys.modules.pop(package, None)
