// The row of a file that has no job yet: what it shows, and its buttons.

const BUTTONS = ["choose", "again", "pause", "dismiss"];

export class UploadRow {
  /** `on` has a function for each button. */
  constructor({ list, template, name, on }) {
    this.list = list;
    this.name = name;
    this.element = template.content.firstElementChild.cloneNode(true);
    this.part("name").textContent = name;
    this.bar = this.element.querySelector("progress");
    this.bar.setAttribute("aria-label", `Sending ${name}`);
    for (const button of BUTTONS) this.part(button).addEventListener("click", () => on[button]());
    list.append(this.element);
  }

  part(name) {
    return this.element.querySelector(`[data-${name}]`);
  }

  /**
   * `kind`: unsent (its file would be lost with the page), failed, known or unfinished;
   * `buttons` has the words of those that are shown; `percent` null hides the bar.
   */
  show(state, { sent = "", kind = "unsent", percent = null, note = "", error = "", buttons = {} }) {
    this.element.dataset.kind = kind;
    this.setText("state", state);
    this.setText("sent", sent);
    this.setText("note", note);
    this.setText("error", error);
    this.bar.hidden = percent === null;
    this.bar.value = percent ?? 0;
    this.part("open").hidden = true;
    for (const name of BUTTONS) this.showButton(name, buttons[name]);
  }

  /** What is the same already is not told again to a screen reader. */
  setText(name, text) {
    const part = this.part(name);
    if (part.textContent !== text) part.textContent = text;
  }

  /** Many rows have the same buttons: each one's name tells its file. */
  showButton(name, text) {
    const button = this.part(name);
    const hadFocus = button === document.activeElement;
    button.hidden = !text;
    if (!text) return hadFocus && this.firstButton?.focus();
    this.setText(name, text);
    button.setAttribute("aria-label", `${text} ${this.name}`);
  }

  showLink(address) {
    const link = this.part("open");
    link.href = address;
    link.setAttribute("aria-label", `Open ${this.name}`);
    link.hidden = false;
  }

  get state() {
    return this.part("state").textContent;
  }

  get firstButton() {
    return firstButtonOf(this.element);
  }

  /** A focus in it goes to `heir`, else to the row beside it. */
  remove(heir) {
    const { element } = this;
    const hasFocus = element.contains(document.activeElement);
    const beside = element.nextElementSibling ?? element.previousElementSibling;
    element.remove();
    if (!hasFocus) return;
    const next = heir ?? (beside && firstButtonOf(beside));
    (next ?? document.querySelector("#files")).focus();
  }
}

const firstButtonOf = (row) => row.querySelector(".job-actions > :not([hidden])");
