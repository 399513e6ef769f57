"""JSON: events in the form of the specification, their fields by the Protobuf JSON mapping."""
