"""Numbers of things in messages."""


def counted(count: int, noun: str) -> str:
    """Give a number and its noun.

    Args:
        count: 0 or more.
        noun: Of one thing; its plural ends with an s.

    Example:
        >>> counted(1, "micrograph"), counted(0, "object")
        ('1 micrograph', '0 objects')
    """
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
