// The origin's API for one tenant, with its key; failures become sentences.

export class Api {
  constructor(tenant, key) {
    this.tenant = tenant;
    this.root = `/api/v1/${encodeURIComponent(tenant)}`;
    this.headers = { authorization: `Bearer ${key}` };
  }

  /** {assets: [...], cursor} */
  async assets({ q = '', kind = '', cursor = '' } = {}) {
    const asked = Object.entries({ q, kind, cursor }).filter(([, value]) => value);
    const query = new URLSearchParams(asked);
    return (await this.#ask(`/assets?${query}`)).json();
  }

  async asset(name) {
    return (await this.#ask(`/assets/${encodeURIComponent(name)}`)).json();
  }

  /** Makes a clip, or another version of it: {from, start, end, title} → the asset. */
  async putClip(name, order) {
    return (await this.#ask(`/clips/${encodeURIComponent(name)}`,
      { method: 'PUT', body: JSON.stringify(order) })).json();
  }

  /** {edges: [{edge, confirmed}]} */
  async remove(name) {
    return (await this.#ask(`/assets/${encodeURIComponent(name)}`, { method: 'DELETE' })).json();
  }

  /** The stream of state changes; its body never ends by itself. */
  async events(signal) {
    return this.#ask('/events', { signal, headers: { accept: 'text/event-stream' } });
  }

  /**
   * PUTs a file; XMLHttpRequest, for fetch tells nothing of a request's progress.
   * @param {(fraction: number) => void} onProgress
   */
  upload(file, kind, name, onProgress) {
    const request = new XMLHttpRequest();
    const sent = new Promise((resolve, reject) => {
      request.upload.onprogress = (event) => onProgress(event.loaded / Math.max(1, event.total));
      request.onload = () => (request.status < 300
        ? resolve() : reject(new Error(sentence(request.status, request.responseText))));
      request.onerror = () => reject(new Error('The connection was lost before the file was stored.'));
      request.onabort = () => reject(new Error('Cancelled.'));
    });
    const title = encodeURIComponent(file.name);
    request.open('PUT', `${this.root}/${kind}/${encodeURIComponent(name)}?title=${title}`);
    request.setRequestHeader('authorization', this.headers.authorization);
    request.send(file);
    return { sent, cancel: () => request.abort() };
  }

  async #ask(path, options = {}) {
    let response;
    try {
      response = await fetch(this.root + path,
        { cache: 'no-store', ...options, headers: { ...this.headers, ...options.headers } });
    } catch (error) {
      if (error.name === 'AbortError') throw error;
      throw new Error('The origin does not answer. Is it running?');
    }
    if (response.ok) return response;
    const failure = new Error(sentence(response.status, await response.text()));
    throw Object.assign(failure, { status: response.status });
  }
}

/** One sentence from a problem document (RFC 9457), or from the status where there is none. */
export function sentence(status, body) {
  try {
    const problem = JSON.parse(body);
    const text = [problem.title, problem.detail].filter(Boolean).join(': ');
    if (text) return text;
  } catch { /* not a problem document */ }
  const known = { 401: 'The key is not right.', 403: 'This key is for another tenant.',
    413: 'The file is too large.', 507: 'The origin has no space left.' };
  return known[status] ?? `The origin answered with ${status}.`;
}
