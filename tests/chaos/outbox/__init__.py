"""Chaos for the outbox: writers, relays and a subscriber at work while PostgreSQL, Kafka and they are killed.

`chaos.outbox.run` conducts it, `chaos.outbox.verdict` judges it, `test_outbox_chaos.py` is its short form;
``scripts/test --chaos --outbox`` runs it for as long as you like.
"""
