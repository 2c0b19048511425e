"""Phonebooks and their custom options."""
