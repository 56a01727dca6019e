"""User code that must not type-check: each marked line, and no other, is an error for mypy --strict."""

from __future__ import annotations

from safecelery import SafeCelerySettings, SafeTask, create_app

app = create_app("shop", SafeCelerySettings(profile="development"))


@app.task(time_limit=30, soft_time_limit=25)
def add(x: int, y: int) -> int:
    return x + y


class Charge(SafeTask[[int], str]):
    name = "shop.charge"

    def run(self, amount: int) -> str:
        return str(amount)


add.delay("1", 2)  # refused: arg-type
add.delay(1)  # refused: call-arg
add.delay(1, 2, z=3)  # refused: call-arg
add.delay(1, 2).get().upper()  # refused: attr-defined
Charge().delay("three")  # refused: arg-type
