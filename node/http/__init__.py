"""The node's HTTP side: the public log, public facts, metrics and health."""
