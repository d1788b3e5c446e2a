"""`defectkeras completion`: the script that makes a shell complete names."""

import click
from click.shell_completion import get_completion_class

SHELLS = ("bash", "fish", "zsh")


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    r"""Print the script that completes commands, options and model names.

    \b
    bash:  defectkeras completion bash >> ~/.bashrc
    zsh:   defectkeras completion zsh >> ~/.zshrc
    fish:  defectkeras completion fish > ~/.config/fish/completions/defectkeras.fish
    """
    completer = get_completion_class(shell)
    if completer is None:
        raise click.ClickException(f"Click has no completion for {shell}.")
    root = ctx.find_root().command
    click.echo(completer(root, {}, "defectkeras", "_DEFECTKERAS_COMPLETE").source())
