"""What every route shares: the bearer token it asks for, and why nothing came of what was asked, as a problem.

No route is here, and nothing is decided about a command.
"""

from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from gateway.commands.command import A, Command, NotDurable, NotPossible
from gateway.desk.bodies import TOKEN_NEEDED, bears
from gateway.desk.problems import ProblemDetails, ProblemError
from gateway.inbox import Inbox, Unanswered

PROBLEMS: Final[dict[int | str, dict[str, Any]]] = {
    status: {"model": ProblemDetails, "description": HTTPStatus(status).phrase} for status in (401, 404, 409, 422, 503)
}
ANSWERED_WITHIN_S: Final = 5.0
"""So long a request waits until what it asked for is durable."""
_BEARER: Final = HTTPBearer(auto_error=False, description="The token of control.token, beside the journal.")


def permitted_by(token: str) -> Callable[[HTTPAuthorizationCredentials | None], None]:
    """A dependency that lets only those pass who bear the token."""

    def authorised(given: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]) -> None:
        if given is None or not bears(given.credentials, token):
            raise ProblemError(HTTPStatus.UNAUTHORIZED, TOKEN_NEEDED, {"WWW-Authenticate": "Bearer"})

    return authorised


def await_answer(inbox: Inbox, wish: Command[A], within_s: float = ANSWERED_WITHIN_S) -> A | NotDurable | Unanswered:
    """What became of a wish once it is durable; ``Unanswered`` where that is not known."""
    answer = inbox.post(wish)
    return answer if isinstance(answer, Unanswered) else answer.wait(within_s)


def problem_of(verdict: object) -> ProblemError:
    """Why nothing came of what was asked."""
    match verdict:
        case NotPossible(reason):
            return ProblemError(HTTPStatus.CONFLICT, reason)
        case NotDurable(reason):
            return ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, reason)
        case Unanswered.FULL:
            detail = "the gateway is busy and took nothing; try again"
            return ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, detail, {"Retry-After": "1"})
        case _:
            detail = "not durable yet; it may still take effect, look before you ask again"
            return ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, detail, {"Retry-After": "5"})
