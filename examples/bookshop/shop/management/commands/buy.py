from django.core.management.base import BaseCommand

from shop.services import place_order


class Command(BaseCommand):
    """``manage.py buy TITLE``: what the view does."""

    def add_arguments(self, parser):
        """See Django."""
        parser.add_argument("title")
        parser.add_argument("--card", default="4111-1111")

    def handle(self, *args, **options):
        """See Django."""
        order = place_order(options["title"], 1500, options["card"])
        self.stdout.write(f"order {order.id}")
