import { type Folders, makeFolders, runJson, startBunker } from "../../packages/casemate/test/support/bunker.js"
import type { RelayUnderTest } from "./relay.js"

/** What every client under test asks for and is allowed; kind 0 is not. */
export const PERMS = "sign_event:1,nip44_encrypt,nip44_decrypt,nip04_encrypt,nip04_decrypt"

/** The running daemon behind one relay, for as many clients as like. */
export interface Bench {
  readonly relay: RelayUnderTest
  readonly userPubkey: string
  /** A fresh token for one app. */
  newToken(): Promise<string>
  /** Lets an app in by the nostrconnect:// token that it shows. */
  letIn(uri: string, perms?: string): Promise<LetIn>
  close(): Promise<void>
}

export interface LetIn {
  /** False when this token was let in before. */
  readonly isNew: boolean
  readonly remoteSignerPubkey: string
  readonly perms: readonly string[]
}

/** The relay is the bench's from now on: closed with it, and when there comes to be none. */
export async function startBench(relay: RelayUnderTest): Promise<Bench> {
  const folders: Folders = makeFolders()
  const bunker = await startBunker(folders, ["--http", "localhost:0", "--relay", relay.url]).catch(async (error) => {
    await relay.close()
    folders.remove()
    throw error
  })
  return {
    relay,
    userPubkey: bunker.ready.userPubkey,
    letIn: (uri, perms = PERMS) => runJson<LetIn>(folders, ["pair", uri, "--yes", "--perms", perms, "--no-wait"]),
    newToken: async () => (await runJson<{ uri: string }>(folders, ["pair", "--perms", PERMS, "--no-wait"])).uri,
    async close() {
      const code = await bunker.stop()
      await relay.close()
      folders.remove()
      if (code !== 0) throw new Error(`the bunker ended with ${code}: ${bunker.log()}`)
    },
  }
}
