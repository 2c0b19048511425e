"""Sentences for people, marked where they are written and translated by the application."""

from __future__ import annotations


def gettext_noop(message: str) -> str:
    """Mark a constant sentence for translation and return it unchanged."""
    return message
