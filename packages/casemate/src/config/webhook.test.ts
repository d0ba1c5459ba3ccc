import { describe, expect, it, test } from "vitest"
import { UserError } from "./user-error.js"
import { parseWebhook, type WebhookInput } from "./webhook.js"

function mistake(input: WebhookInput, env: NodeJS.ProcessEnv = {}): string {
  try {
    parseWebhook(input, env)
  } catch (error) {
    expect(error).toBeInstanceOf(UserError)
    return (error as UserError).message
  }
  throw new Error("it was taken")
}

describe("parseWebhook", () => {
  it("is none unless one is named", () => {
    expect(parseWebhook({}, {})).toBeUndefined()
    expect(parseWebhook({}, { CASEMATE_WEBHOOK: "" })).toBeUndefined()
  })

  it("tells nothing of what waits unless it is told to", () => {
    const webhook = "https://ntfy.example.com/topic?template=yes&title={{.data.title}}"
    expect(parseWebhook({ webhook }, {})).toMatchObject({ details: false })
    expect(parseWebhook({ webhook, webhookDetails: true }, {})).toMatchObject({ details: true })
    expect(mistake({ webhookDetails: true })).toContain("--webhook-details goes with --webhook")
  })

  it("is in the environment where the command line is for all to read; the command line goes first", () => {
    const env = { CASEMATE_WEBHOOK: "https://a.example/secret" }
    expect(parseWebhook({}, env)?.url).toBe("https://a.example/secret")
    expect(parseWebhook({ webhook: "https://b.example/" }, env)?.url).toBe("https://b.example/")
    expect(mistake({ webhook: "" }, env)).toContain("--webhook takes an https:// URL")
    expect(mistake({}, { CASEMATE_WEBHOOK: "topic" })).toContain("CASEMATE_WEBHOOK takes an https:// URL")
  })

  test.each([
    "https://hooks.example.com/x",
    "https://93.184.216.34/x",
    "http://localhost:8080/x",
    "http://127.0.0.1/x",
    "http://[::1]:81/x",
    "http://192.168.1.7/x",
    "http://10.0.0.2/x",
    "http://[fd00::1]/x",
    "http://ntfy/topic",
    "http://ntfy.local/topic",
    "http://host.docker.internal/topic",
  ])("takes %s", (webhook) => expect(parseWebhook({ webhook }, {})?.url).toBe(new URL(webhook).href))

  test.each([
    "http://hooks.example.com/",
    "http://93.184.216.34/",
    "http://local.example/",
    "http://notlocal.evil.example",
  ])("refuses %s, which crosses the internet in the clear", (webhook) =>
    expect(mistake({ webhook })).toContain(`takes https:// for ${new URL(webhook).hostname}`),
  )

  test.each(["", "nonsense", "ftp://example.com/", "//example.com", "file:///etc/passwd", "https://%:x@x.example/"])(
    "refuses %j",
    (webhook) => expect(mistake({ webhook })).toContain("takes an https:// URL"),
  )

  it("does not show a secret that the URL holds", () => {
    for (const webhook of ["http://hooks.example.com/hush", "ftp://x.example/hush", "hush", "http://u:hush@x.example/"])
      expect(mistake({ webhook })).not.toContain("hush")
  })
})
