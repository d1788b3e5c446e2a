"""Who may ask: the token, over HTTP and gRPC, and pages of this machine alone.

A program shows the token as "Authorization: Bearer TOKEN"; a browser asks its user and
shows it as the password of HTTP's Basic scheme.
"""

import base64
import binascii
import hmac
import ipaddress
import re
from collections.abc import Callable
from typing import Any

import grpc
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from defectkeras.serving.status import Code, error_body

_FOREIGN_HOST = (
    "Without a token or TLS this server answers only under an address or as localhost; "
    "start it with --token-file to use another name"
)
_REFUSAL = (
    "A valid token is needed: Authorization: Bearer TOKEN, which defectkeras itself "
    "takes from the variable DEFECTKERAS_TOKEN"
)


def is_allowed(authorization: str, token: str) -> bool:
    """Tell whether a header "Authorization" shows the token.

    Example:
        >>> is_allowed("Bearer s3cret", "s3cret"), is_allowed("Bearer no", "s3cret")
        (True, False)
    """
    scheme, _, shown = authorization.partition(" ")
    if scheme.lower() == "basic":
        try:
            shown = base64.b64decode(shown, validate=True).decode().partition(":")[2]
        except (binascii.Error, ValueError):
            return False
    elif scheme.lower() != "bearer":
        return False
    return hmac.compare_digest(shown.encode(), token.encode())


def names_this_machine(host: str) -> bool:
    """Tell whether a header "Host" names an address or localhost.

    A page from elsewhere can let its own name lead here (DNS rebinding); a browser then
    takes this server for the page's own, but still says that name.

    Example:
        >>> [names_this_machine(h) for h in ("127.0.0.1:8501", "[::1]", "localhost")]
        [True, True, True]
        >>> names_this_machine("elsewhere.example:8501")
        False
    """
    bare = re.sub(r":\d*$", "", host) if not host.endswith("]") else host
    try:
        ipaddress.ip_address(bare.strip("[]"))
    except ValueError:
        return bare.lower() == "localhost"
    return True


class HostMiddleware:
    """Lets HTTP requests through whose "Host", where they have one, is this machine."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 403, or hand on."""
        host = dict(scope.get("headers", ())).get(b"host", b"localhost")
        if scope["type"] == "http" and not names_this_machine(host.decode("latin-1")):
            refusal = Response(
                error_body(_FOREIGN_HOST), 403, media_type="application/json"
            )
            await refusal(scope, receive, send)
            return
        await self._app(scope, receive, send)


class TokenMiddleware:
    """Lets HTTP requests through that show the token."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 401, or hand on."""
        headers = dict(scope.get("headers", ()))
        shown = headers.get(b"authorization", b"").decode("latin-1")
        if scope["type"] == "http" and not is_allowed(shown, self._token):
            refusal = Response(
                error_body(_REFUSAL),
                401,
                {"WWW-Authenticate": 'Basic realm="defectkeras", charset="UTF-8"'},
                "application/json",
            )
            await refusal(scope, receive, send)
            return
        await self._app(scope, receive, send)


class TokenInterceptor(grpc.ServerInterceptor):
    """Lets gRPC calls through that show the token."""

    def __init__(self, token: str) -> None:
        self._token = token

    def intercept_service(
        self, continuation: Callable[[Any], Any], details: grpc.HandlerCallDetails
    ) -> Any:
        """Answer UNAUTHENTICATED, or hand on."""
        shown = dict(details.invocation_metadata).get("authorization", "")
        if is_allowed(str(shown), self._token):
            return continuation(details)

        def refuse(_: Any, context: grpc.ServicerContext) -> None:
            context.abort(Code.UNAUTHENTICATED, _REFUSAL)

        return grpc.unary_unary_rpc_method_handler(refuse)
