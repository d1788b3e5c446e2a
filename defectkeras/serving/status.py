"""What went wrong with a request, in the words of gRPC and of HTTP."""

import json

import grpc

from defectkeras.core.errors import ServingError

Code = grpc.StatusCode

HTTP_STATUS = {
    Code.CANCELLED: 499,
    Code.INVALID_ARGUMENT: 400,
    Code.FAILED_PRECONDITION: 400,
    Code.OUT_OF_RANGE: 400,
    Code.UNAUTHENTICATED: 401,
    Code.PERMISSION_DENIED: 403,
    Code.NOT_FOUND: 404,
    Code.ALREADY_EXISTS: 409,
    Code.ABORTED: 409,
    Code.RESOURCE_EXHAUSTED: 429,
    Code.UNIMPLEMENTED: 501,
    Code.UNAVAILABLE: 503,
    Code.DEADLINE_EXCEEDED: 504,
}
"""As TensorFlow Serving maps them; every other code is 500."""

_BY_NUMBER = {code.value[0]: code for code in Code}


class StatusError(ServingError):
    """A request that cannot be answered.

    Args:
        code: The gRPC status.
        message: What the client is told.
    """

    def __init__(self, code: grpc.StatusCode, message: str) -> None:
        super().__init__(message)
        self.code = code

    @property
    def http_status(self) -> int:
        """The status of the HTTP reply."""
        return HTTP_STATUS.get(self.code, 500)


def code_of(number: int) -> grpc.StatusCode:
    """Give the status with a number, such as that of a TensorFlow error."""
    return _BY_NUMBER.get(number, Code.UNKNOWN)


def error_body(message: str) -> str:
    """Give the body of an HTTP reply, as TensorFlow Serving writes it.

    Example:
        >>> error_body("no")
        '{ "error": "no" }'
    """
    return f'{{ "error": {json.dumps(message)} }}'
