"""``pairwright embed``: vectors of texts, for filters that compare what is meant."""

from __future__ import annotations

from pathlib import Path

import click

from flows.commands.common import json_option, print_json, root_option


@click.command()
@click.argument("source", metavar="FILE|DATASET")
@click.option("--model", required=True, metavar="SPEC", help="openai:URL:MODEL, an endpoint with /embeddings.")
@click.option("--to", "folder", required=True, type=click.Path(path_type=Path), metavar="DIR", help="Of the vectors.")
@click.option("--of", "side", type=click.Choice(["prompt", "chosen", "rejected"]), default="prompt", show_default=True,
              help="Of a dataset: which texts. A file has prompts.")  # fmt: skip
@root_option
@json_option
def embed(source: str, model: str, folder: Path, side: str, root: str, as_json: bool) -> None:
    """Have the texts of FILE or DATASET turned into vectors by an endpoint.

    Name the folder in a recipe: `--set semantic_duplicates.vectors=DIR`. Asked again, only what is missing is bought.
    """
    import polars as pl

    from schemas.messages import text_of
    from storage.store import Store
    from tasks.embed import embed as buy
    from tasks.load import file_prompts
    from tasks.read import CHUNK

    path = Path(source)
    if path.is_file():
        frames = (frame.select("messages") for frame in file_prompts(path, {}, None).shards(CHUNK))
        messages = pl.concat(frames)["messages"]
    else:
        messages = Store.open(root, create=False).read("preferences", version=source).select(side).collect()[side]
    texts = pl.Series(["\n\n".join(text_of([turn]) for turn in said) for said in messages], dtype=pl.String)
    found = buy(texts, model, folder)
    if as_json:
        print_json(found)
    else:
        click.echo(f"{folder}: {found['texts']:,} texts, {found['held']:,} held, {found['bought']:,} bought")
