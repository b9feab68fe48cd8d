"""The version of the distribution: the one place it is written.

Rules: semantic versioning, of the program and its libraries. The versions of formats on the wire
and in the log are their own and are not derived from this.
"""

from typing import Final

VERSION: Final = "0.1.0"
