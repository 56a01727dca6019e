from celery import shared_task
from django.db.models import F

from shop.models import Order


@shared_task(autoretry_for=(Exception,), max_retries=None)
def charge(order_id, card):
    """Take the money, then send the receipt."""
    if Order.objects.filter(id=order_id, status="new").update(status="paid"):
        send_receipt.delay(order_id)
    return f"charged order {order_id}"


@shared_task(autoretry_for=(Exception,), retry_backoff=False)
def send_receipt(order_id):
    """Send a mail."""
    Order.objects.filter(id=order_id).update(receipts=F("receipts") + 1)


@shared_task
def refund(order_id):
    """Give the money back."""
    Order.objects.filter(id=order_id).update(status="refunded")


@shared_task
def poll_carrier():
    """Ask the carrier which parcels are on their way."""
    Order.objects.filter(status="paid").update(status="shipped")
