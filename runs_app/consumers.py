"""Sockets of runs."""

from channels.generic.websocket import AsyncWebsocketConsumer


class Nowhere(AsyncWebsocketConsumer):
    """An address where nothing is: accepted and closed like a run that does not exist."""

    async def connect(self) -> None:
        await self.accept()
        await self.close(code=4404)


class RunConsumer(Nowhere):
    """Being written."""
