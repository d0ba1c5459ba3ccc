import { expect, it } from "vitest"
import { checkLeaks } from "../../test/support/leaks.js"
import { matchesFilter } from "./matches-filter.js"

checkLeaks()

const event = {
  id: "1".repeat(64),
  pubkey: "2".repeat(64),
  kind: 24133,
  created_at: 100,
  content: "",
  sig: "3".repeat(128),
  tags: [["p", "4".repeat(64)], ["x"]],
}

it.each([
  [{}, true],
  [{ ids: [event.id] }, true],
  [{ ids: [event.pubkey] }, false],
  [{ authors: [event.pubkey] }, true],
  [{ authors: [] }, false],
  [{ kinds: [1, 24133] }, true],
  [{ kinds: [1] }, false],
  [{ since: 100, until: 100 }, true],
  [{ since: 101 }, false],
  [{ until: 99 }, false],
  [{ "#p": ["4".repeat(64)] }, true],
  [{ "#p": ["5".repeat(64)] }, false],
  [{ "#x": [""] }, false],
  [{ "#long": ["x"] }, true],
  [{ kinds: [24133], "#p": ["4".repeat(64)], limit: 0 }, true],
])("%j: %s", (filter, matches) => {
  expect(matchesFilter(event, filter)).toBe(matches)
})

it("looks past tags and times for a lax relay", () => {
  expect(matchesFilter(event, { "#p": ["5".repeat(64)] }, { ignoreTags: true })).toBe(true)
  expect(matchesFilter(event, { since: 101, until: 1 }, { ignoreTime: true })).toBe(true)
  expect(matchesFilter(event, { kinds: [1] }, { ignoreTags: true, ignoreTime: true })).toBe(false)
})
