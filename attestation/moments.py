"""Times in the words of refusals. Not beside the errors: pure rules import those, no calendar."""

from datetime import UTC, datetime


def moment(seconds: int) -> str:
    """A Unix time as people read it: UTC, to the second; out of the calendar the number alone."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, ValueError, OSError):
        return f"Unix time {seconds}"
