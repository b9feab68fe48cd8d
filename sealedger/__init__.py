"""Generated protobuf messages and the version: the bottom of the house."""
