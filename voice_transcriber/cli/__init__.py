"""The command line: what app_main.py was asked to do, and the commands that need no web server."""
