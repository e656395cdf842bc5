// What this browser remembers for one school, across reloads, closed tabs and lost networks.

export class Store {
  // `safe` is false while the browser does not store all (private mode, full disk, large drawings
  // that wait); then things are remembered only as long as the tab lives, and the page says so.
  constructor(school) {
    this.prefix = `nightschool/${school}/`;
    this.safe = true;
    this.memory = new Map();
  }

  get(name, otherwise = null) {
    const key = this.prefix + name;
    try {
      const text = this.memory.get(key) ?? localStorage.getItem(key);
      return text === null ? otherwise : JSON.parse(text);
    } catch {
      return otherwise;
    }
  }

  set(name, value) {
    const key = this.prefix + name;
    const text = JSON.stringify(value);
    try {
      localStorage.setItem(key, text);
      this.memory.delete(key);
      this.safe = !this.memory.size;
    } catch {
      this.memory.set(key, text);
      this.safe = false;
    }
  }

  remove(name) {
    const key = this.prefix + name;
    this.memory.delete(key);
    try {
      localStorage.removeItem(key);
      this.safe = !this.memory.size;
    } catch {
      this.safe = false;
    }
  }

  // Names under a folder, in order.
  names(folder) {
    const start = this.prefix + folder + "/";
    const keys = new Set(this.memory.keys());
    try {
      for (let i = 0; i < localStorage.length; i++) keys.add(localStorage.key(i));
    } catch {
      this.safe = false;
    }
    return [...keys]
      .filter((key) => key.startsWith(start))
      .map((key) => key.slice(this.prefix.length))
      .sort();
  }
}

// crypto.randomUUID exists only on https and on this machine's own names.
export function uuid() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const b = crypto.getRandomValues(new Uint8Array(16));
  b[6] = (b[6] & 0x0f) | 0x40;
  b[8] = (b[8] & 0x3f) | 0x80;
  const hex = [...b].map((x) => x.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
