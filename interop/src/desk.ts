import { Authenticator } from "../../packages/casemate/test/browser/support/authenticator.js"
import { startChromium } from "../../packages/casemate/test/browser/support/chromium.js"
import { type Choice, decideOn, joinByPasskey } from "../../packages/casemate/test/browser/support/owner-page.js"
import { openWatched } from "../../packages/casemate/test/browser/support/watched.js"
import { type Folders, runJson } from "../../packages/casemate/test/support/bunker.js"
import type { ChallengeBench } from "./challenge-bench.js"

/** Where an owner sits who decides. */
export interface Desk {
  /** @param url what the client was given to open */
  decide(url: string, choice: Choice): Promise<void>
  close(): Promise<void>
}

const OPTIONS: Readonly<Record<Choice, readonly [string, ...string[]]>> = {
  "Approve once": ["approve"],
  "For 1 hour": ["approve", "--for", "1h"],
  Always: ["approve", "--always"],
  Deny: ["deny"],
  "Deny and block": ["deny", "--block"],
}

export function openTerminal(folders: Folders): Desk {
  return {
    async decide(url, choice) {
      const [verb, ...options] = OPTIONS[choice]
      await runJson(folders, ["requests", verb, url.slice(url.lastIndexOf("/") + 1), ...options])
    },
    close: async () => undefined,
  }
}

/** An owner with a passkey, who opens the URL and presses a button. */
export async function openBrowser({ folders, origin }: ChallengeBench): Promise<Desk> {
  const chromium = await startChromium({ hosts: [new URL(origin).host] })
  const { page } = await openWatched(chromium.browser, origin)
  await Authenticator.add(page)
  const { url } = await runJson<{ url: string }>(folders, ["owner", "invite"])
  await joinByPasskey(page, url, "ada")
  return {
    async decide(url, choice) {
      await page.goto(url)
      await decideOn(page, choice)
    },
    close: () => chromium.close(),
  }
}
