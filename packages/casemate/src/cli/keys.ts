import { Command, Option } from "commander"
import type { KeyUses } from "../channel/owner-calls.js"
import { UserError } from "../config/user-error.js"
import { withBunker } from "./bunker.js"
import { askSecretKey, confirmName, newPassphrase, readSecretKey } from "./key-input.js"
import { withDataDir } from "./options.js"
import { npub, print, printHint, printJson, printTable, when } from "./output.js"
import { ask, isInteractive } from "./prompt.js"

interface KeysOptions {
  dataDir?: string
  json?: boolean
}

interface NamedOptions extends KeysOptions {
  name: string
}

interface ExportOptions extends KeysOptions {
  nsec?: boolean
  logN?: number
}

interface RemoveOptions extends KeysOptions {
  yes?: boolean
}

const WHICH = "its name, as `casemate keys list` shows it"

export function keysCommand(): Command {
  return new Command("keys")
    .description("the Nostr keys that this bunker holds")
    .addCommand(listCommand())
    .addCommand(generateCommand())
    .addCommand(addCommand())
    .addCommand(renameCommand())
    .addCommand(exportCommand())
    .addCommand(removeCommand())
    .addHelpText(
      "after",
      `
Examples:
  $ casemate keys list
  $ casemate keys generate --name work
  $ casemate keys add --name main < nsec.txt
  $ casemate keys export main > main.ncryptsec
  $ casemate keys rename work office
  $ casemate keys remove office`,
    )
}

function listCommand(): Command {
  return withDataDir(new Command("list"))
    .description("show the keys: names and public keys, never secrets")
    .option("--json", "print a JSON array")
    .addHelpText("after", "\nExample:\n  $ casemate keys list")
    .action(async ({ dataDir, json }: KeysOptions) => {
      const list = await withBunker(dataDir, (bunker) => bunker.call("keys.list", {}))
      if (json) return printJson(list)
      if (list.length === 0)
        return printHint("This bunker holds no key yet; make one with `casemate keys generate --name NAME`.")
      return printTable(
        ["NAME", "PUBLIC KEY", "SINCE"],
        list.map(({ name, pubkey, createdAt }) => [name, npub(pubkey), when(createdAt)]),
      )
    })
}

function generateCommand(): Command {
  return withDataDir(new Command("generate"))
    .description("make a new key")
    .requiredOption("--name <name>", "what to call it")
    .option("--json", "print a JSON object")
    .addHelpText("after", "\nExample:\n  $ casemate keys generate --name work")
    .action(async ({ dataDir, name, json }: NamedOptions) => {
      const key = await withBunker(dataDir, (bunker) => bunker.call("keys.generate", { name }))
      if (json) return printJson(key)
      return print(`Made the key ${key.name}: ${npub(key.pubkey)}`)
    })
}

function addCommand(): Command {
  return withDataDir(new Command("add"))
    .description(
      "bring a key that you have: nsec, hex or ncryptsec, typed at a prompt or piped in, never as an argument",
    )
    .requiredOption("--name <name>", "what to call it")
    .option("--json", "print a JSON object")
    .addHelpText(
      "after",
      `
An ncryptsec is a key under a passphrase, which is asked for; piped in, it stands on the second line.

Examples:
  $ casemate keys add --name main
  $ casemate keys add --name main < nsec.txt`,
    )
    .action(async ({ dataDir, name, json }: NamedOptions) => {
      const key = await withBunker(dataDir, async (bunker) => {
        await bunker.call("keys.check", { name })
        const secret = process.stdin.isTTY
          ? await askSecretKey("Secret key (nsec, hex or ncryptsec; not shown): ")
          : await readSecretKey()
        return bunker.call("keys.add", { name, ...secret })
      })
      if (json) return printJson(key)
      return print(`Added the key ${key.name}: ${npub(key.pubkey)}`)
    })
}

function renameCommand(): Command {
  return withDataDir(new Command("rename"))
    .description("call a key something else; its apps notice nothing")
    .argument("<old>", WHICH)
    .argument("<new>", "what to call it")
    .option("--json", "print a JSON object")
    .addHelpText("after", "\nExample:\n  $ casemate keys rename work office")
    .action(async (old: string, name: string, { dataDir, json }: KeysOptions) => {
      const key = await withBunker(dataDir, (bunker) => bunker.call("keys.rename", { key: old, name }))
      if (json) return printJson(key)
      return print(`The key is named ${key.name} now: ${npub(key.pubkey)}`)
    })
}

