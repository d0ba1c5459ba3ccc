import type { Command, CommanderError } from "commander"
import { UserError } from "../config/user-error.js"
import { asTyped } from "./npm.js"

/** A command line that cannot be read: exit code 2. */
export class UsageError extends UserError {}

const SECRET_KEY = /n(?:crypt)?sec1[a-z0-9]{6,}/i

/**
 * Makes a command line that cannot be read a mistake like any other: one sentence, and where to look.
 * Asking for help or for the version still comes as commander's own error, with exit code 0.
 */
export function withUsageErrors(command: Command): Command {
  command.configureOutput({
    outputError: () => undefined,
    writeOut: (text) => void process.stdout.write(asTyped(text)),
    writeErr: (text) => void process.stderr.write(asTyped(text)),
  })
  command.exitOverride((error) => {
    const sentence = sentenceFor(error, nameOf(command))
    if (sentence === undefined) throw error
    throw new UsageError(sentence)
  })
  for (const sub of command.commands) withUsageErrors(sub)
  return command
}

/** @throws UsageError for a secret key among the arguments: every program on this machine can read those */
export function refuseSecretArguments(args: readonly string[]): void {
  if (!args.some((arg) => SECRET_KEY.test(arg))) return
  throw new UsageError(
    "a secret key was typed as an argument, which other programs and the shell's history can see; leave it out, and `casemate keys add --name NAME` will ask for it",
  )
}

function sentenceFor({ code, message }: CommanderError, name: string): string | undefined {
  const quoted = /'([^']*)'/.exec(message)?.[1] ?? ""
  const help = `\`${name} --help\``
  switch (code) {
    case "commander.unknownCommand": {
      const near = /\(Did you mean (?:one of )?(.+)\?\)/.exec(message)?.[1]
      const hint = near === undefined ? `${help} lists those there are` : `did you mean ${near}?`
      return `there is no command ${JSON.stringify(quoted)}; ${hint}`
    }
    case "commander.unknownOption":
      // What follows an = may be a secret.
      return `there is no flag ${quoted.split("=", 1)[0]}; ${help} lists those there are`
    case "commander.missingMandatoryOptionValue":
      return `${quoted} is missing; ${help} shows an example`
    case "commander.optionMissingArgument":
      return `${quoted} needs a value; ${help} shows an example`
    case "commander.missingArgument":
      return `<${quoted}> is missing; ${help} shows an example`
    case "commander.invalidArgument": {
      const [, argument, choices] = /argument '([^']*)'\. Allowed choices are (.*)\.$/.exec(message) ?? []
      if (choices === undefined) return message.replace(/^error: /, "")
      return `<${argument}> is one of ${choices}, not ${JSON.stringify(quoted.slice(0, 40))}`
    }
    case "commander.excessArguments":
      return `that is more than \`${name}\` takes; ${help} shows an example`
    case "commander.help":
    case "commander.helpDisplayed":
    case "commander.version":
      return undefined
    default:
      return message.replace(/^error: /, "")
  }
}

function nameOf(command: Command): string {
  return command.parent === null ? command.name() : `${nameOf(command.parent)} ${command.name()}`
}
