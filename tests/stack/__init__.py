"""Real servers for the tests, without containers: Apache Kafka and Apicurio Registry from Maven Central.

`kafka_cluster()` and `apicurio()` are context managers for fixtures; `scripts/stack` is their command line.
`guarded_kafka()` is a Kafka that asks for credentials and rights.
"""
