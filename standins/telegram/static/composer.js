// Writing: text, commands, pictures and files.

import { showEditing } from "./actions.js";
import { element, icon } from "./formatting.js";

const FILES_MAX = 10;

export class Composer {
  // `send` gets {text, photos, documents}, `edit` a message id and a text; both answer a promise of success.
  // `say` shows a sentence.
  constructor({ send, edit, say }) {
    this.send = send;
    this.edit = edit;
    this.say = say;
    this.files = [];
    this.edited = null;
    this.form = document.getElementById("composer");
    this.text = document.getElementById("text");
    this.tray = document.getElementById("tray");
    this.items = document.getElementById("tray-items");
    this.asFile = document.getElementById("tray-as-file");
    this.listen();
  }

  listen() {
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    this.text.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.submit();
    });
    this.text.addEventListener("input", () => this.grow());
    document.getElementById("editing-cancel").addEventListener("click", () => this.reset());
    this.picker("attach-photo", "photo-input", false);
    this.picker("attach-file", "file-input", true);
    document.addEventListener("paste", (event) => this.paste(event));
    this.listenForDrops();
  }

  picker(buttonId, inputId, asFile) {
    const input = document.getElementById(inputId);
    document.getElementById(buttonId).addEventListener("click", () => input.click());
    input.addEventListener("change", () => {
      this.attach([...input.files], asFile);
      input.value = "";
    });
  }

  paste(event) {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!files.length || this.form.hidden) return;
    event.preventDefault();
    this.attach(files, false);
  }

  listenForDrops() {
    const phone = document.getElementById("phone");
    const hint = document.getElementById("drop-hint");
    const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");
    phone.addEventListener("dragover", (event) => {
      if (!carriesFiles(event) || this.form.hidden) return;
      event.preventDefault();
      hint.hidden = false;
    });
    phone.addEventListener("dragleave", (event) => {
      if (!phone.contains(event.relatedTarget)) hint.hidden = true;
    });
    phone.addEventListener("drop", (event) => {
      hint.hidden = true;
      if (!carriesFiles(event) || this.form.hidden) return;
      event.preventDefault();
      this.attach([...event.dataTransfer.files], false);
    });
  }

  attach(files, asFile) {
    if (!files.length || this.edited) return;
    if (this.files.length + files.length > FILES_MAX) this.say(`At most ${FILES_MAX} files at once.`);
    this.files = [...this.files, ...files].slice(0, FILES_MAX);
    this.asFile.checked = asFile || this.asFile.checked;
    this.showTray();
    this.text.focus();
  }

  showTray() {
    this.tray.hidden = !this.files.length;
    this.text.placeholder = this.files.length ? "Caption" : "Message";
    for (const image of this.items.querySelectorAll("img")) URL.revokeObjectURL(image.src);
    this.items.replaceChildren(...this.files.map((file) => this.trayItem(file)));
  }

  trayItem(file) {
    const remove = element("button", "", icon("close"));
    remove.type = "button";
    remove.setAttribute("aria-label", `Remove ${file.name}`);
    remove.addEventListener("click", () => {
      this.files = this.files.filter((other) => other !== file);
      this.showTray();
    });
    const node = element("div", "tray-item", file.name);
    if (isPicture(file)) {
      const image = element("img");
      image.src = URL.createObjectURL(file);
      image.alt = file.name;
      node.append(image);
    }
    node.append(remove);
    return node;
  }

  startEditing(message) {
    this.restore(message.text, [], false);
    this.setEdited(message);
    this.text.focus();
  }

  setEdited(message) {
    this.edited = message;
    document.getElementById("attach").hidden = message !== null;
    showEditing(message);
  }

  async submit() {
    if (this.edited) return this.submitEdit();
    const text = this.text.value;
    const files = this.files;
    if (!text.trim() && !files.length) return;
    const asFile = this.asFile.checked;
    const photos = asFile ? [] : files.filter(isPicture);
    this.reset();
    const isSent = await this.send({ text, photos, documents: files.filter((file) => !photos.includes(file)) });
    if (!isSent) this.restore(text, files, asFile);
  }

  async submitEdit() {
    const { edited, text: { value: text } } = this;
    if (text === edited.text || (await this.edit(edited.message_id, text))) this.reset();
  }

  restore(text, files, asFile) {
    this.text.value = text;
    this.files = files;
    this.asFile.checked = asFile;
    this.showTray();
    this.grow();
  }

  reset() {
    this.setEdited(null);
    this.restore("", [], false);
    this.text.focus();
  }

  grow() {
    this.text.style.height = "auto";
    this.text.style.height = `${this.text.scrollHeight + 2}px`;
  }
}

const isPicture = (file) => file.type.startsWith("image/") && file.type !== "image/svg+xml";
