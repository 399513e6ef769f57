"""What operators do to a running cluster. Plans are pure, and applying them is apart.

Whatever is given a `Cluster` raises `OperationRefused` if a broker refuses (a topic or group does not exist,
rights are missing, a group has members) and `BrokerUnavailable` if none responds.
"""
