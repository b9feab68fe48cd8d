"""The example bytes in docs/spec/attestation.md are what the code makes."""

from tests.support.attestation_vectors import examples, examples_of_page


def test_the_page_shows_what_the_code_makes() -> None:
    """Every example is on the page, with the bytes that are built today, and no other."""
    assert examples_of_page() == examples()
