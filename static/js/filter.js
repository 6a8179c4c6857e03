// Which recordings the list shows: the address holds it, so that reload and back keep it.

const TYPING_MS = 250;

export class Filter {
  /** onChange() after each change of the address, by the reader or by back and forward. */
  constructor({ views, search, clear, onChange }) {
    Object.assign(this, { views, search, onChange });
    this.field = search.elements.q;
    this.timer = 0;
    views.addEventListener("click", (event) => this.onLink(event, event.target.closest("a")));
    clear.addEventListener("click", (event) => this.onLink(event, clear));
    search.addEventListener("submit", (event) => {
      event.preventDefault();
      this.apply();
    });
    this.field.addEventListener("input", () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.apply(), TYPING_MS);
    });
    addEventListener("popstate", () => this.changed());
  }

  /** The address's query: status and q. */
  get query() {
    const values = [...new URLSearchParams(location.search)];
    return String(new URLSearchParams(values.filter(([name]) => ["status", "q"].includes(name))));
  }

  /** How many jobs there are, whatever is shown. */
  get total() {
    return Number(this.views.querySelector("[data-count]").textContent);
  }

  get isSet() {
    return this.query !== "";
  }

  onLink(event, link) {
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    this.go(link.getAttribute("href"), "pushState");
  }

  /** What is typed narrows what is shown; it makes no new entry for back. */
  apply() {
    clearTimeout(this.timer);
    const values = new URLSearchParams(location.search);
    const text = this.field.value.trim();
    if (text) values.set("q", text);
    else values.delete("q");
    this.go(addressOf(values), "replaceState");
  }

  go(address, how) {
    if (address === location.pathname + location.search) return;
    history[how](null, "", address);
    this.changed();
  }

  changed() {
    const values = new URLSearchParams(location.search);
    if (this.field.value.trim() !== (values.get("q") ?? "")) this.field.value = values.get("q") ?? "";
    for (const link of this.views.querySelectorAll("a")) {
      const isCurrent = link.dataset.view === (values.get("status") ?? "");
      if (isCurrent) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
      const own = new URLSearchParams({ ...(link.dataset.view && { status: link.dataset.view }) });
      if (values.get("q")) own.set("q", values.get("q"));
      link.setAttribute("href", addressOf(own));
    }
    this.onChange();
  }

  /** How many jobs each state has. */
  showCounts(counts) {
    let all = 0;
    for (const count of Object.values(counts)) all += count;
    for (const link of this.views.querySelectorAll("a")) {
      const { view } = link.dataset;
      link.querySelector("[data-count]").textContent = view ? counts[view] : all;
    }
  }
}

const addressOf = (values) => (values.size ? `/?${values}` : "/");
