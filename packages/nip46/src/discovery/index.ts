/** `@casemate/nip46/discovery`: finding remote-signers by name (NIP-05). */
export {
  fillNostrconnectUrl,
  isSignerName,
  type LookupOptions,
  lookupSigner,
  type NamedSigner,
} from "./lookup-signer.js"
