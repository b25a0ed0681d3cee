"""Errors of Python's zip archives."""

from __future__ import annotations

import zipfile
import zlib

ARCHIVE_ERRORS = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)
"""Errors of zipfile and zlib for archives that are cut off, damaged, encrypted or packed by another method."""
