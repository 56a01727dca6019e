"""What the tasks take: checked where a call is made, and once more in the worker."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Cents = Annotated[int, Field(ge=0, le=10_000_000)]
OrderId = Annotated[str, Field(pattern=r"^[A-Z]+-[0-9]+$", max_length=32)]


class Line(BaseModel):
    """So many of one article, at a price."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    article: str = Field(min_length=1, max_length=64)
    count: int = Field(gt=0, le=1000)
    price: Cents
    """Of one piece."""


class Order(BaseModel):
    """What a customer ordered."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: OrderId
    customer: str = Field(min_length=1, max_length=64)
    lines: tuple[Line, ...] = Field(min_length=1, max_length=100)

    @property
    def total(self) -> int:
        """In cents."""
        return sum(line.count * line.price for line in self.lines)
