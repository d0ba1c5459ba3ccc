import type { OwnerCalls } from "../../channel/owner-calls.js"
import { UserError } from "../../config/user-error.js"
import type { OwnerPorts } from "./ports.js"

/** One try takes 10 s at most, and a gateway that was killed is back soon. */
const TEST_PATIENCE_MS = 15_000

/** @throws UserError when there is no webhook, or it does not take the notice */
export async function testWebhook({
  notices,
}: Pick<OwnerPorts, "notices">): Promise<OwnerCalls["webhook.test"]["result"]> {
  if (notices === undefined) {
    throw new UserError("no webhook is set; start the bunker with `casemate start --webhook` and a URL")
  }
  let timer: NodeJS.Timeout | undefined
  const patience = new Promise<string>((resolve) => {
    timer = setTimeout(resolve, TEST_PATIENCE_MS, "the bunker's network side is not up; try again in a moment")
  })
  const failure = await Promise.race([notices.test(), patience]).finally(() => clearTimeout(timer))
  if (failure !== undefined) throw new UserError(`the webhook failed: ${failure}`)
  return {}
}
