"""Chaos: a publisher and subscribers at work on three real brokers, while any of them is killed at random.

`chaos.run` conducts it, `chaos.verdict` judges it, `test_chaos.py` is its short form; ``scripts/test
--chaos`` runs it for as long as you like.
"""
