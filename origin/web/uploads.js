// Uploads of this page, two at a time, each with a row that shows how far it is.

import { make } from './make.js';
import { assetName, kindOf } from './names.js';

const at_once_max = 2;

export class Uploads {
  #waiting = [];
  #running = 0;

  constructor(list) {
    this.list = list;
  }

  add(api, files) {
    for (const file of files) this.#waiting.push({ api, file, row: this.#row(file) });
    this.#next();
  }

  #next() {
    while (this.#running < at_once_max && this.#waiting.length > 0) {
      this.#running += 1;
      this.#send(this.#waiting.shift()).finally(() => {
        this.#running -= 1;
        this.#next();
      });
    }
  }

  async #send({ api, file, row }) {
    const { sent, cancel } = api.upload(file, kindOf(file), assetName(file.name), (fraction) => {
      row.progress.value = fraction;
      row.text.textContent = fraction < 1 ? `sending ${Math.floor(fraction * 100)} %` : 'being stored';
    });
    row.stop.onclick = cancel;
    try {
      await sent;
      row.item.remove();
    } catch (error) {
      row.progress.remove();
      row.text.textContent = error.message;
      row.text.className = 'problem';
      row.stop.textContent = 'Dismiss';
      row.stop.onclick = () => row.item.remove();
    }
  }

  #row(file) {
    const progress = make('progress', { max: 1, value: 0 });
    const text = make('div', { className: 'quiet' }, 'waiting');
    const stop = make('button', { type: 'button' }, 'Cancel');
    const item = make('li', { className: 'item upload' },
      make('div', {}, make('div', { className: 'name' }, file.name), progress, text), stop);
    stop.onclick = () => {
      this.#waiting = this.#waiting.filter(({ row }) => row.item !== item);
      item.remove();
    };
    this.list.append(item);
    return { item, progress, text, stop };
  }
}
