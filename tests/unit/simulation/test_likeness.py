"""The simulated world looks like a real one and names nobody in it."""

from __future__ import annotations

import ipaddress
from collections import Counter

from immersiverse.auth.events.events import payload_of
from immersiverse.auth.events.simulation import Tally, simulate

DOCUMENTATION = [
    ipaddress.ip_network(network)
    for network in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
]


def test_addresses_are_those_that_belong_to_nobody(world):
    addresses = {getattr(payload_of(event), "ip_address", "") for event in world} - {""}
    assert len(addresses) > 100
    for address in map(ipaddress.ip_address, addresses):
        assert any(address in network for network in DOCUMENTATION)
        assert str(address) in addresses  # written in the one form of RFC 5952


def test_mails_go_to_example_com(world):
    emails = {getattr(payload_of(event), "email", "") for event in world} - {""}
    assert emails
    assert all(email.endswith("@example.com") for email in emails)


def test_most_logins_succeed_and_failures_have_many_reasons(world):
    tally = Tally()
    for event in world:
        tally.count(event)
    assert 0.7 < tally.success_rate < 0.97
    assert len(tally.failures) >= 8


def test_people_sleep():
    hours = Counter(
        (event.timestamp.seconds // 3_600 + 9) % 24
        for event in simulate(5, 20_000)
        if event.HasField("login_succeeded") and event.login_succeeded.ip_address.startswith("192.0.2.")
    )
    night, evening = sum(hours[hour] for hour in (2, 3, 4)), sum(hours[hour] for hour in (19, 20, 21))
    assert evening > 5 * night
