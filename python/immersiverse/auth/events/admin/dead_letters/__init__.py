"""Read the dead letter topic, and send dead letters back to the topics that they came from."""
