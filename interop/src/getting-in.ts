import { once } from "node:events"
import * as nip44 from "nostr-tools/nip44"
import { finalizeEvent, generateSecretKey } from "nostr-tools/pure"
import { expect } from "vitest"
import { WebSocket } from "ws"
import { until } from "../../packages/casemate/test/support/bunker.js"
import { PERMS } from "./bench.js"
import { ANSWER_MS, type ClientColumn } from "./client-column.js"
import type { Flow } from "./flow.js"
import { within } from "./wait.js"
import { subscriptionsOf } from "./wire.js"

/** The bunker sends its answer again after 2, 5 and 15 s, for an app that was not listening. */
const PAIRING_MS = 20_000

/** From nothing to a session. */
export const letIn: Readonly<Record<Flow, (column: ClientColumn) => Promise<void>>> = {
  async "bunker://"(column) {
    column.token = await column.bench.newToken()
    column.session = await within(column.peer.connect(column.token, column.secretKey), ANSWER_MS, "connect")
  },

  async "nostrconnect://"(column) {
    const { peer, bench } = column
    const takeIn = async (uri: string): Promise<void> => {
      column.uri = uri
      expect(await bench.letIn(uri)).toMatchObject({ isNew: true, perms: PERMS.split(",") })
    }
    const meeting = { relay: bench.relay.url, perms: PERMS, deadlineMs: PAIRING_MS, letIn: takeIn }
    const { session, secretKey } = await peer.pair(meeting)
    column.session = session
    column.secretKey = secretKey
    const { relay, secret } = read(column.uri as string)
    const query = new URLSearchParams({ relay, secret })
    column.token = `bunker://${session.remoteSigner}?${query.toString()}`
  },
}

/** Has another signer answer the token of a client that listens; resolves once the relay has taken the answer. */
export async function answerOfAnother(uri: string): Promise<void> {
  const { clientPubkey, relay, secret } = read(uri)
  await until(() => subscriptionsOf(clientPubkey) > 0, { what: "a client that listens", deadlineMs: 5_000 })
  const secretKey = generateSecretKey()
  const answer = JSON.stringify({ id: "another", result: secret })
  const event = finalizeEvent(
    {
      kind: 24133,
      content: nip44.encrypt(answer, nip44.getConversationKey(secretKey, clientPubkey)),
      tags: [["p", clientPubkey]],
      created_at: Math.floor(Date.now() / 1000),
    },
    secretKey,
  )
  const socket = new WebSocket(relay, { perMessageDeflate: false, handshakeTimeout: 5_000 })
  try {
    await once(socket, "open")
    const answered = once(socket, "message", { signal: AbortSignal.timeout(5_000) })
    socket.send(JSON.stringify(["EVENT", event]))
    const [data] = (await answered) as [Buffer]
    expect((JSON.parse(data.toString("utf8")) as unknown[]).slice(0, 3)).toEqual(["OK", event.id, true])
  } finally {
    socket.terminate()
  }
}

function read(uri: string): { clientPubkey: string; relay: string; secret: string } {
  const { host, searchParams } = new URL(uri)
  return { clientPubkey: host, relay: searchParams.get("relay") ?? "", secret: searchParams.get("secret") ?? "" }
}
