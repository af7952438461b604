// What can be done with one message: edit one's own, forward any.

import { element, summary } from "./formatting.js";

const GAP = 6;
const EDITABLE = new Set(["text", "photo", "video", "animation", "document"]);

const at = (id) => document.getElementById(id);

export class MessageActions {
  // `edit` and `forward` get a message, `forward` also whom it goes to; `people` answers all users.
  constructor({ edit, forward, people }) {
    this.message = null;
    this.people = people;
    this.forward = forward;
    at("message-edit").addEventListener("click", () => edit(this.message));
    at("message-forward").addEventListener("click", () => this.choosePerson());
  }

  open(message, button) {
    this.message = message;
    at("message-edit").hidden = message.from_bot || message.forwarded || !EDITABLE.has(message.kind);
    at("message-menu").hidden = false;
    placeBeside(at("message-menu"), button.closest(".album, .bubble"));
    at(message.from_bot ? "message-forward" : "message-edit").focus();
  }

  choosePerson() {
    const message = this.message;
    const rows = this.people().map((user) => {
      const row = element("button", "", user.first_name, element("small", "", user.language_code.toUpperCase()));
      row.type = "button";
      row.addEventListener("click", () => {
        at("forward").close();
        this.forward(message, user);
      });
      return row;
    });
    at("forward-people").replaceChildren(...rows);
    at("forward").showModal();
  }
}

// Under the bubble where there is room, else over it; always inside the phone.
function placeBeside(menu, bubble) {
  const phone = at("phone").getBoundingClientRect();
  const body = at("chat-body").getBoundingClientRect();
  const place = bubble.getBoundingClientRect();
  const fits = place.bottom + GAP + menu.offsetHeight < body.bottom;
  const top = fits ? place.bottom + GAP : Math.max(place.top - GAP - menu.offsetHeight, body.top + GAP);
  const left = Math.min(place.right, body.right - GAP) - menu.offsetWidth;
  menu.style.top = `${top - phone.top - at("phone").clientTop}px`;
  menu.style.left = `${Math.max(left, body.left + GAP) - phone.left - at("phone").clientLeft}px`;
}

// The bar over the composer while an earlier message is rewritten.
export function showEditing(message) {
  at("editing").hidden = !message;
  at("editing-text").textContent = message ? summary(message) : "";
}
