"""The node process: adapters, configuration and the place that builds things."""
