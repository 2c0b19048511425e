"""Imports: upload, columns, check, result, undo."""
