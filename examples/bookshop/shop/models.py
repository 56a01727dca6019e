from django.db import models


class Order(models.Model):
    """Somebody bought a book."""

    title = models.CharField(max_length=200)
    cents = models.PositiveIntegerField()
    card = models.CharField(max_length=20)
    status = models.CharField(max_length=20, default="new")
    receipts = models.PositiveIntegerField(default=0)
