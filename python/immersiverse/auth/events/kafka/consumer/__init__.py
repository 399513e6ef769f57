"""Consume events: at least once, each user's events in order.

A record's way: `poller` fetches it and `decoding` reads it, `scheduler` decides when it is handled,
`keyed_queues` keeps the order of its key, `invocation` calls its handler, `failures` retries or dead-letters
it, `offsets` commits it.
"""
