/* Which stretch of time the charts show. */

const AHEAD_S = 60; // a source's clock may be that much ahead of the gateway's

/**
 * The window of `seconds` that ends now. When the newest reading isn't in it (silent for long, or a
 * source with a wrong clock) it ends with that reading, and `held` says so.
 */
export function windowOf(seconds, now, newest) {
  const held = newest !== null && (newest < now - seconds || newest > now + AHEAD_S);
  const end = held ? newest : Math.max(now, newest ?? now);
  return { start: end - seconds, end, held };
}
