import { MAX_EVENT_BYTES } from "@casemate/nip46/protocol"

/** What one peer may take of the relay. Those a client can run into are advertised by NIP-11. */
export interface RelayLimits {
  /** Sockets in total. */
  maxConnections: number
  /** Sockets of one address (IPv6: of one /64). Loopback is exempt: a reverse proxy is all of its clients. */
  maxConnectionsPerAddress: number
  maxSubscriptions: number
  maxFilters: number
  /** Values in one list of one filter. */
  maxFilterValues: number
  /** Values in all filters of one connection together: what it may take of our memory. */
  maxValuesPerConnection: number
  /** NIP-01: a subscription id has 64 characters at most. */
  maxSubscriptionIdChars: number
  /** Bytes of one message, refused before anything is parsed. */
  maxMessageBytes: number
  /** Bytes of one event as canonical JSON. */
  maxEventBytes: number
  maxEventTags: number
  /** Messages a second that one socket may send for long, and how many at once. */
  messagesPerSecond: number
  messageBurst: number
  /** Bytes that wait for a peer that does not read. */
  maxBufferedBytes: number
  /**
   * Seconds that `created_at` may be off, either way. A relay that stores nothing needs no narrow bound, and
   * one would leave a client with a wrong clock without the signer's word that says so.
   */
  maxClockSkewSeconds: number
  /** Event ids that are remembered against duplicates. */
  rememberedEvents: number
  /** A peer that missed one ping of this interval is dropped at the next. */
  pingIntervalMs: number
}

export const DEFAULT_RELAY_LIMITS: Readonly<RelayLimits> = {
  maxConnections: 1_000,
  maxConnectionsPerAddress: 50,
  maxSubscriptions: 64,
  maxFilters: 10,
  maxFilterValues: 1_000,
  maxValuesPerConnection: 10_000,
  maxSubscriptionIdChars: 64,
  maxMessageBytes: 131_072,
  maxEventBytes: MAX_EVENT_BYTES,
  maxEventTags: 100,
  messagesPerSecond: 200,
  messageBurst: 1_000,
  maxBufferedBytes: 4 * 1024 * 1024,
  maxClockSkewSeconds: 25 * 60 * 60,
  rememberedEvents: 10_000,
  pingIntervalMs: 25_000,
}
