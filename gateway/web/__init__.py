"""What people and programs see: pages, HTTP API, Socket.IO, and the control socket."""

import gateway.runtime  # noqa: F401  before any module here imports eventlet, whose warning it answers
