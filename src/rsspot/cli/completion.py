"""The `completion` command: prints the script that a shell sources. What it completes is decided by `completing`."""

from __future__ import annotations

from typing import Any

import typer

from rsspot.errors import UsageError
from rsspot.utils.text import did_you_mean

BASH = r"""# Shell completion for rsspot: source <(rsspot completion bash)
_rsspot() {
    local current=${COMP_WORDS[COMP_CWORD]} kind= line
    [[ $current == "=" ]] && current=
    COMPREPLY=()
    while IFS= read -r line; do
        if [[ -z $kind ]]; then
            kind=$line
        elif [[ -n $line ]]; then
            COMPREPLY+=("${line%%$'\t'*}")
        fi
    done < <("${COMP_WORDS[0]/#\~/$HOME}" __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
    if [[ $kind == files ]]; then
        # Bash 3 has no compopt.
        compopt -o default 2>/dev/null || while IFS= read -r line; do
            COMPREPLY+=("$line")
        done < <(compgen -f -- "$current")
    fi
}
complete -F _rsspot rsspot
"""
ZSH = r"""#compdef rsspot
# Shell completion for rsspot: source <(rsspot completion zsh)
_rsspot() {
    local -a lines candidates
    local line
    lines=("${(@f)$("${words[1]/#\~/$HOME}" __complete "${(@)words[2,CURRENT]}" 2>/dev/null)}")
    if [[ ${lines[1]} == files ]]; then
        _files
        return
    fi
    for line in "${(@)lines[2,-1]}"; do
        candidates+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
    done
    _describe -t words rsspot candidates
}
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
compdef _rsspot rsspot
"""
FISH = r"""# Shell completion for rsspot: rsspot completion fish | source
function __rsspot_complete
    set -l words (commandline -opc)
    set -l lines ($words[1] __complete $words[2..] (commandline -ct) 2>/dev/null)
    set -q lines[1]; or return
    if test $lines[1] = files
        __fish_complete_path (commandline -ct)
        return
    end
    set -e lines[1]
    printf '%s\n' $lines
end
complete -c rsspot -f -a '(__rsspot_complete)'
"""
SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH}


def completion(shell: str = typer.Argument(metavar="SHELL", help="bash, zsh or fish.")) -> None:
    """Print the shell completion script: `source <(rsspot completion bash)` in ~/.bashrc.

    Completes commands, options, kinds, formats and files, and names of objects as earlier commands have listed them.
    """
    if shell not in SCRIPTS:
        known = ", ".join(SCRIPTS)
        raise UsageError(f"no completion for {shell!r}", hint=did_you_mean(shell, SCRIPTS) or f"shells: {known}")
    print(SCRIPTS[shell], end="")


COMMANDS: dict[str, Any] = {"completion": completion}
