import time

from django.core.management.base import BaseCommand, CommandError

from shop.models import Order


class Command(BaseCommand):
    """``manage.py orders``: a list of all orders; with ``--until`` as soon as the last one has that status."""

    def add_arguments(self, parser):
        """See Django."""
        parser.add_argument("--until")
        parser.add_argument("--timeout", type=float, default=60.0)

    def handle(self, *args, **options):
        """See Django."""
        deadline = time.monotonic() + options["timeout"]
        while (wanted := options["until"]) and Order.objects.latest("id").status != wanted:
            if time.monotonic() > deadline:
                raise CommandError(f"the last order is {Order.objects.latest('id').status}, not {wanted}")
            time.sleep(0.1)
        for order in Order.objects.order_by("id"):
            self.stdout.write(f"{order.id} {order.title}: {order.status}")
