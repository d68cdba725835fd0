/* The HTTP API. */

const TIMEOUT_MS = 15_000;
const PAGE = 10_000; // the most that the gateway gives at once

/** GET `path` with `query`; throws an Error in words when that fails. */
export const get = (path, query = {}) => ask(`${path}?${new URLSearchParams(query)}`);

/** POST to `path`; throws as `get` does. */
export const post = (path, timeout = TIMEOUT_MS) => ask(path, { method: "POST", signal: AbortSignal.timeout(timeout) });

async function ask(path, options = {}) {
  const response = await fetch(`/api/v1/${path}`, { signal: AbortSignal.timeout(TIMEOUT_MS), ...options });
  const body = await response.json();
  if (!response.ok) throw new Error(body.error?.message ?? `the gateway answered ${response.status}`);
  return body;
}

/** Whether this device has an address: a browser takes `.` and `..` out of a path, escaped or not. */
export const hasAddress = (device) => device !== "." && device !== "..";

const readingsOf = (device) => `devices/${encodeURIComponent(device)}/readings`;

/** The newest `limit` readings, oldest first. */
export async function newest(device, limit) {
  const { readings } = await get(readingsOf(device), { order: "desc", limit });
  return readings.reverse();
}

/** Pages of readings since `from` (Unix seconds), newest page first; in each page oldest first. */
export async function* pagesBack(device, from) {
  let next = null;
  do {
    const position = next === null ? {} : { after: next };
    const page = await get(readingsOf(device), { from, order: "desc", limit: PAGE, ...position });
    next = page.readings.length ? page.next : null;
    yield page.readings.reverse();
  } while (next !== null);
}

/** The readings `from` to `to` (sequence numbers), at most 10000 of them. */
export async function between(device, from, to) {
  const found = [];
  let after = from - 1;
  do {
    const limit = Math.min(PAGE - found.length, to - after);
    const page = await get(readingsOf(device), { after, order: "asc", limit });
    found.push(...page.readings);
    after = page.next; // a page of large readings ends early
  } while (after !== null && after < to && found.length < PAGE);
  return found.filter(({ seq }) => seq <= to);
}
