/** The two ways in: by the bunker's token (NIP-46 §Direct connection initiated by remote-signer), and by the app's. */
export const FLOWS = ["bunker://", "nostrconnect://"] as const

export type Flow = (typeof FLOWS)[number]
