"""Keeps gRPC's core from writing on standard error, where only our structured lines belong.

It would write a line for each scan of the port; what it knows reaches us as errors and statuses.
The core reads the setting once, when it is imported, so this must be imported first: the only
module here that does something at import.
"""

import os

os.environ.setdefault("GRPC_VERBOSITY", "NONE")
