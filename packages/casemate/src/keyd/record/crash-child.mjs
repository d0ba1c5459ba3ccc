// Commits until it is killed, and prints each acknowledgement only after it was given. Run by crash.test.ts.
import { createHmac } from "node:crypto"
import { writeSync } from "node:fs"
import { createFixtures } from "@casemate/nip46/testing"
import { openSqliteRecord } from "../../../dist/keyd/record/sqlite-record.js"

const [path, round] = process.argv.slice(2)
const mac = (bytes) => new Uint8Array(createHmac("sha256", "crash").update(bytes).digest())
const seal = { mac, sealHead: (_, head) => head, openHead: (_, sealed) => sealed }
const record = openSqliteRecord(path, { seal })

const fixtures = createFixtures()
const connection = fixtures.active({ id: `round-${round}`, remoteSignerPubkey: `${round}`.padStart(64, "f") })
await record.createConnection(connection, fixtures.audit())

let count = 0
async function client() {
  for (;;) {
    const eventId = `${round}-${count++}`
    const entry = fixtures.entry(connection, { eventId, repeatKey: `repeat-${eventId}` })
    const { kind } = await record.commit(entry)
    writeSync(1, `${kind} ${eventId}\n`)
    void record.answer(eventId, fixtures.event()).then(() => writeSync(1, `answered ${eventId}\n`))
  }
}
await Promise.all(Array.from({ length: 8 }, client))
