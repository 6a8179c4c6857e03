"""What a view tells the document about itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from voice_transcriber.errors import TranscriberError

if TYPE_CHECKING:
    from voice_transcriber.web.schemas import Request
    from voice_transcriber.web.shapes import Shape

View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True, kw_only=True)
class PathParameter:
    """A variable part of the address."""

    description: str
    example: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Content:
    """A body that is not the JSON of a model."""

    description: str
    types: tuple[str, ...]
    headers: Mapping[str, str] = field(default_factory=dict)  # name and what it tells


@dataclass(frozen=True, kw_only=True)
class Reply:
    """The JSON of a model, or no body, with headers that are worth telling."""

    description: str = ""  # empty: that of the first shape
    shapes: tuple[type[Shape], ...] = ()  # any of them
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Example:
    """A request that is sent as it stands: the first of a view is shown, a test sends them all."""

    status: int
    path: Mapping[str, str] = field(default_factory=dict)  # beside the parameters' own examples
    query: Mapping[str, Any] = field(default_factory=dict)
    fields: Mapping[str, Any] = field(default_factory=dict)  # of the form, or of the JSON body
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""  # where it is not made of fields


Answer = Content | Reply


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One view. The errors that any request may meet are not named in `errors`."""

    summary: str
    answers: Mapping[int, Answer]
    errors: tuple[type[TranscriberError], ...]
    path: Mapping[str, PathParameter]
    query: type[Request] | None
    form: type[Request] | None
    json: type[Request] | None
    takes_file: bool
    body: str
    headers: Mapping[str, str]
    examples: tuple[Example, ...]


_OPERATIONS: dict[Callable[..., Any], Operation] = {}


def documented(
    summary: str,
    *,
    answers: Mapping[int, Answer | type[Shape]],
    errors: tuple[type[TranscriberError], ...] = (),
    path: Mapping[str, PathParameter] | None = None,
    query: type[Request] | None = None,
    form: type[Request] | None = None,
    json: type[Request] | None = None,
    takes_file: bool = False,
    body: str = "",
    headers: Mapping[str, str] | None = None,
    examples: tuple[Example, ...] = (),
) -> Callable[[View], View]:
    """Declare the view below; stands between its route and its `def`.

    An answer is a model, or a Content or Reply that tells more. Without `examples`, the one
    example is the request that answers with the first status. `body` is the type of a body that
    is no model's. The view's docstring, where it has one, is the description that readers of the
    API see.
    """
    operation = Operation(
        summary=summary,
        answers={status: _answer(given) for status, given in answers.items()},
        errors=errors,
        path=path or {},
        query=query,
        form=form,
        json=json,
        takes_file=takes_file,
        body=body,
        headers=headers or {},
        examples=examples or (Example(status=next(iter(answers))),),
    )

    def declare(view: View) -> View:
        _OPERATIONS[view] = operation
        return view

    return declare


def operation_of(view: Callable[..., Any]) -> Operation | None:
    return _OPERATIONS.get(view)


def _answer(given: Answer | type[Shape]) -> Answer:
    if isinstance(given, Content | Reply):
        return given
    return Reply(shapes=(given,))
