export { matchesFilter } from "./matches-filter.js"
export { MemoryRelays } from "./memory-transport.js"
export type { PublishFailure, PublishOptions, PublishResult } from "./publisher.js"
export type { Authenticate } from "./relay-auth.js"
export { RelayConnection, type RelayConnectionOptions, type RelayState } from "./relay-connection.js"
export { classifyRefusal, MAX_RELAY_MESSAGE_CHARS, type Refusal, type RelayFilter } from "./relay-message.js"
export { RelaySet, type RelaySetOptions } from "./relay-set.js"
export type { Subscription, SubscriptionHandlers } from "./subscription.js"
export { DEFAULT_TIMING, type RelayTiming } from "./timing.js"
export type {
  PublishReport,
  RelayResult,
  Transport,
  TransportFactory,
  TransportHandlers,
  TransportOptions,
  TransportPublishOptions,
} from "./transport.js"
export { platformWebSocket, type WebSocketFactory, type WebSocketLike } from "./web-socket.js"
