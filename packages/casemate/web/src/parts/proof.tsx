import type { ComponentChildren, JSX } from "preact"
import { createContext } from "preact"
import { useContext, useState } from "preact/hooks"
import type { Proof, WebCalls } from "../../../src/channel/web-calls.js"
import { ApiError, type PageCall, type PageResult } from "../api.js"
import { passkeyProof } from "../passkeys.js"
import { Cancelled } from "../words/errors.js"
import { usePage } from "./page-context.js"
import { ProofDialog } from "./proof-dialog.js"

type Confirm = <C extends PageCall>(call: C, args: WebCalls[C]["args"]) => Promise<PageResult<C>>

const ConfirmContext = createContext<Confirm | undefined>(undefined)

/** A call that may need a proof: its owner is asked for one where keyd wants it. */
export function useConfirm(): Confirm {
  const confirm = useContext(ConfirmContext)
  if (confirm === undefined) throw new Error("a part that confirms was drawn outside of ProofProvider")
  return confirm
}

/** What the dialog is open for. */
export interface Asking {
  readonly options: WebCalls["proof.options"]["result"]
  /** Why the passkey did not do, where it was tried. */
  readonly failure: unknown
  readonly freshOptions: () => Promise<WebCalls["proof.options"]["result"]>
  /** Makes the call with it. */
  readonly attempt: (proof: Proof) => Promise<void>
  readonly giveUp: (error: unknown) => void
}

export function ProofProvider({ children }: { readonly children: ComponentChildren }): JSX.Element {
  const { api } = usePage()
  const [asking, setAsking] = useState<Asking | undefined>(undefined)

  const confirm: Confirm = async (call, args) => {
    try {
      return await api.call(call, args)
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== "proof_needed") throw error
    }
    const freshOptions = () => api.call("proof.options", { call, args })
    const options = await freshOptions()
    let failure: unknown
    if (options.passkey !== undefined) {
      try {
        return await api.call(call, args, await passkeyProof(options.passkey))
      } catch (error) {
        if (!isOfCredential(error)) throw error
        failure = error
      }
    }
    try {
      return await new Promise((resolve, reject) => {
        const attempt = async (proof: Proof): Promise<void> => resolve(await api.call(call, args, proof))
        setAsking({ options, failure, freshOptions, attempt, giveUp: reject })
      })
    } finally {
      setAsking(undefined)
    }
  }

  return (
    <ConfirmContext.Provider value={confirm}>
      {children}
      {asking !== undefined && <ProofDialog {...asking} onCancel={() => asking.giveUp(new Cancelled())} />}
    </ConfirmContext.Provider>
  )
}

/** Another passkey, password or code may do; anything else would fail again. */
export function isOfCredential(error: unknown): boolean {
  return !(error instanceof ApiError) || error.code === "wrong_credential" || error.code === "proof_needed"
}
