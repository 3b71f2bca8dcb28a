// The quality menu: Auto and every rendition, best first; Auto tells what it plays.

const automatic = 'auto';

export class QualityMenu {
  constructor(label, select, player) {
    this.label = label;
    this.select = select;
    this.player = player;
    select.addEventListener('change', () =>
      player.choose(select.value === automatic ? null : select.value));
    player.addEventListener('levels', () => this.show());
  }

  show() {
    const levels = [...this.player.levels].sort((a, b) => b.bitrate - a.bitrate);
    const playing = levels.find(({ key }) => key === this.player.playingKey);
    const auto = playing ? `Auto (${nameOf(playing, levels)})` : 'Auto';
    this.select.replaceChildren(option(automatic, auto),
      ...levels.map((level) => option(level.key, nameOf(level, levels))));
    this.select.value = this.player.chosenKey ?? automatic;
    this.label.hidden = levels.length === 0;
  }
}

function option(value, text) {
  const element = document.createElement('option');
  element.value = value;
  element.textContent = text;
  return element;
}

/** "720p", "720p50"; with the rate where two share a name; "Sound only" without a picture. */
export function nameOf(level, levels) {
  const short = ({ height, frameRate }) =>
    height ? `${height}p${frameRate > 30.5 ? Math.round(frameRate) : ''}` : 'Sound only';
  const twins = levels.filter((other) => short(other) === short(level));
  const rate = `${(level.bitrate / 1e6).toFixed(1)} Mbit/s`;
  return twins.length > 1 ? `${short(level)}, ${rate}` : short(level);
}
