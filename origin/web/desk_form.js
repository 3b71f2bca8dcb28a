// Names a clip and publishes it. A name that is in use is not taken over without a word.

import { faultOf } from './marks.js';
import { make } from './make.js';
import { apiTime, momentText } from './moment_text.js';
import { plainName } from './names.js';
import { assetThatStays, freeName } from './taken_names.js';

export class ClipForm {
  #touched = { title: false, name: false };
  #busy = false;

  /**
   * @param {{form: HTMLFormElement, title: Element, name: Element, exact: HTMLInputElement,
   *   says: Element, choices: Element}} parts
   * @param {{api: () => object, source: object, marks: () => object, range: () => object,
   *   onPublished: (asset: object) => void}} desk  source: the asset that the clips are made of
   */
  constructor(parts, desk) {
    Object.assign(this, parts, { desk });
    this.form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.publish();
    });
    this.title.addEventListener('input', () => this.#onTyped('title', this.title.value !== ''));
    this.name.addEventListener('input', () => this.#onTyped('name', this.name.value !== ''));
  }

  /** Proposes a title and a name for what is marked, as long as nobody wrote others. */
  suggest() {
    const { in_ms } = this.desk.marks();
    if (!this.#touched.title) this.title.value = in_ms === null ? '' : this.#suggestion(in_ms);
    if (!this.#touched.name) this.name.value = plainName(this.title.value);
  }

  async publish() {
    if (this.#busy) return;
    this.#busy = true;
    this.#say('');
    try {
      await this.#publish();
    } catch (error) {
      this.#say(error.message, 'problem');
    } finally {
      this.#busy = false;
    }
  }

  async #publish() {
    const fault = faultOf(this.desk.marks(), this.desk.range());
    if (fault) throw new Error(fault);
    const name = plainName(this.name.value);
    if (!name) throw new Error('Give the clip a name: letters, digits, . _ -');
    const old = await assetThatStays(this.desk.api(), name);
    await (old ? this.#ask(name, old) : this.#send(name, this.#order()));
  }

  #order() {
    const { in_ms, out_ms } = this.desk.marks();
    const time = (moment_ms) => apiTime(moment_ms, this.desk.source.dated);
    return { from: this.desk.source.asset, start: time(in_ms), end: time(out_ms),
      title: this.title.value.trim() || this.name.value, exact: this.exact.checked };
  }

  async #send(name, order) {
    this.#say('Publishing …');
    const asset = await this.desk.api().putClip(name, order);
    this.#touched = { title: false, name: false };
    this.#say(`Published: ${asset.title}`, 'good');
    this.desk.onPublished(asset);
  }

  /** The marks may move on while the question stands: what is asked about is what was marked. */
  async #ask(name, old) {
    const order = this.#order();
    const free = await freeName(this.desk.api(), name);
    const choice = (words, act) => {
      const button = make('button', { type: 'button' }, words);
      button.addEventListener('click', () => this.#answer(act));
      return button;
    };
    this.#say(`“${name}” is there already.`, 'problem');
    this.choices.replaceChildren(
      ...(old.kind === 'clip' ? [choice('Replace it', () => this.#send(name, order))] : []),
      choice(`Keep both: “${free}”`, () => this.#send(free, order)),
      choice('Cancel', async () => this.#say('')));
    this.choices.querySelector('button').focus();
  }

  async #answer(act) {
    this.choices.replaceChildren();
    try {
      await act();
    } catch (error) {
      this.#say(error.message, 'problem');
    }
  }

  #onTyped(field, touched) {
    this.#touched[field] = touched;
    if (field === 'title') this.suggest();
  }

  #suggestion(in_ms) {
    const { title, asset, dated } = this.desk.source;
    return `${title || asset} ${momentText(in_ms, { dated, decimals: 0 })}`;
  }

  #say(words, look = 'quiet') {
    this.choices.replaceChildren();
    this.says.textContent = words;
    this.says.className = look;
  }
}
