"""The one way in which an embedded broker fails; apart, so that the brokers need not know who chooses between them."""


class BrokerFault(Exception):  # noqa: N818 a fault of the surroundings, said in a sentence
    """Why the embedded broker does not run, in a sentence with its remedy."""
