import { Command } from "commander"
import { withBunker } from "./bunker.js"
import { withDataDir } from "./options.js"
import { npub, print, printHint, printJson, printTable, when } from "./output.js"
import { askHidden, readPiped } from "./prompt.js"

interface KeysOptions {
  dataDir?: string
  name: string
  json?: boolean
}

export function keysCommand(): Command {
  const keys = new Command("keys").description("the Nostr keys that this bunker holds").addHelpText(
    "after",
    `
Examples:
  $ casemate keys list
  $ casemate keys generate --name work
  $ casemate keys add --name main < nsec.txt`,
  )

  withDataDir(keys.command("list"))
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

  withDataDir(keys.command("generate"))
    .description("make a new key")
    .requiredOption("--name <name>", "what to call it")
    .option("--json", "print a JSON object")
    .addHelpText("after", "\nExample:\n  $ casemate keys generate --name work")
    .action(async ({ dataDir, name, json }: KeysOptions) => {
      const key = await withBunker(dataDir, (bunker) => bunker.call("keys.generate", { name }))
      if (json) return printJson(key)
      return print(`Made the key ${key.name}: ${npub(key.pubkey)}`)
    })

  withDataDir(keys.command("add"))
    .description("bring a key that you have: nsec or hex, typed at a prompt or piped in, never as an argument")
    .requiredOption("--name <name>", "what to call it")
    .option("--json", "print a JSON object")
    .addHelpText(
      "after",
      "\nExamples:\n  $ casemate keys add --name main\n  $ casemate keys add --name main < nsec.txt",
    )
    .action(async ({ dataDir, name, json }: KeysOptions) => {
      const key = await withBunker(dataDir, async (bunker) => {
        await bunker.call("keys.check", { name })
        const secretKey = process.stdin.isTTY
          ? await askHidden("Secret key (nsec or hex, not shown): ")
          : await readPiped()
        return bunker.call("keys.add", { name, secretKey })
      })
      if (json) return printJson(key)
      return print(`Added the key ${key.name}: ${npub(key.pubkey)}`)
    })

  return keys
}
