"""Files to download, and small lists in and out."""
