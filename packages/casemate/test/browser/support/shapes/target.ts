/** What a hostile page is after: a request that would be carried out, came it from where it should. */
export interface Target {
  /** Of the bunker's pages. */
  readonly origin: string
  /** `/api/v1/requests/<id>/approve`. */
  readonly path: string
  /** JSON that approves it. */
  readonly body: string
  /** The half of the session that pages keep. No other page can know it; here they do. */
  readonly token: string
  readonly requestId: string
  readonly appId: string
  /** Of the hostile page itself: answers with a redirect to the target that keeps method and body. */
  readonly redirect: string
}
