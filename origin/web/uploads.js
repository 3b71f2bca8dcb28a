// Uploads of this page, two at a time, each with a row that shows how far it is. A file whose name is
// in use waits, in its row, for the word what to do.

import { make } from './make.js';
import { assetName, kindOf } from './names.js';
import { assetThatStays, freeName } from './taken_names.js';

const at_once_max = 2;

export class Uploads {
  #waiting = [];
  #running = 0;
  #taken = new Set();  // names of the files that are begun, for the origin may not know them yet

  constructor(list) {
    this.list = list;
  }

  add(api, files) {
    for (const file of files) {
      const upload = { api, file, kind: kindOf(file), name: assetName(file.name), replaces: false };
      this.#queue({ ...upload, row: this.#row(file) });
    }
  }

  #queue(upload) {
    const { row } = upload;
    row.says('waiting');
    row.stop.onclick = () => {
      this.#waiting = this.#waiting.filter((other) => other.row !== row);
      row.item.remove();
    };
    this.#waiting.push(upload);
    this.#next();
  }

  #next() {
    while (this.#running < at_once_max && this.#waiting.length > 0) {
      this.#running += 1;
      this.#begin(this.#waiting.shift()).finally(() => {
        this.#running -= 1;
        this.#next();
      });
    }
  }

  async #begin(upload) {
    const { api, row, name, replaces } = upload;
    let cancelled = false;
    row.stop.onclick = () => {
      cancelled = true;
      row.item.remove();
    };
    // Before the origin is asked: while its answer travels, another file of this name may come and be sent.
    const isFirst = !this.#taken.has(name);
    this.#taken.add(name);
    try {
      const old = replaces ? null : await assetThatStays(api, name);
      if (cancelled) return;
      const asks = !replaces && (old || !isFirst);
      await (asks ? this.#ask(upload, old) : this.#send(upload));
    } catch (error) {
      row.fails(error);
    } finally {
      if (isFirst) this.#taken.delete(name);
    }
  }

  async #send({ api, file, kind, name, row }) {
    const { sent, cancel } = api.upload(file, kind, name, (fraction) => {
      row.progress.value = fraction;
      row.says(fraction < 1 ? `sending ${Math.floor(fraction * 100)} %` : 'being stored');
    });
    row.stop.onclick = cancel;
    await sent;
    row.item.remove();
  }

  /** Holds up nobody else: the answer puts the file in the queue again. */
  async #ask(upload, old) {
    const { api, kind, name, row } = upload;
    const free = await freeName(api, name, (other) => this.#taken.has(other));
    // A photo's bytes never change at its address, and a name keeps its kind.
    const replaceable = kind === 'videos' && old?.kind === 'video';
    const again = (change) => () => {
      row.choices.replaceChildren();
      this.#queue({ ...upload, ...change });
    };
    row.says(`“${name}” is there already.`);
    row.choices.append(
      ...(replaceable ? [make('button', { type: 'button', onclick: again({ replaces: true }) }, 'Replace it')] : []),
      make('button', { type: 'button', onclick: again({ name: free }) }, `Keep both: “${free}”`));
    row.stop.onclick = () => row.item.remove();
  }

  #row(file) {
    const progress = make('progress', { max: 1, value: 0 });
    const text = make('div', { className: 'quiet' });
    const choices = make('div', { className: 'choices' });
    const stop = make('button', { type: 'button' }, 'Cancel');
    const item = make('li', { className: 'item upload' },
      make('div', {}, make('div', { className: 'name' }, file.name), progress, text, choices), stop);
    const says = (words) => { text.textContent = words; };
    const fails = (error) => {
      progress.remove();
      says(error.message);
      text.className = 'problem';
      stop.textContent = 'Dismiss';
      stop.onclick = () => item.remove();
    };
    this.list.append(item);
    return { item, progress, choices, stop, says, fails };
  }
}
