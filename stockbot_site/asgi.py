"""The one way in: HTTP to Django behind a look at the Content-Type, sockets to the consumers behind the log-in."""

import os

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "stockbot_site.settings")
_http = get_asgi_application()  # sets Django up: the modules below need its models

from accounts.sockets import SocketLogin  # noqa: E402
from runs_app.routing import websocket_urlpatterns  # noqa: E402
from stockbot_site.content_type import ReadableBodies  # noqa: E402

application = ProtocolTypeRouter({
    "http": ReadableBodies(_http), "websocket": SocketLogin(URLRouter(websocket_urlpatterns)),
})  # fmt: skip
