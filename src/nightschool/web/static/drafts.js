// What was begun and not sent yet: every tab keeps a draft of its own, and takes over those of tabs
// that were closed.

import { uuid } from "./store.js";

// A reload lets go of the tab's name at once; the original of a duplicated tab does not.
const COPY_MS = 300;

export class Drafts {
  constructor(store) {
    this.store = store;
    this.tab = "";
    this.living = new Set();
  }

  get name() {
    return `drafts/${this.tab}`;
  }

  // Finds out which tab this is, and which others live. Comes before all else.
  async begin() {
    const known = this.recall("tab");
    this.tab = known ?? uuid();
    if (!(await hold(this.store.prefix + this.name))) {
      this.tab = uuid();
      await hold(this.store.prefix + this.name);
    }
    this.recollect("tab", this.tab);
    this.living = await held();
  }

  set(draft) {
    this.store.set(this.name, draft);
    this.recollect("draft", draft);
  }

  // The draft of this tab, then those of closed tabs, newest first, which are this tab's from now.
  take() {
    const own = this.recall("draft") ?? this.store.get(this.name);
    const left = this.orphans(own);
    const drafts = left.map((name) => this.store.get(name)).filter(Boolean);
    for (const name of left) this.store.remove(name);
    drafts.sort((a, b) => (b.now?.at ?? 0) - (a.now?.at ?? 0));
    return own ? [own, ...drafts] : drafts;
  }

  // Where the browser cannot tell which tabs live, only a new tab takes what it finds.
  orphans(own) {
    if (own && !navigator.locks) return [];
    const names = [...this.store.names("drafts"), "draft"]; // the second: from an earlier page
    return names.filter((n) => n !== this.name && !this.living.has(this.store.prefix + n));
  }

  // The tab's own storage, which outlives a reload and has room where the other is full.
  recall(name) {
    try {
      return JSON.parse(sessionStorage.getItem(this.store.prefix + name));
    } catch {
      return null;
    }
  }

  recollect(name, value) {
    const key = this.store.prefix + name;
    try {
      sessionStorage.setItem(key, JSON.stringify(value));
    } catch {
      forget(key); // an older one would come back in place of the newest
    }
  }
}

function forget(key) {
  try {
    sessionStorage.removeItem(key);
  } catch {
    // Nothing can be stored there at all.
  }
}

// Holds a name for as long as the tab lives; false where another tab has it.
function hold(name) {
  if (!navigator.locks) return true;
  return new Promise((done) => {
    const forever = () => new Promise(() => done(true));
    const signal = AbortSignal.timeout(COPY_MS);
    navigator.locks.request(name, { signal }, forever).catch(() => done(false));
  });
}

async function held() {
  try {
    const { held: locks } = await navigator.locks.query();
    return new Set(locks.map((lock) => lock.name));
  } catch {
    return new Set();
  }
}
