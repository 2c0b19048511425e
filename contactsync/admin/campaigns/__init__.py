"""Campaigns: write, prepare, send, report."""
