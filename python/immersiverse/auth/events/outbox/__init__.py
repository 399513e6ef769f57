"""The transactional outbox: events that exist if and only if the caller's transaction committed.

`writing` adds events in the caller's transaction, `relay` sends them to Kafka. They share `tables` only.
"""
