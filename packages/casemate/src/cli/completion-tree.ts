import type { Command } from "commander"

export interface CompletionOption {
  /** `--data-dir`. */
  readonly flag: string
  readonly takesValue: boolean
  readonly description: string
}

/** One command of the tree, with what may come after it. */
export interface CompletionNode {
  /** `""` for casemate itself, `keys list`. */
  readonly path: string
  readonly commands: readonly { readonly name: string; readonly description: string }[]
  readonly options: readonly CompletionOption[]
  /** Words that its first argument may be, where they are known. */
  readonly choices: readonly string[]
}

/** What can be completed, read from the commands themselves, so that it cannot go stale. */
export function completionTree(command: Command, path = ""): readonly CompletionNode[] {
  const help = command.createHelp()
  // `help` is there in every group, and is what --help says.
  const commands = help.visibleCommands(command).filter((sub) => sub.name() !== "help")
  const node = {
    path,
    commands: commands.map((sub) => ({ name: sub.name(), description: oneLine(help.subcommandDescription(sub)) })),
    options: help.visibleOptions(command).map((option) => ({
      flag: option.long ?? option.short ?? "",
      takesValue: option.required || option.optional,
      description: oneLine(help.optionDescription(option)),
    })),
    choices: command.registeredArguments[0]?.argChoices ?? [],
  }
  return [node, ...commands.flatMap((sub) => completionTree(sub, `${path} ${sub.name()}`.trim()))]
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ")
}
