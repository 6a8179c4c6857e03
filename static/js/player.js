// The player and the text follow each other.

export class Follower {
  constructor(player, page) {
    this.player = player;
    this.page = page;
    this.current = null;
    this.textChanged();
    page.addEventListener("click", (event) => this.onClick(event));
    player.addEventListener("timeupdate", () => this.show());
    player.addEventListener("seeked", () => this.show());
  }

  /** The segments were made anew or grew. */
  textChanged() {
    this.segments = [...this.page.querySelectorAll("[data-start-ms]")];
    this.starts = this.segments.map((segment) => Number(segment.dataset.startMs));
    this.current = null;
    this.show();
  }

  onClick(event) {
    const segment = event.target.closest("[data-start-ms]");
    const isSelecting = !getSelection().isCollapsed && !event.target.closest("button");
    if (!segment || isSelecting) return;
    this.player.currentTime = Number(segment.dataset.startMs) / 1000;
    this.player.play().catch(() => {}); // the player shows its own error
  }

  show() {
    const hasStarted = !this.player.paused || this.player.currentTime > 0;
    const segment = hasStarted ? this.segmentAt(this.player.currentTime * 1000) : null;
    if (segment === this.current) return;
    const wasInView = this.current && isInView(this.current);
    this.current?.classList.remove("current");
    this.current?.removeAttribute("aria-current");
    this.current = segment;
    segment?.classList.add("current");
    segment?.setAttribute("aria-current", "true");
    // it scrolls only for a reader who is where the sound is
    if (segment && wasInView && !this.player.paused) segment.scrollIntoView({ block: "nearest" });
  }

  segmentAt(timeMs) {
    let low = 0;
    let high = this.starts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.starts[middle] <= timeMs) low = middle + 1;
      else high = middle;
    }
    const segment = this.segments[low - 1];
    return segment && timeMs < Number(segment.dataset.endMs) ? segment : null;
  }
}

function isInView(element) {
  const { top, bottom } = element.getBoundingClientRect();
  return top >= 0 && bottom <= innerHeight;
}
