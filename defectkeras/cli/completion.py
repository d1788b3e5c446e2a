"""`defectkeras completion`: the script that makes a shell complete names."""

import click
from click.shell_completion import get_completion_class

SHELLS = ("bash", "fish", "zsh")
EXAMPLES = """\b
Switch it on:
  defectkeras completion bash >> ~/.bashrc
  defectkeras completion zsh >> ~/.zshrc
  defectkeras completion fish > ~/.config/fish/completions/defectkeras.fish
"""


@click.command(epilog=EXAMPLES)
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print a script that completes commands and models at Tab."""
    completer = get_completion_class(shell)
    if completer is None:
        raise click.ClickException(f"Click has no completion for {shell}.")
    root = ctx.find_root().command
    click.echo(completer(root, {}, "defectkeras", "_DEFECTKERAS_COMPLETE").source())
