"""``pairwright browse``: the lake as pages on this machine."""

from __future__ import annotations

import contextlib

import click

from flows.commands.common import root_option


@click.command()
@click.option("--port", type=click.IntRange(min=0, max=65535), default=8765, show_default=True, help="0: a free one.")
@root_option
def browse(port: int, root: str) -> None:
    """Read the lake in a browser: versions, pairs by filter, lineage.

    Only this machine can open it, and it changes nothing. Ctrl-C ends it.
    """
    from flows.browse import serve
    from schemas.errors import UsageError

    try:
        server = serve(root, port=port)
    except OSError as error:
        raise UsageError(f"port {port} cannot be opened: {error.strerror}; choose another with --port") from error
    click.echo(f"http://127.0.0.1:{server.server_port}/   (Ctrl-C ends it)")
    with contextlib.suppress(KeyboardInterrupt), server:
        server.serve_forever()
