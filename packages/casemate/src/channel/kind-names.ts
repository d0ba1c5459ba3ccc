/** What people call the usual kinds of events: many of them, and one where that is called otherwise. */
const NAMED: readonly (readonly [kind: number, many: string, one?: string])[] = [
  [0, "your profile"],
  [1, "notes", "a note"],
  [3, "the list of those you follow"],
  [4, "private messages of the old kind", "a private message of the old kind"],
  [5, "deletions", "a deletion"],
  [6, "reposts", "a repost"],
  [7, "reactions", "a reaction"],
  [8, "badges for others", "a badge for others"],
  [9, "messages in a group", "a message in a group"],
  [11, "threads", "a thread"],
  [13, "sealed private messages", "a sealed private message"],
  [16, "reposts of other things than notes", "a repost of something else than a note"],
  [20, "pictures", "a picture"],
  [21, "videos", "a video"],
  [22, "short videos", "a short video"],
  [62, "requests to delete all of your account", "a request to delete all of your account"],
  [1018, "votes in polls", "a vote in a poll"],
  [1063, "descriptions of files", "the description of a file"],
  [1068, "polls", "a poll"],
  [1111, "comments", "a comment"],
  [1222, "voice messages", "a voice message"],
  [1244, "answers to voice messages", "an answer to a voice message"],
  [1311, "messages in a live chat", "a message in a live chat"],
  [1984, "reports of others", "a report of others"],
  [1985, "labels", "a label"],
  [9734, "requests to be billed for a tip", "a request to be billed for a tip"],
  [9802, "highlights", "a highlight"],
  [10000, "the list of those you mute"],
  [10001, "the list of what you pinned"],
  [10002, "the list of your relays"],
  [10003, "bookmarks"],
  [10050, "the relays for your private messages"],
  [10063, "the list of your media servers"],
  [13194, "what your wallet can do"],
  [17375, "your wallet with its keys"],
  [22242, "logins at relays", "a login at a relay"],
  [23194, "orders to your wallet, which spend money", "an order to your wallet, which spends money"],
  [24242, "logins at media servers", "a login at a media server"],
  [27235, "logins at web sites", "a login at a web site"],
  [30008, "the badges in your profile"],
  [30023, "articles", "an article"],
  [30024, "drafts of articles", "a draft of an article"],
  [30078, "private data of apps"],
  [30311, "live streams", "a live stream"],
  [30315, "statuses", "a status"],
  [31922, "events that last days in a calendar", "an event that lasts days in a calendar"],
  [31923, "events with a time in a calendar", "an event with a time in a calendar"],
]

const KIND_NAMES = new Map(NAMED.map(([kind, many, one = many]) => [kind, { many, one }]))

/** `notes (kind 1)`; `events of kind 31337` where the kind has no name here. */
export function kindWords(kind: string | number): string {
  const name = KIND_NAMES.get(Number(kind))
  return name === undefined ? `events of kind ${kind}` : `${name.many} (kind ${kind})`
}

/** `a note (kind 1)`; `an event of kind 31337` where the kind has no name here. */
export function oneOfKindWords(kind: string | number): string {
  const name = KIND_NAMES.get(Number(kind))
  return name === undefined ? `an event of kind ${kind}` : `${name.one} (kind ${kind})`
}
