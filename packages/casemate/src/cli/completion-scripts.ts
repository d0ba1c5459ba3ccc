import type { CompletionNode } from "./completion-tree.js"

export const SHELLS = ["bash", "zsh", "fish"] as const
export type Shell = (typeof SHELLS)[number]

/** The script that teaches a shell to complete `casemate`. */
export function completionScript(shell: Shell, tree: readonly CompletionNode[]): string {
  switch (shell) {
    case "bash":
      return bash(tree)
    case "zsh":
      return zsh(tree)
    case "fish":
      return fish(tree)
  }
}

/** Finds the command that is typed, as a path in `$at`; both shells read this. */
function walk(tree: readonly CompletionNode[], words: string): string {
  const paths = tree.filter(({ path }) => path !== "").map(({ path }) => quote(path))
  return `  local at="" word
  for word in ${words}; do
    case "\${at:+$at }$word" in
      ${paths.join("|")}) at="\${at:+$at }$word" ;;
    esac
  done`
}

function bash(tree: readonly CompletionNode[]): string {
  const cases = tree.map(({ path, commands, options, choices }) => {
    const words = [...commands.map(({ name }) => name), ...choices, ...options.map(({ flag }) => flag)]
    const valued = options.filter(({ takesValue }) => takesValue).map(({ flag }) => flag)
    return `    ${quote(path)}) words=${quote(words.join(" "))} valued=${quote(valued.join(" "))} ;;`
  })
  return `# bash completion for casemate
_casemate() {
${walk(tree, `"\${COMP_WORDS[@]:1:COMP_CWORD-1}"`)}
  local words="" valued=""
  case "$at" in
${cases.join("\n")}
  esac
  COMPREPLY=()
  # After a flag that takes a value come file names, which -o default gives.
  case " $valued " in *" \${COMP_WORDS[COMP_CWORD-1]} "*) return ;; esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _casemate casemate
`
}

function zsh(tree: readonly CompletionNode[]): string {
  const cases = tree.map(({ path, commands, options, choices }) => {
    const described = [...commands, ...choices.map((name) => ({ name, description: "" }))]
    const words = described.map(({ name, description }) => quote(`${colon(name)}:${description}`))
    const flags = options.map(({ flag, description }) => quote(`${colon(flag)}:${description}`))
    const valued = options.filter(({ takesValue }) => takesValue).map(({ flag }) => quote(flag))
    return `    ${quote(path)})
      commands=(${words.join(" ")})
      flags=(${flags.join(" ")})
      valued=(${valued.join(" ")}) ;;`
  })
  return `#compdef casemate
_casemate() {
${walk(tree, `"\${(@)words[2,CURRENT-1]}"`)}
  local -a commands flags valued
  case "$at" in
${cases.join("\n")}
  esac
  if (( \${valued[(Ie)\${words[CURRENT-1]}]} )); then
    _files
  elif [[ $PREFIX == -* ]]; then
    _describe -o flag flags
  elif (( \${#commands} )); then
    _describe command commands
  else
    _files
  fi
}
# Found in $fpath, this file is the function itself; sourced, it only tells of it.
if [[ \${funcstack[1]} == _casemate ]]; then
  _casemate "$@"
else
  compdef _casemate casemate
fi
`
}

function fish(tree: readonly CompletionNode[]): string {
  const paths = tree.filter(({ path }) => path !== "").map(({ path }) => fishQuote(path))
  const lines = tree.flatMap(({ path, commands, options, choices }) => {
    const here = `complete -c casemate -n ${fishQuote(`__casemate_at ${fishQuote(path)}`)}`
    return [
      ...commands.map(({ name, description }) => `${here} -f -a ${name} -d ${fishQuote(description)}`),
      ...choices.map((word) => `${here} -f -a ${word}`),
      ...options.map(({ flag, takesValue, description }) => {
        return `${here} -l ${flag.replace(/^--/, "")}${takesValue ? " -r" : ""} -d ${fishQuote(description)}`
      }),
    ]
  })
  return `# fish completion for casemate
function __casemate_at
  set -l at
  for word in (commandline -opc)[2..]
    if contains -- (string join ' ' $at $word) ${paths.join(" ")}
      set -a at $word
    end
  end
  set -l path (string join ' ' $at)
  test "$path" = "$argv[1]"
end
${lines.join("\n")}
`
}

/** One word of bash and zsh. */
function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}

/** In fish a backslash means something inside quotes too. */
function fishQuote(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`
}

function colon(text: string): string {
  return text.replaceAll(":", "\\:")
}
