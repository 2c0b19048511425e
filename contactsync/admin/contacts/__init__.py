"""Contacts: the list, the form, and what can be done with chosen ones."""
