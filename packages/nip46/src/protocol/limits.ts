/**
 * Caps on what the other side may send. They are applied before base64 and before JSON, so that the
 * largest thing ever parsed is known.
 */

/** Common relays refuse events above 64 KiB. */
export const MAX_EVENT_BYTES = 65_536

/** About the largest plaintext whose NIP-44 payload still fits an event of 64 KiB. */
export const MAX_PLAINTEXT_BYTES = 40_960

/** A decrypted message: the largest payload of an event, plus room for what padding hides. */
export const MAX_MESSAGE_CHARS = 49_152

/**
 * A request id that is echoed back; real ones are 4 to 64 characters. Whoever sends a longer one hears nothing:
 * no answer could name the request, and half an id would name another one.
 */
export const MAX_REQUEST_ID_CHARS = 1_024

/** Positional params of a request; NIP-46 has four at most. */
export const MAX_PARAMS = 16

/** Nesting of a JSON message; NIP-46 needs four: message, params, event, tags. */
export const MAX_JSON_DEPTH = 16

/** A connection token, with every relay and the client's metadata. */
export const MAX_TOKEN_CHARS = 8_192

/** Relays of one connection. */
export const MAX_RELAYS = 10

/** A relay URL. */
export const MAX_RELAY_URL_CHARS = 1_024
