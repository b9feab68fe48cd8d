"""Checking a receipt file without any connection: the network file is all it takes."""

from enclave_client.errors import ReceiptInvalidError
from enclave_client.network_file import NetworkFile
from ledger.errors import FormatError
from ledger.format import receipt as form


def verify_receipt_file(data: bytes, network: NetworkFile) -> form.VerifiedReceipt:
    """What a receipt file proves about the pinned network; needs no connection.

    Raises ReceiptInvalidError if it proves nothing.
    """
    try:
        return form.verify_receipt(form.decode_receipt(data), network.rule(), network.network_id)
    except FormatError as error:
        raise ReceiptInvalidError(
            f"the receipt does not hold: {error}",
            "ask for the receipt again, and check that the network file is this network's",
        ) from error