function exportCommand(): Command {
  return withDataDir(new Command("export"))
    .description("print a key to keep it elsewhere: under a passphrase (ncryptsec, NIP-49), or in the clear")
    .argument("<name>", WHICH)
    .option("--ncryptsec", "under a passphrase, which is asked for or comes piped in (the default)")
    .addOption(
      new Option("--nsec", "in the clear; only on a terminal, and after its name is typed").conflicts([
        "ncryptsec",
        "logN",
      ]),
    )
    .option(
      "--log-n <n>",
      "what each guess at the passphrase costs, 16 to 22: 18 takes 256 MiB and a second, each step doubles both (default: 18)",
      parseLogN,
    )
    .option("--json", "print a JSON object")
    .addHelpText(
      "after",
      `
Whoever has an ncryptsec can guess at its passphrase for as long as they like: take a long one.

Examples:
  $ casemate keys export main > main.ncryptsec
  $ casemate keys export main --nsec`,
    )
    .action(exportKey)
}

async function exportKey(name: string, { dataDir, nsec: isPlain, logN, json }: ExportOptions): Promise<void> {
  await withBunker(dataDir, async (bunker) => {
    const { pubkey: key, name: known } = await bunker.call("keys.uses", { key: name })
    if (isPlain) {
      if (!process.stdin.isTTY) {
        throw new UserError(
          "a key leaves in the clear only for somebody who types its name at a terminal; without --nsec it comes under a passphrase",
        )
      }
      const confirm = await ask(
        `Whoever sees or stores what comes now can sign as ${known} for ever.\nType the name of the key to print it: `,
      )
      const exported = await bunker.call("keys.exportPlain", { key, confirm })
      return json ? printJson(exported) : print(exported.nsec)
    }
    const passphrase = await newPassphrase()
    const exported = await bunker.call("keys.export", { key, passphrase, ...(logN === undefined ? {} : { logN }) })
    return json ? printJson(exported) : print(exported.ncryptsec)
  })
}

function removeCommand(): Command {
  return withDataDir(new Command("remove"))
    .description("delete a key here, and shut out the apps that use it")
    .argument("<name>", WHICH)
    .option("--yes", "do not ask")
    .option("--json", "print a JSON object; with --yes")
    .addHelpText("after", "\nExamples:\n  $ casemate keys remove old\n  $ casemate keys remove old --yes")
    .action(removeKey)
}

async function removeKey(name: string, { dataDir, yes = false, json = false }: RemoveOptions): Promise<void> {
  await withBunker(dataDir, async (bunker) => {
    const uses = await bunker.call("keys.uses", { key: name })
    if (!yes) {
      if (json || !isInteractive()) throw new UserError("nobody is here to be asked: add --yes to remove this key")
      showLoss(uses)
      await confirmName("Type its name to remove it: ", uses.name)
    }
    const removed = await bunker.call("keys.remove", { key: uses.pubkey })
    if (json) return printJson(removed)
    return print(`Removed the key ${removed.name}: ${npub(removed.pubkey)}; shut out with it: ${usersOf(uses)}.`)
  })
}

function showLoss(uses: KeyUses): void {
  print(`This deletes the key ${uses.name}: ${npub(uses.pubkey)}`)
  print(`  shut out with it, for good: ${usersOf(uses)}`)
  if (uses.isLast) print("  it is the only key of this bunker")
  printHint(`  without a copy nobody can ever sign as it again; \`casemate keys export ${uses.name}\` makes one`)
}

function usersOf({ apps, tokens }: KeyUses): string {
  const parts = [count(apps, "app"), count(tokens, "unused token")].filter((part) => part !== "")
  return parts.join(" and ") || "no app"
}

function count(n: number, what: string): string {
  return n === 0 ? "" : `${n} ${what}${n === 1 ? "" : "s"}`
}

/** @throws UserError that shows what was typed */
function parseLogN(text: string): number {
  if (/^\d{1,2}$/.test(text)) return Number(text)
  throw new UserError(`--log-n takes a number from 16 to 22, not ${JSON.stringify(text.slice(0, 40))}`)
}
