from django.http import JsonResponse
from django.views.decorators.http import require_POST

from shop.services import place_order


@require_POST
def buy(request):
    """``POST /buy/``."""
    order = place_order(request.POST["title"], int(request.POST["cents"]), request.POST["card"])
    return JsonResponse({"order": order.id})
