"""The web layer: thin over services; the only place besides app.py that knows Flask."""
