"""What happened to a phone number: from every part of the application, in one list."""
