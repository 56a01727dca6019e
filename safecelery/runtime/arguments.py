"""Arguments against annotations, with Pydantic: before publishing, and again before execution."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, get_type_hints

from pydantic import BaseModel, ConfigDict, PydanticUserError, ValidationError, validate_call

from safecelery.errors import ArgumentsRejected, SettingsError

__all__ = ["ArgumentChecker", "plain"]

_CONFIG = ConfigDict(arbitrary_types_allowed=True, hide_input_in_errors=True)


class ArgumentChecker:
    """Checks the arguments of one task."""

    def __init__(self, task: str, function: Callable[..., Any], *, skip_first: bool) -> None:
        """Args:
        task: name for error messages.
        function: the callable that the task runs.
        skip_first: the first parameter is the task itself (``bind=True``).

        Raises:
            SettingsError: the annotations cannot be resolved or checked.
        """
        self.task = task
        signature = inspect.signature(function)
        parameters = list(signature.parameters.values())[1 if skip_first else 0 :]
        self._positional = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        try:
            hints = get_type_hints(inspect.unwrap(function), include_extras=True)
        except (NameError, TypeError) as error:
            raise SettingsError(
                f"task {task!r}: its annotations cannot be resolved ({error}); import the names at module level, "
                "not under `if TYPE_CHECKING`"
            ) from None

        def capture(*args: Any, **kwargs: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
            return args, kwargs

        capture.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
            [p.replace(annotation=hints.get(p.name, Any)) for p in parameters]
        )
        capture.__annotations__ = {p.name: hints.get(p.name, Any) for p in parameters}
        try:
            self._check = validate_call(config=_CONFIG)(capture)
        except PydanticUserError as error:
            raise SettingsError(f"task {task!r}: its annotations cannot be checked: {error.message}") from None

    def __call__(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments as the annotations want them: a dict becomes the annotated model, for instance.

        Raises:
            ArgumentsRejected: they do not fit. Names the parameters, never their values.
        """
        try:
            return self._check(*args, **kwargs)
        except ValidationError as error:
            lines = [
                f"  {self._name(item['loc'])}: {item['msg']}"
                for item in error.errors(include_url=False, include_context=False, include_input=False)
            ]
            raise ArgumentsRejected(f"arguments of task {self.task!r} do not fit:\n" + "\n".join(lines)) from None

    def _name(self, loc: tuple[int | str, ...]) -> str:
        """``items.0.price``; Pydantic numbers positional arguments, people name them."""
        first, *rest = loc
        if isinstance(first, int) and first < len(self._positional):
            first = self._positional[first]
        return ".".join(map(str, (first, *rest)))


def plain(value: Any) -> Any:
    """Pydantic models, however deep in lists and dicts, as JSON-ready data; everything else as it is."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if type(value) in (list, tuple):
        return [plain(item) for item in value]
    if type(value) is dict:
        return {name: plain(item) for name, item in value.items()}
    return value
