import { generateSecretKey } from "nostr-tools/pure"
import {
  type Bunker,
  type Folders,
  kill,
  makeFolders,
  pidOf,
  runJson,
  until,
} from "../../packages/casemate/test/support/bunker.js"
import { callOwner } from "../../packages/casemate/test/support/owner.js"
import { startWithPages } from "../../packages/casemate/test/support/pages.js"
import { passTime, select } from "../../packages/casemate/test/support/record.js"
import { ANSWER_MS } from "./client-column.js"
import type { Flow } from "./flow.js"
import type { ClientPeer, ClientSession } from "./peer.js"
import { within } from "./wait.js"

/** Long enough for an answer that a client hears only when it is sent again. */
const PAIRING_MS = 20_000

/** The running bunker with pages, and apps in it that may show one. */
export interface ChallengeBench {
  readonly folders: Folders
  readonly bunker: Bunker
  readonly origin: string
  readonly userPubkey: string
  /** Lets an app in that is granted nothing but reactions. */
  open(peer: ClientPeer, flow: Flow): Promise<ChallengedApp>
  /** keyd dies, and another takes its place; the relay stays up. */
  restartKeyd(): Promise<void>
  /** An hour goes by for what is granted for a time. */
  passHour(): Promise<void>
  close(): Promise<void>
}

export interface ChallengedApp {
  readonly session: ClientSession
  /** Every URL that the client was given to open, in order. */
  readonly urls: readonly string[]
  /** How many of its requests were its owner's to decide, so far. */
  asked(): number
}

export async function startChallengeBench(): Promise<ChallengeBench> {
  const folders = makeFolders()
  const { bunker, origin } = await startWithPages(folders).catch((error) => {
    folders.remove()
    throw error
  })
  const sessions: ClientSession[] = []
  const restartKeyd = async (): Promise<void> => {
    const old = pidOf(bunker.process, "keyd") as number
    kill(old)
    await until(() => callOwner(folders, "status", {}).then(Boolean, () => false), { what: "a new keyd" })
  }
  return {
    folders,
    bunker,
    origin,
    userPubkey: bunker.ready.userPubkey,
    async open(peer, flow) {
      const urls: string[] = []
      const onAuthUrl = (url: string): void => void urls.push(url)
      const session = await letIn[flow](peer, { folders, relay: bunker.ready.relays[0] ?? "", onAuthUrl })
      sessions.push(session)
      const asked = (): number =>
        select<{ n: number }>(
          folders,
          `SELECT count(*) AS n FROM approval JOIN connection ON connection.id = approval.connection_id
            WHERE connection.remote_signer_pubkey = '${session.remoteSigner}'`,
        )[0]?.n ?? 0
      return { session, urls, asked }
    },
    restartKeyd,
    async passHour() {
      passTime(folders, 3_600)
      await restartKeyd()
    },
    async close() {
      for (const session of sessions) await session.close()
      const code = await bunker.stop()
      folders.remove()
      if (code !== 0) throw new Error(`the bunker ended with ${code}: ${bunker.log()}`)
    },
  }
}

interface Arrival {
  readonly folders: Folders
  readonly relay: string
  readonly onAuthUrl: (url: string) => void
}

const TERMS = ["--perms", "sign_event:7", "--style", "auth_url", "--no-wait"]

const letIn: Readonly<Record<Flow, (peer: ClientPeer, arrival: Arrival) => Promise<ClientSession>>> = {
  async "bunker://"(peer, { folders, onAuthUrl }) {
    const { uri } = await runJson<{ uri: string }>(folders, ["pair", ...TERMS])
    return within(peer.connect(uri, generateSecretKey(), onAuthUrl), ANSWER_MS, "connect")
  },
  async "nostrconnect://"(peer, { folders, relay, onAuthUrl }) {
    const { session } = await peer.pair({
      relay,
      perms: "sign_event:7",
      deadlineMs: PAIRING_MS,
      letIn: async (uri) => {
        await runJson(folders, ["pair", uri, "--yes", ...TERMS])
      },
      onAuthUrl,
    })
    return session
  },
}
