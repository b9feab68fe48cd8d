"""Generated protobuf messages, version 1."""
