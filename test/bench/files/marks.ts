/** A file of an hour, with a mark spoken at the beginning of each of these. */
export const MARK_MS = 10_000;
export const MINUTES = 60;
export const MARKS = (MINUTES * 60_000) / MARK_MS;

/** How far a cue may be from the truth. */
export const NEAR_MS = 300;
