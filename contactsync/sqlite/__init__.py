"""Django's own database backend for SQLite, with room for everybody who writes."""
