// A program on a machine that is too slow for it, made of any machine: it is stopped and goes on in turns.

/** What a live transcoder's encode delay is kept within: late, and not so late that it leaves time out. */
const late_s = { least: 0.9, most: 2.2 };
const turn_ms = 250;
const running_ms = { least: 1, most: 240, first: 25 };

const pause = (ms) => new Promise((wake) => setTimeout(wake, ms));

/**
 * Takes the processor from a live transcoder until stop(): it starts with a tenth of the time, and gets less as
 * long as it is in time and more when it is far behind.
 * @param {number} pid  @param {() => Promise<{encode_delay: number}>} look  how the channel is
 */
export function slowDown(pid, look) {
  let share_ms = running_ms.first;
  let stopped = false;
  const adapt = async () => {
    for (; !stopped; await pause(turn_ms)) {
      const { encode_delay } = await look();
      if (encode_delay < late_s.least) share_ms = Math.max(running_ms.least, share_ms * 0.8);
      if (encode_delay > late_s.most) share_ms = Math.min(running_ms.most, share_ms * 1.5);
    }
  };
  const turns = async () => {
    while (!stopped) {
      process.kill(pid, 'SIGSTOP');
      await pause(turn_ms - share_ms);
      process.kill(pid, 'SIGCONT');
      await pause(share_ms);
    }
  };
  const over = Promise.all([adapt(), turns()]);
  over.catch(() => { stopped = true; });  // told by stop()
  return {
    share: () => share_ms / turn_ms,
    stop: () => {
      stopped = true;
      return over;
    },
  };
}
