"""Instructions for compiled loops, written in the compiler's own language where Numba has no word for them."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from numba import types
from numba.extending import intrinsic


def instruction(result: Any, *arguments: Any) -> Callable[[Callable[..., Any]], Any]:
    """Make an instruction of these types from what writes it: body(builder, *values)."""

    def decorate(body: Callable[..., Any]) -> Any:
        @wraps(body)
        def typed(context: Any, *given: Any) -> Any:
            def write(target: Any, builder: Any, signature: Any, values: Any) -> Any:
                value = body(builder, *values)
                return target.get_dummy_value() if value is None else value

            return result(*arguments), write

        return intrinsic(typed)

    return decorate


@instruction(types.void)
def wide(builder: Any) -> None:
    """Vectors as long as the processor has, in the function that says so.

    The compiler takes shorter ones of itself where long ones once slowed processors down; in loops of arithmetic alone
    they are half as quick again.
    """
    # the set knows the words of this library's own age alone; the compiler reads any
    set.add(builder.function.attributes, '"prefer-vector-width"="512"')
