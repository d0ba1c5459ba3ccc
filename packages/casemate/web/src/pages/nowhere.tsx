import type { JSX } from "preact"
import { Link } from "../parts/link.js"
import { Page } from "../parts/page.js"

export function NowherePage(): JSX.Element {
  return (
    <Page title="There is no such page">
      <p>The address may be cut off, or from another version of Casemate.</p>
      <Link to="/requests" class="button plain">
        See what waits for you
      </Link>
    </Page>
  )
}
