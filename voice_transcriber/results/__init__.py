"""Results that were computed once and serve again."""
