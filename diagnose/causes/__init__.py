"""Root causes."""
