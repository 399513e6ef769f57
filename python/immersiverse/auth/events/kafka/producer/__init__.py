"""One producer engine, and the publishers on top of it: each message's outcome is known, none is lost."""
