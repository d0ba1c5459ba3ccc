import { type EventTemplate, verifyEvent } from "nostr-tools/pure"
import { expect } from "vitest"
import type { Bench } from "./bench.js"
import type { Flow } from "./flow.js"
import type { ClientPeer, ClientSession } from "./peer.js"
import { again, within } from "./wait.js"

/** One client of the bunker, by one way in, over one relay. */
export interface ClientColumn {
  readonly peer: ClientPeer
  readonly bench: Bench
  readonly flow: Flow
  secretKey: Uint8Array
  /** The bunker:// token with which the app comes back. */
  token: string
  /** The nostrconnect:// token that it showed, if that was its way in. */
  uri: string | undefined
  session: ClientSession | undefined
}

export const ANSWER_MS = 10_000
/** How long an app waits before it asks anew, and how long until it must have its signature. */
const RESTART = { askMs: 3_000, deadlineMs: 15_000 }

const note: EventTemplate = {
  kind: 1,
  content: "signed remotely \u{1f511}",
  tags: [["t", "casemate"]],
  created_at: 1_714_078_911,
}
const profile: EventTemplate = { kind: 0, content: "{}", tags: [], created_at: 1_714_078_911 }

export function connected({ session, peer }: ClientColumn): ClientSession {
  if (session === undefined) throw new Error(`${peer.name} did not connect`)
  return session
}

export async function signs(column: ClientColumn): Promise<void> {
  const signed = await within(connected(column).signEvent(note), ANSWER_MS, "sign_event")
  expect(signed).toMatchObject({ ...note, pubkey: column.bench.userPubkey })
  // A copy: nostr-tools marks what it has verified, and would believe its own mark.
  expect(verifyEvent({ ...(JSON.parse(JSON.stringify(signed)) as typeof signed) })).toBe(true)
}

/** As an app does whose relay has gone and come back. */
export async function signsAgain(column: ClientColumn): Promise<undefined> {
  await again(() => connected(column).signEvent(note), "sign_event after the restart", RESTART)
  await signs(column)
  return undefined
}

/** As an app does that was closed and opened again. */
export async function startAnew(column: ClientColumn): Promise<void> {
  await connected(column).close()
  column.session = await within(column.peer.connect(column.token, column.secretKey), ANSWER_MS, "connect anew")
}

export async function isDenied(column: ClientColumn): Promise<Refusal> {
  const refused = await refusal(within(connected(column).signEvent(profile), ANSWER_MS, "sign_event, kind 0"))
  expect(refused.text).toMatch(/kind 0 is not permitted/)
  return refused
}

export interface Refusal {
  readonly text: string
  /** What an app catches. */
  readonly as: "an Error" | "a string"
}

export async function refusal(promise: Promise<unknown>): Promise<Refusal> {
  try {
    await promise
  } catch (error) {
    if (error instanceof Error) return { text: error.message, as: "an Error" }
    return { text: String(error), as: "a string" }
  }
  throw new Error("it was not refused")
}
