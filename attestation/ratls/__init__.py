"""RA-TLS: certificates that carry evidence for their own key, read and made."""
