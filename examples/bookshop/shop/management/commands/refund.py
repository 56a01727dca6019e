from django.core.management.base import BaseCommand

from shop.tasks import refund


class Command(BaseCommand):
    """``manage.py refund ORDER``: what the night shift runs by hand."""

    def add_arguments(self, parser):
        """See Django."""
        parser.add_argument("order", type=int)

    def handle(self, *args, **options):
        """See Django."""
        refund.delay(options["order"])
        self.stdout.write("refund sent")
