/** `@casemate/nip46/testing`: suites and peers for anyone's tests. */
export {
  FaultRelay,
  type FaultRelayOptions,
  type OpenSubscription,
  type ReceivedMessage,
} from "./fault-relay.js"
export {
  type Defer,
  type MemoryPair,
  type MemoryPairOptions,
  memoryPair,
  type RelaySideSocket,
} from "./memory-socket.js"
export type { Fixtures } from "./record-fixtures.js"
export { createFixtures } from "./record-fixtures.js"
export type { RecordCheck, RecordSubject } from "./record-subject.js"
export type { RecordSuiteOptions } from "./record-suite.js"
export { recordChecks, recordSuite } from "./record-suite.js"
export { NO_FAULTS, type RelayFaults } from "./relay-faults.js"
export { seededRandom } from "./seeded-random.js"
export type { SignerSubject, SignerSuiteOptions } from "./signer-suite.js"
export { signerSuite } from "./signer-suite.js"
export type { TransportSubject, TransportSuiteOptions } from "./transport-suite.js"
export { transportSuite } from "./transport-suite.js"
