"""replay: see replay_main.py, which needs no database."""

import typer

import replay_main

app = typer.Typer()
app.command(
    name="replay",
    help="Replay one workflow with the code of today. 0: they agree; 1: they differ; 2: nothing to replay.",
)(replay_main.main)
