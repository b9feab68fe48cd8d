"""The example bytes in docs/spec/key-service.md are what the code makes."""

from tests.support.kms_examples import build_examples, examples_of_page


def test_the_page_shows_what_the_code_makes() -> None:
    """Each example of the page is built again, and none is missing there."""
    assert examples_of_page() == build_examples()
