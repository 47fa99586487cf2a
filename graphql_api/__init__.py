"""Entry point 1: HTTP, WebSocket, SSE and the REST shim for monitoring tools."""
