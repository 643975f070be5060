"""Addresses of sockets."""

from django.urls import path, re_path

from runs_app import consumers

websocket_urlpatterns = [
    path("api/stockbot/runs/<uuid:run_id>/ws", consumers.RunConsumer.as_asgi(), name="run-ws"),
    re_path(r"", consumers.Nowhere.as_asgi(), name="nowhere"),
]
