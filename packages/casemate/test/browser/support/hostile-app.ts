import { randomUUID } from "node:crypto"
import { BunkerSigner, createNostrConnectURI } from "nostr-tools/nip46"
import { SimplePool } from "nostr-tools/pool"
import { generateSecretKey, getPublicKey } from "nostr-tools/pure"
import { until } from "../../support/bunker.js"
import { openApp } from "../../support/nostr-tools.js"
import { callOwner } from "../../support/owner.js"
import type { OwnerBench } from "./owner-bench.js"
import { readShown } from "./shown.js"
import type { Watched } from "./watched.js"

/** An app that says one thing of itself wherever it can, and asks for what it is not granted. */
export interface HostileApp {
  readonly id: string
  readonly signer: BunkerSigner
  /** Asks, and gives the page at which that is decided; what it comes to is nobody's concern. */
  ask(asking: (signer: BunkerSigner) => Promise<unknown>): Promise<string>
  /** Takes it away, with all that waits for it. */
  close(): Promise<void>
}

export async function openHostile(bench: OwnerBench, said: string, perms = ""): Promise<HostileApp> {
  const { folders } = bench
  const { id, uri } = await callOwner(folders, "connections.offer", { perms, ttl: 600, style: "auth_url" })
  const urls: string[] = []
  const { signer, pointer, close } = await openApp(uri, { onauth: (url) => void urls.push(url) })
  const metadata = JSON.stringify({ name: said, url: said, image: said, icon: said, description: said })
  await signer.sendRequest("connect", [pointer.pubkey, pointer.secret ?? "", said, metadata])
  return hostileApp({ bench, id, signer, urls, close })
}

/** The same, let in by a token of its own, which says it. */
export async function openHostileByToken(bench: OwnerBench, said: string): Promise<HostileApp> {
  const secretKey = generateSecretKey()
  const pool = new SimplePool()
  const uri = createNostrConnectURI({
    clientPubkey: getPublicKey(secretKey),
    relays: [...bench.bunker.ready.relays],
    secret: randomUUID(),
    perms: [said],
    name: said,
    url: said,
    image: said,
  })
  const urls: string[] = []
  const params = { pool, onauth: (url: string) => void urls.push(url), skipSwitchRelays: true }
  const [signer, { id }] = await Promise.all([
    BunkerSigner.fromURI(secretKey, uri, params, 20_000),
    callOwner(bench.folders, "connections.accept", { uri, perms: "sign_event:7", style: "auth_url" }),
  ])
  const close = async (): Promise<void> => {
    await signer.close()
    pool.destroy()
  }
  return hostileApp({ bench, id, signer, urls, close })
}

interface Opened extends Pick<HostileApp, "id" | "signer" | "close"> {
  readonly bench: OwnerBench
  /** Where it was sent, in order. */
  readonly urls: readonly string[]
}

function hostileApp({ bench, id, signer, urls, close }: Opened): HostileApp {
  let asked = 0
  return {
    id,
    signer,
    // One after the other: which URL is whose is not said.
    async ask(asking) {
      const refused: unknown[] = []
      asking(signer).catch((error: unknown) => refused.push(error))
      await until(() => urls.length > asked || refused.length > 0, { what: "a page to open" })
      if (urls.length === asked) throw new Error(`it was refused: ${String(refused[0])}`)
      return urls[asked++] as string
    },
    async close() {
      await callOwner(bench.folders, "apps.revoke", { id })
      await close()
    },
  }
}

/** Goes there as a link within the pages does. */
export async function follow({ page }: Watched, url: string, heading: string): Promise<void> {
  await page.evaluate((to) => {
    history.pushState(null, "", to)
    dispatchEvent(new PopStateEvent("popstate"))
  }, url)
  await page.getByRole("heading", { name: heading }).waitFor()
}

/** What of this the page does not show, once all has come; and what else is not as it should be. */
export async function flawsOf({ page }: Watched, wanted: readonly string[]): Promise<readonly string[]> {
  const flaws = async (): Promise<string[]> => {
    const { text, raw, hidden, foreign } = await readShown(page)
    return [
      ...wanted
        .filter((each) => !text.includes(each))
        .map((each) => `not shown: ${JSON.stringify(each.slice(0, 300))}`),
      ...raw.map((each) => `raw: ${each}`),
      ...hidden.map((each) => `hidden: ${each}`),
      ...foreign.map((each) => `foreign: ${each}`),
    ]
  }
  let found = await flaws()
  // The address of an app is asked for by itself.
  const hasCome = async (): Promise<boolean> => {
    if (found.length > 0) found = await flaws()
    return found.length === 0
  }
  await until(hasCome, { deadlineMs: 5_000, everyMs: 50 }).catch(() => undefined)
  return found
}
