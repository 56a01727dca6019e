from django.db import transaction

from shop.models import Order
from shop.tasks import charge


@transaction.atomic
def place_order(title, cents, card):
    """What the view and the command do."""
    order = Order.objects.create(title=title, cents=cents, card=card)
    charge.delay(order.id, card)
    return order
