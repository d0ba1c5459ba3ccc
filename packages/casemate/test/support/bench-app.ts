import { randomBytes } from "node:crypto"
import { parsePermissions } from "@casemate/nip46/protocol"
import type { ApprovalStyle, Outcome } from "@casemate/nip46/signer"
import { nip44 } from "nostr-tools"
import { finalizeEvent, generateSecretKey } from "nostr-tools/pure"
import type { KeyInfo, RequestDetail } from "../../src/channel/owner-calls.js"
import type { AccountBench } from "./account-bench.js"

/** An app of a bench's bunker, without a relay in between. */
export interface BenchApp {
  readonly id: string
  request(method: string, params: readonly string[]): Promise<Outcome>
  /** Asks for an event that waits for its owner, and looks at it as an owner does. */
  ask(kind: number): Promise<RequestDetail>
}

export async function connectApp(
  bench: AccountBench,
  { perms = "", style = "hold" }: { readonly perms?: string; readonly style?: ApprovalStyle } = {},
): Promise<BenchApp> {
  const [known] = await bench.atTerminal<KeyInfo[]>("keys.list")
  const key = known ?? (await bench.atTerminal<KeyInfo>("keys.generate", { name: "default" }))
  const permissions = perms === "" ? [] : parsePermissions(perms)
  const relays = ["wss://relay.example"]
  const { token, connection } = await bench.engine.offer({
    userPubkey: key.pubkey,
    permissions,
    relays,
    ttl: 600,
    style,
  })
  const { id, remoteSignerPubkey } = connection
  const secretKey = generateSecretKey()
  const conversation = nip44.getConversationKey(secretKey, remoteSignerPubkey)
  const request: BenchApp["request"] = (method, params) => {
    const content = nip44.encrypt(JSON.stringify({ id: randomBytes(8).toString("hex"), method, params }), conversation)
    const tags = [["p", remoteSignerPubkey]]
    return bench.engine.handle(finalizeEvent({ kind: 24133, content, tags, created_at: bench.time }, secretKey))
  }
  await request("connect", [remoteSignerPubkey, new URL(token).searchParams.get("secret") ?? ""])
  return {
    id,
    request,
    async ask(kind) {
      const content = randomBytes(8).toString("hex")
      await request("sign_event", [JSON.stringify({ kind, content, tags: [], created_at: bench.time })])
      const { requests } = await bench.atTerminal<{ requests: { id: string; app: { id: string } }[] }>("requests.list")
      const mine = requests.filter(({ app }) => app.id === id).at(-1)
      return bench.atTerminal<RequestDetail>("requests.show", { id: mine?.id })
    },
  }
}
