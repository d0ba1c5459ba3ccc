import type { Command } from "commander"

const EXIT_CODES = `
Exit codes:
  0  done
  1  it did not work; one sentence on stderr says why
  2  the command line cannot be read`

const URI_EXIT_CODES = `
Exit codes:
  0  the token is valid, or was built; there may be warnings
  1  the token is not valid
  2  the command line cannot be read, or the file that it names`

const BUNKER_ENVIRONMENT = `
Environment:
  XDG_DATA_HOME         where the data folder lies on Linux, unless --data-dir names one`

const LISTENER_ENVIRONMENT = `
Environment:
  CASEMATE_LOG_LEVEL    trace, debug, info, warn (default), error or silent; logs go to stderr`

/**
 * Ends the help of every command as a man page ends: exit codes, environment, and where to read on. Made from
 * the tree of commands, so that no command lacks them.
 */
export function withManSections(program: Command): Command {
  return program.addHelpText("afterAll", ({ command }) => sectionsOf(command).join("\n"))
}

function sectionsOf(command: Command): string[] {
  const path = pathOf(command)
  const sections = [path[1] === "uri" ? URI_EXIT_CODES : EXIT_CODES]
  // `start` has more to say of its own.
  if (path[1] === "relay") sections.push(LISTENER_ENVIRONMENT)
  else if (path[1] !== "start" && command.options.some(({ long }) => long === "--data-dir")) {
    sections.push(BUNKER_ENVIRONMENT)
  }
  const others = seeAlso(command).map((other) => pathOf(other).join(" "))
  if (others.length > 0) sections.push(`\nSee also:\n  ${others.join(", ")}`)
  return sections
}

/** The command above this one, and those beside it. */
function seeAlso(command: Command): readonly Command[] {
  const { parent } = command
  if (parent === null) return []
  const beside = parent.commands.filter((other) => other !== command)
  return parent.parent === null ? beside : [parent, ...beside]
}

/** `["casemate", "keys", "list"]`. */
export function pathOf(command: Command): string[] {
  return command.parent === null ? [command.name()] : [...pathOf(command.parent), command.name()]
}
