import * as nip04 from "nostr-tools/nip04"
import * as nip44 from "nostr-tools/nip44"
import { type Event, finalizeEvent, generateSecretKey, getPublicKey, verifyEvent } from "nostr-tools/pure"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { WebSocket } from "ws"
import { type Bunker, type Folders, makeFolders, runCli, runJson, startBunker, until } from "./support/bunker.js"
import { parseToken, type Reply, template } from "./support/raw-client.js"

/** Through the running daemon: an app that encrypts with NIP-04 and reads nothing else. */
class OldApp {
  readonly pubkey: string
  readonly #secretKey = generateSecretKey()
  readonly #token: ReturnType<typeof parseToken>
  readonly #answers: Event[] = []
  readonly #socket: WebSocket
  #requests = 0

  constructor(token: string) {
    this.#token = parseToken(token)
    this.pubkey = getPublicKey(this.#secretKey)
    this.#socket = new WebSocket(this.#token.relays[0] as string)
    this.#socket.on("message", (data) => {
      const [label, , event] = JSON.parse((data as Buffer).toString()) as [string, string, Event]
      if (label === "EVENT") this.#answers.push(event)
    })
  }

  async open(): Promise<void> {
    await new Promise((resolve) => this.#socket.once("open", resolve))
    this.#socket.send(JSON.stringify(["REQ", "answers", { kinds: [24133], "#p": [this.pubkey] }]))
  }

  /** Sends a request and gives its id. */
  send(method: string, params: readonly string[], encryption: "nip04" | "nip44" = "nip04"): string {
    const { remoteSigner } = this.#token
    const id = `old-${++this.#requests}`
    const plaintext = JSON.stringify({ id, method, params })
    const content =
      encryption === "nip04"
        ? nip04.encrypt(this.#secretKey, remoteSigner, plaintext)
        : nip44.encrypt(plaintext, nip44.getConversationKey(this.#secretKey, remoteSigner))
    const tags = [["p", remoteSigner]]
    const created_at = Math.floor(Date.now() / 1000)
    const event = finalizeEvent({ kind: 24133, content, tags, created_at }, this.#secretKey)
    this.#socket.send(JSON.stringify(["EVENT", event]))
    return id
  }

  connect(): string {
    return this.send("connect", [this.#token.remoteSigner, this.#token.secret])
  }

  /** The answer to a request, and how it was encrypted. */
  async answer(id: string): Promise<Reply & { encryption: string }> {
    let found: (Reply & { encryption: string }) | undefined
    await until(() => {
      found = this.#answers.map((event) => this.#read(event)).find((message) => message.id === id)
      return found !== undefined
    })
    return found as Reply & { encryption: string }
  }

  close(): void {
    this.#socket.terminate()
  }

  #read({ content }: Event): Reply & { id: string; encryption: string } {
    const { remoteSigner } = this.#token
    const isOld = content.includes("?iv=")
    const plaintext = isOld
      ? nip04.decrypt(this.#secretKey, remoteSigner, content)
      : nip44.decrypt(content, nip44.getConversationKey(this.#secretKey, remoteSigner))
    return { ...(JSON.parse(plaintext) as Reply & { id: string }), encryption: isOld ? "nip04" : "nip44" }
  }
}

describe("an app that knows NIP-04 alone", () => {
  let folders: Folders
  let bunker: Bunker
  beforeAll(async () => {
    folders = makeFolders()
    bunker = await startBunker(folders)
  })
  afterAll(async () => {
    expect(await bunker.stop()).toBe(0)
    folders.remove()
  })

  it("QUIRKS signer 4: is dropped, counted and shown, and served in kind once its owner allows it", {
    timeout: 60_000,
  }, async () => {
    const { uri, id } = await runJson<{ uri: string; id: string }>(folders, ["pair", "--no-wait"])
    const app = new OldApp(uri)
    await app.open()
    app.connect()
    app.connect()
    await until(async () => (await show(id)).nip04Dropped === 2)
    expect(await show(id)).toMatchObject({ status: "offered", nip04Transport: false })
    const shown = await runCli(folders, ["apps", "show", id, "--data-dir", folders.data])
    expect(shown.stdout).toContain(
      `encryption      NIP-44; 2 messages in the old NIP-04 dropped: \`casemate apps nip04 ${id} on\` allows it\n`,
    )

    expect(await runJson(folders, ["apps", "nip04", id, "on"])).toMatchObject({ id, nip04Transport: true })
    expect(await app.answer(app.connect())).toMatchObject({ result: "ack", encryption: "nip04" })
    const signed = await app.answer(app.send("sign_event", [template("an old app's note")]))
    expect(signed.encryption).toBe("nip04")
    expect(verifyEvent(JSON.parse(signed.result ?? "") as Event)).toBe(true)
    // Message by message: nothing is remembered of how the last one came.
    expect(await app.answer(app.send("ping", [], "nip44"))).toMatchObject({ result: "pong", encryption: "nip44" })
    expect(await app.answer(app.send("get_relays", []))).toMatchObject({
      error: expect.stringMatching(/unknown method/) as string,
      encryption: "nip04",
    })

    await runJson(folders, ["apps", "nip04", id, "off"])
    app.send("ping", [])
    await until(async () => (await show(id)).nip04Dropped === 3)
    expect(await app.answer(app.send("ping", [], "nip44"))).toMatchObject({ result: "pong", encryption: "nip44" })
    app.close()
  })

  const show = (id: string): Promise<{ nip04Dropped: number }> => runJson(folders, ["apps", "show", id])
})
