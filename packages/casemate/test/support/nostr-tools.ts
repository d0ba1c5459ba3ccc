import { type BunkerPointer, BunkerSigner, type BunkerSignerParams, parseBunkerInput } from "nostr-tools/nip46"
import { SimplePool, useWebSocketImplementation } from "nostr-tools/pool"
import { generateSecretKey } from "nostr-tools/pure"
import { WebSocket } from "ws"

useWebSocketImplementation(WebSocket)

/** An app that nobody here wrote: nostr-tools' BunkerSigner, with a pool of its own. */
export async function openApp(
  token: string,
  {
    secretKey = generateSecretKey(),
    ...params
  }: { secretKey?: Uint8Array | undefined } & Pick<BunkerSignerParams, "onauth"> = {},
) {
  const pointer = (await parseBunkerInput(token)) as BunkerPointer
  const pool = new SimplePool()
  const signer = BunkerSigner.fromBunker(secretKey, pointer, { pool, ...params })
  return {
    secretKey,
    pointer,
    signer,
    async close(): Promise<void> {
      await signer.close()
      pool.destroy()
    },
  }
}

/** What a promise was rejected with, as text. */
export async function refusal(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
  throw new Error("it was not refused")
}
