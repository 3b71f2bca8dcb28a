// Waiting without fixed sleeps: ask again until it is so, or say what was waited for.

const pause = (ms) => new Promise((wake) => setTimeout(wake, ms));

/**
 * Calls `probe` until it returns something truthy, which is returned. A probe that throws counts as
 * "not yet"; its last error stands in the message when the deadline passes.
 */
export async function until(what, probe, { deadline_ms = 30_000, every_ms = 50 } = {}) {
  const end = Date.now() + deadline_ms;
  let last = 'nothing yet';
  for (;;) {
    try {
      const answer = await probe();
      if (answer) return answer;
      last = `last answer: ${JSON.stringify(answer)}`;
    } catch (error) {
      if (error.final) throw error;
      last = `last error: ${error.message}`;
    }
    if (Date.now() > end) throw new Error(`waited ${deadline_ms} ms for ${what}; ${last}`);
    await pause(every_ms);
  }
}

/** An error that `until` passes on at once: waiting longer cannot help. */
export function final(message) {
  return Object.assign(new Error(message), { final: true });
}
