"""The append-only RFC 6962 log in C2SP forms."""
