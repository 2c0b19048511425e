"""The address that providers call. It knows no session and no person: the key in the address says whose account it is.

The key is a secret, and so are the bodies; neither is written to a log here. A proxy in front should not keep them
either. Where the site is open to others, calls come over HTTPS: plain HTTP is redirected there.
"""

from __future__ import annotations

import logging
import traceback

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from contactsync import work
from contactsync.models import ProviderAccount
from contactsync.sync.callbacks import NotGenuine

logger = logging.getLogger(__name__)

LARGEST_BODY = 256 * 1024
METHODS = ("GET", "POST")


@csrf_exempt
@never_cache
def called_back(request: HttpRequest, key: str, reference: str = "") -> HttpResponse:
    """Keep what the provider tells and say so at once; what follows from it is a worker's. A key of nobody is an unknown address."""
    account = ProviderAccount.objects.filter(callback_key=key).first()
    if account is None:
        raise Http404
    if request.method not in METHODS:
        return _refuse(405, Allow=", ".join(METHODS))
    try:
        if len(request.body) > LARGEST_BODY:
            return _refuse(413)
        work.take_callback(
            account,
            method=request.method,
            headers=dict(request.headers),
            query=request.GET.dict(),
            body=request.body,
            reference=reference,
        )
    except RequestDataTooBig:
        return _refuse(413)
    except SuspiciousOperation:
        return _refuse(400)
    except NotGenuine as error:
        logger.warning("A callback for account %s was refused: %s", account.pk, error.message)
        return _refuse(400)
    except Exception as error:
        # Only the kind and the place go to the log: a message could quote the body.
        logger.error(
            "A callback for account %s met %s\n%s",
            account.pk,
            type(error).__name__,
            "".join(traceback.format_tb(error.__traceback__)),
        )
        return _refuse(500)
    return JsonResponse({"status": "ok"})


def _refuse(status: int, **headers: str) -> HttpResponse:
    response = JsonResponse({"status": "refused"}, status=status, headers=headers)
    response._has_been_logged = True  # type: ignore[attr-defined]  # Django would log the address, and the key with it
    return response
