"""The start page: first steps, decisions, and how everything stands."""
