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


add.delay("1", 2)  # E: arg-type
add.delay(1)  # E: call-arg
add.delay(1, 2, z=3)  # E: call-arg
add.delay(1, 2).get().upper()  # E: attr-defined
Charge().delay("three")  # E: arg-type
