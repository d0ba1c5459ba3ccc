import { Argument, Command } from "commander"
import { completionScript, SHELLS, type Shell } from "./completion-scripts.js"
import { completionTree } from "./completion-tree.js"

export function completionCommand(): Command {
  return new Command("completion")
    .summary("print a script that completes commands and flags in your shell")
    .description(
      "Prints a script for your shell: with it the Tab key completes commands and flags. Nothing is installed; where to put the script is up to you. Print it again after an update.",
    )
    .addArgument(new Argument("<shell>", "which shell").choices(SHELLS))
    .addHelpText(
      "after",
      `
Examples:
  $ casemate completion bash > ~/.local/share/bash-completion/completions/casemate
  $ casemate completion fish > ~/.config/fish/completions/casemate.fish
  $ source <(casemate completion zsh)`,
    )
    .action((shell: Shell, _: unknown, command: Command) => {
      process.stdout.write(completionScript(shell, completionTree(command.parent ?? command)))
    })
}
