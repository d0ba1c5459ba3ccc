import { Command } from "commander"
import { withBunker } from "./bunker.js"
import { withDataDir } from "./options.js"
import { print, printJson } from "./output.js"

interface WebhookOptions {
  dataDir?: string
  json?: boolean
}

export function webhookCommand(): Command {
  const webhook = new Command("webhook").description("where you are told that a request waits for you").addHelpText(
    "after",
    `
Examples:
  $ casemate webhook test
  $ casemate webhook secret`,
  )

  withDataDir(webhook.command("test"))
    .summary("send one notice, and say whether it was taken")
    .description("Sends one notice to the webhook that the bunker was started with, and says whether it was taken.")
    .option("--json", "print a JSON object")
    .addHelpText("after", "\nExample:\n  $ casemate webhook test")
    .action(async ({ dataDir, json }: WebhookOptions) => {
      const result = await withBunker(dataDir, (bunker) => bunker.call("webhook.test", {}))
      if (json) return printJson(result)
      return print("The webhook took it.")
    })

  withDataDir(webhook.command("secret"))
    .summary("show the secret by which a receiver knows that a notice is from this bunker")
    .description(
      "Shows the secret by which a receiver knows that a notice is from this bunker, in the form of Standard Webhooks (https://www.standardwebhooks.com). It opens nothing else. Whoever has it can send notices that look like this bunker's.",
    )
    .option("--json", "print a JSON object")
    .addHelpText("after", "\nExample:\n  $ casemate webhook secret")
    .action(async ({ dataDir, json }: WebhookOptions) => {
      const { secret } = await withBunker(dataDir, (bunker) => bunker.call("webhook.secret", {}))
      if (json) return printJson({ secret })
      return print(secret)
    })

  return webhook
}
