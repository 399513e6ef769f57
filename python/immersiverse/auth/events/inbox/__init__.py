"""The inbox: keeps duplicate and stale events from a handler. The package itself exports its public names."""
