"""Provider accounts: keys, call backs, and what each provider can do."""
