// A file that an earlier page began to send: it goes on when it is chosen again.

import { sizeWords } from "./rate.js";
import { forgetUpload } from "./transfer.js";
import { forget, isFileOf } from "./unfinished.js";
import { Upload } from "./upload.js";

const BUTTONS = { choose: "Choose file", dismiss: "Remove" };

export class Unfinished {
  constructor(uploads, entry) {
    Object.assign(this, { uploads, entry });
    this.row = uploads.newRow(entry.name, this);
    this.details = {
      sent: sizeWords(entry.size),
      note: `Choose the same file again to go on, with the model ${entry.fields.model}.`,
    };
    this.show();
  }

  show(error = "") {
    this.row.show("Not finished", { kind: "unfinished", buttons: BUTTONS, ...this.details, error });
  }

  showArrived(bytes) {
    const { size } = this.entry;
    this.details.sent = `${sizeWords(bytes)} of ${sizeWords(size)}`;
    this.details.percent = Math.floor((100 * bytes) / size);
    this.show();
  }

  choose() {
    this.input = document.createElement("input"); // kept, or a browser may forget it
    this.input.type = "file";
    this.input.addEventListener("change", () => this.onChosen(this.input.files[0]));
    this.input.click();
  }

  onChosen(file) {
    if (isFileOf(this.entry, file)) return this.goOn(file);
    this.show("This is not the file that was begun, or it was changed since then.");
  }

  /** With the options that were chosen at first. */
  goOn(file) {
    const { url, fields } = this.entry;
    const upload = new Upload(this.uploads, file, { url, fields });
    this.row.remove(upload.row.firstButton);
    this.uploads.unfinished.delete(url);
    this.uploads.enqueue(upload);
  }

  dismiss() {
    const { url } = this.entry;
    forget(url);
    forgetUpload(url);
    this.uploads.dropUnfinished(url);
  }
}
