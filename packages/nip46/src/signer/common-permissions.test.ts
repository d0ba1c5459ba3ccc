import { expect, it } from "vitest"
import { formatPermissions, parsePermissions } from "../protocol/permission.js"
import { commonPermissions } from "./common-permissions.js"

const DEFAULTS = "sign_event:1,sign_event:7,nip44_encrypt"
const friend = "a".repeat(64)

it.each([
  ["", ""],
  ["sign_event:1", "sign_event:1"],
  ["sign_event:1,sign_event:4,nip04_decrypt", "sign_event:1"],
  ["sign_event", "sign_event:1,sign_event:7"],
  ["sign_event,sign_event:7", "sign_event:1,sign_event:7"],
  [`nip44_encrypt:${friend}`, `nip44_encrypt:${friend}`],
  ["nip44_encrypt,nip44_decrypt", "nip44_encrypt"],
  ["get_public_key,ping", ""],
])("of %j as far as it lies in the defaults, %j is left", (requested, common) => {
  const result = formatPermissions(commonPermissions(parsePermissions(requested), parsePermissions(DEFAULTS)))
  expect(result).toBe(common)
})

it("QUIRKS signer 6: a wildcard has no sensitive kind in common with anything, whichever side names it", () => {
  const wildcard = parsePermissions("sign_event")
  const named = parsePermissions("sign_event:0,sign_event:1,sign_event:22242")
  expect(formatPermissions(commonPermissions(wildcard, named))).toBe("sign_event:1")
  expect(formatPermissions(commonPermissions(named, wildcard))).toBe("sign_event:1")
  expect(formatPermissions(commonPermissions(named, parsePermissions("sign_event:0")))).toBe("sign_event:0")
})
