"""Calls: the ledger, what is not known, and what a person decides about it."""
