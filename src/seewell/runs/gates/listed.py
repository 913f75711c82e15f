"""Long lists of names, written as text."""

__all__ = ["listed"]


def listed(text: str) -> frozenset[str]:
    """The words of a text.

    Example:
        >>> sorted(listed("Relu Elu"))
        ['Elu', 'Relu']
    """
    return frozenset(text.split())
