"""Runs: the plan, the word, the work, the result."""
