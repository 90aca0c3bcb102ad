"""The documented calls over HTTP: one table of routes, and their handlers by subject."""
