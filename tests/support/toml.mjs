// Writes settings as TOML: an object of tables; arrays of objects become arrays of tables.

export function toToml(settings) {
  return Object.entries(settings).map(([name, table]) =>
    Array.isArray(table)
      ? table.map((item) => `[[${name}]]\n${lines(item)}`).join('\n')
      : `[${name}]\n${lines(table)}`).join('\n');
}

function lines(table) {
  return Object.entries(table)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key} = ${toValue(value)}\n`).join('');
}

function toValue(value) {
  if (Array.isArray(value)) return `[${value.map(toValue).join(', ')}]`;
  if (value !== null && typeof value === 'object') {
    return `{ ${Object.entries(value).map(([key, item]) => `${key} = ${toValue(item)}`).join(', ')} }`;
  }
  return JSON.stringify(value);
}
