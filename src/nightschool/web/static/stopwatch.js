// Seconds that somebody really looked: it stands still while the tab is hidden.

export class Stopwatch {
  constructor() {
    this.before = 0;
    this.since = performance.now();
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) this.before = this.read(true);
      else this.since = performance.now();
    });
  }

  start(seconds = 0) {
    this.before = seconds;
    this.since = performance.now();
  }

  read(running = !document.hidden) {
    return this.before + (running ? (performance.now() - this.since) / 1000 : 0);
  }
}
