// The origin's server-sent events, as a client of the API gets them.

import http from 'node:http';

/** Opens a tenant's stream of events; `events` grows as they come, until close(). */
export function listen(origin, tenant, headers = {}) {
  const events = [];
  const opened = http.get(`${origin.url}/api/v1/${tenant}/events`,
    { headers: { ...origin.authorization(tenant), ...headers } }, (incoming) => {
      let text = '';
      incoming.on('data', (piece) => {
        text += piece;
        for (let end; (end = text.indexOf('\n\n')) >= 0; text = text.slice(end + 2)) {
          const fields = Object.fromEntries(text.slice(0, end).split('\n').map((line) => line.split(/: (.*)/s)));
          if (fields.data) events.push({ ...fields, data: JSON.parse(fields.data) });
        }
      }).on('error', () => {});
    });
  opened.on('error', () => {});
  return { events, close: () => opened.destroy(), ready: new Promise((done) => opened.once('response', done)) };
}
