// Server-sent events over fetch, for EventSource cannot send a key. Reconnects by itself.

const reconnect_ms = 2000;

/**
 * Calls `onEvent({event, data})` for each; `onOpen` whenever the stream is (again) open, since changes
 * may have been missed. Ends when `signal` is aborted.
 */
export async function follow(open, { signal, onEvent, onOpen }) {
  while (!signal.aborted) {
    try {
      const response = await open(signal);
      onOpen();
      await readEvents(response.body, onEvent);
    } catch (error) {
      if (signal.aborted || error.status === 401 || error.status === 403) return;
    }
    await new Promise((wake) => setTimeout(wake, reconnect_ms));
  }
}

async function readEvents(body, onEvent) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    text += value.replaceAll('\r\n', '\n');
    let end;
    while ((end = text.indexOf('\n\n')) >= 0) {
      const event = parse(text.slice(0, end));
      text = text.slice(end + 2);
      if (event.data) onEvent(event);
    }
  }
}

/** One block of field lines (HTML, 9.2.6); comments are skipped. */
export function parse(block) {
  const event = { event: 'message', data: '' };
  for (const line of block.split('\n')) {
    const [, field, value] = /^([^:]*):? ?(.*)$/.exec(line);
    if (field === 'event') event.event = value;
    if (field === 'data') event.data += (event.data ? '\n' : '') + value;
  }
  return event;
}
