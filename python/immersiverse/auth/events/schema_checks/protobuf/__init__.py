"""Every change between two versions of a Protobuf schema, by a registry's rules and by stricter ones."""
