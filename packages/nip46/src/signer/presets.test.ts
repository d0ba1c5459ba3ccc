import { describe, expect, it } from "vitest"
import { createNodeBackend } from "../crypto/node/index.js"
import { createFixtures } from "../testing/record-fixtures.js"
import { type Ask, authorize } from "./authorize.js"
import { isPresetName, newGrant, PRESETS, type Preset } from "./index.js"

const NOW = 1_700_000_000
const crypto = createNodeBackend()
const { active, hex } = createFixtures()

const LOGIN_TAGS: Readonly<Record<number, string[][]>> = {
  22242: [
    ["relay", "wss://relay.example"],
    ["challenge", "x"],
  ],
  24242: [["t", "upload"]],
  27235: [
    ["u", "https://media.example"],
    ["method", "POST"],
  ],
}
const sign = (kind: number): Ask => ({
  method: "sign_event",
  template: { kind, content: "", tags: LOGIN_TAGS[kind] ?? [], created_at: NOW },
})

function verdictOf({ name }: Preset, ask: Ask): string {
  return authorize(ask, CONNECTIONS[name], NOW).kind
}

const connectionWith = ({ permissions }: Preset) =>
  active({ grants: permissions.map((permission) => newGrant(permission, crypto)), style: "hold" })
const CONNECTIONS = {
  ask: connectionWith(PRESETS.ask),
  social: connectionWith(PRESETS.social),
  full: connectionWith(PRESETS.full),
}

function groupBy(kinds: readonly number[], keyOf: (kind: number) => string): Record<string, number[]> {
  const groups: Record<string, number[]> = {}
  for (const kind of kinds) {
    const key = keyOf(kind)
    groups[key] ??= []
    groups[key].push(kind)
  }
  return groups
}

/** `1 6-7` for the kinds 1, 6 and 7. */
function ranges(kinds: readonly number[]): string {
  const runs: [number, number][] = []
  for (const kind of kinds) {
    const last = runs.at(-1)
    if (last !== undefined && last[1] === kind - 1) last[1] = kind
    else runs.push([kind, kind])
  }
  return runs.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(" ")
}

/** All 65,536 kinds, by what becomes of them. */
const SNAPSHOT: Readonly<Record<Preset["name"], Readonly<Record<string, string>>>> = {
  ask: { ask: "0-24132 24134-65535", deny: "24133" },
  social: {
    ask: "0 2-5 8-10 12 14-15 17-19 23-1017 1019-1067 1069-1110 1112-1221 1223-1243 1245-1310 1312-9733 9735-9801 9803-22241 22243-24132 24134-30314 30316-65535",
    allow: "1 6-7 11 13 16 20-22 1018 1068 1111 1222 1244 1311 9734 9802 22242 30315",
    deny: "24133",
  },
  full: {
    ask: "0 3 5 62 10002 10050 13194 17375 22242 23194 24242 27235 30078",
    allow:
      "1-2 4 6-61 63-10001 10003-10049 10051-13193 13195-17374 17376-22241 22243-23193 23195-24132 24134-24241 24243-27234 27236-30077 30079-65535",
    deny: "24133",
  },
}

describe("presets", () => {
  it.each(Object.values(PRESETS))("$name: every kind there is", (preset) => {
    const kinds = Array.from({ length: 65_536 }, (_, kind) => kind)
    const byVerdict = groupBy(kinds, (kind) => verdictOf(preset, sign(kind)))
    expect(Object.fromEntries(Object.entries(byVerdict).map(([verdict, list]) => [verdict, ranges(list)]))).toEqual(
      SNAPSHOT[preset.name],
    )
  })

  it.each([
    ["ask", "ask", "ask"],
    ["social", "allow", "ask"],
    ["full", "allow", "allow"],
  ] as const)("%s: NIP-44 %s, NIP-04 %s", (name, nip44, nip04) => {
    for (const way of ["encrypt", "decrypt"] as const) {
      const ask = (method: `nip${"04" | "44"}_${typeof way}`): Ask => ({ method, counterparty: hex(), text: "x" })
      expect(verdictOf(PRESETS[name], ask(`nip44_${way}`))).toBe(nip44)
      expect(verdictOf(PRESETS[name], ask(`nip04_${way}`))).toBe(nip04)
    }
  })

  it("have the names that they are chosen by", () => {
    expect(Object.keys(PRESETS).every(isPresetName)).toBe(true)
    expect(["", "toString", "Social", "__proto__"].some(isPresetName)).toBe(false)
  })
})
