// One message, one node for its whole life: an edit replaces only the parts that differ, so a film goes on playing.

import { dayOf, element, formatted, icon, link, sizeOf, starsOf, summary, timeOf } from "./formatting.js";

const MEDIA_WIDTH_MAX = 300;
const MEDIA_HEIGHT_MAX = 400;
const MEDIA_WIDTH_MIN = 210;
const NEAR_BOTTOM = 90;
const SERVICE = new Set(["successful_payment", "refunded_payment"]);

export class MessageList {
  constructor(container, handlers) {
    this.container = container;
    this.handlers = handlers; // {press, pay, receipt, command, startWith, act, open, view, find, botName}
    this.nodes = new Map();
    this.days = new Map();
    this.albums = new Map();
  }

  clear() {
    this.container.replaceChildren();
    this.nodes.clear();
    this.days.clear();
    this.albums.clear();
  }

  get isAtBottom() {
    const { scrollHeight, scrollTop, clientHeight } = this.container;
    return scrollHeight - scrollTop - clientHeight < NEAR_BOTTOM;
  }

  toBottom(behavior = "auto") {
    this.container.scrollTo({ top: this.container.scrollHeight, behavior });
  }

  show(messages, { isNew }) {
    for (const message of messages) {
      if (message.deleted) this.remove(message.message_id);
      else if (this.nodes.has(message.message_id)) this.nodes.get(message.message_id).update(message);
      else this.add(message, isNew);
    }
  }

  add(message, isNew) {
    const day = dayOf(message.date);
    if (!this.days.has(day)) {
      this.days.set(day, element("div", "day", day));
      this.container.append(this.days.get(day));
    }
    const view = new MessageView(message, this.handlers);
    this.nodes.set(message.message_id, view);
    this.homeOf(message).append(view.root);
    if (isNew) view.arrive(message);
  }

  // Pictures sent together stay together.
  homeOf(message) {
    const id = message.media_group_id;
    if (!id) return this.container;
    if (!this.albums.has(id)) {
      const album = element("div", `album ${message.from_bot ? "" : "is-mine"}`);
      album.setAttribute("role", "group");
      album.setAttribute("aria-label", "Album");
      this.container.append(album);
      this.albums.set(id, album);
    }
    return this.albums.get(id);
  }

  remove(messageId) {
    const root = this.nodes.get(messageId)?.root;
    const album = root?.closest(".album");
    root?.remove();
    if (album && !album.children.length) album.remove();
    this.nodes.delete(messageId);
  }

  scrollTo(messageId) {
    const root = this.nodes.get(messageId)?.root;
    (root?.closest(".album") ?? root)?.scrollIntoView({ behavior: "smooth", block: "center" });
  }

  showWaiting(queries) {
    const waiting = new Set(queries.map((query) => `${query.message_id} ${query.data}`));
    for (const key of this.container.querySelectorAll(".key[data-key]")) {
      key.classList.toggle("is-waiting", waiting.has(key.dataset.key));
    }
  }
}

class MessageView {
  constructor(message, handlers) {
    this.handlers = handlers;
    this.shown = {};
    this.parts = {
      origin: element("div"),
      reply: element("div"),
      media: element("div", "slot"),
      text: element("div", "text"),
      meta: element("div", "meta"),
      keys: element("div", "keys"),
    };
    const { origin, reply, media, text, meta, keys } = this.parts;
    this.bubble = element("div", "bubble", origin, reply, media, text, meta);
    this.root = element("article", `message ${message.from_bot ? "" : "is-mine"}`, this.bubble, keys);
    this.root.dataset.messageId = message.message_id;
    if (SERVICE.has(message.kind)) this.root.classList.add("is-service");
    this.update(message);
  }

  arrive(message) {
    this.root.classList.add("is-new");
    if (message.rang) this.bubble.classList.add("rings");
  }

  update(message) {
    this.part("origin", message.forwarded_from, () => originNodes(message));
    this.part("reply", message.reply_to_message_id, () => this.reply(message));
    this.part("media", [message.kind, message.media?.file_unique_id, message.location, message.invoice], () => mediaNodes(message, this.handlers));
    this.part("text", [message.text, message.entities], () => [
      formatted(message.text, message.entities, this.handlers.command),
    ]);
    this.part("keys", [message.buttons, message.charge_id], () => message.buttons.map((row) => this.row(message, row)));
    this.part("meta", [message.edit_date, message.rang, message.text], () => this.meta(message));
    this.parts.keys.hidden = !message.buttons.length;
    this.root.classList.toggle("has-keys", message.buttons.length > 0);
    this.root.dataset.kind = message.kind;
  }

  part(name, facts, build) {
    const signature = JSON.stringify(facts ?? null);
    if (this.shown[name] === signature) return;
    this.shown[name] = signature;
    this.parts[name].replaceChildren(...build());
  }

  reply(message) {
    const original = message.reply_to_message_id && this.handlers.find(message.reply_to_message_id);
    if (!original) return [];
    const who = element("b", "", original.from_bot ? this.handlers.botName() : "You");
    const node = element("button", "reply-to", who, element("span", "", summary(original)));
    node.type = "button";
    node.addEventListener("click", () => this.handlers.open(original.message_id));
    return [node];
  }

  row(message, buttons) {
    return element("div", "keys-row", ...buttons.map((button) => this.key(message, button)));
  }

  key(message, button) {
    if (button.pay) return this.payKey(message, button);
    const parameter = this.handlers.startWith.parameterOf(button.url);
    if (parameter) return keyNode(button.text, () => this.handlers.startWith(parameter));
    if (button.url && /^(https?|tg):/i.test(button.url)) {
      const node = link(button.url);
      node.className = "key";
      node.append(button.text, icon("link", "corner"));
      return node;
    }
    const node = keyNode(button.text, () => this.handlers.press(message.message_id, button.callback_data));
    node.dataset.key = `${message.message_id} ${button.callback_data}`;
    node.disabled = button.callback_data === undefined;
    return node;
  }

  payKey(message, button) {
    if (message.charge_id) return keyNode("Receipt", () => this.handlers.receipt(message));
    const node = keyNode(button.text, () => this.handlers.pay(message));
    node.classList.add("is-pay");
    return node;
  }

  meta(message) {
    if (SERVICE.has(message.kind)) return [];
    const actions = element("button", "actions", icon("more"));
    actions.type = "button";
    actions.setAttribute("aria-label", "Message actions");
    actions.setAttribute("aria-haspopup", "true");
    actions.addEventListener("click", (event) => {
      event.stopPropagation();
      this.handlers.act(message.message_id, actions);
    });
    return [...metaNodes(message), actions];
  }
}

function keyNode(text, onClick) {
  const node = element("button", "key", text);
  node.type = "button";
  node.addEventListener("click", onClick);
  return node;
}

function originNodes({ forwarded_from: name }) {
  return name ? [element("div", "origin", "Forwarded from ", element("b", "", name))] : [];
}

function metaNodes(message) {
  const nodes = [];
  if (message.edit_date) nodes.push(element("span", "", "edited"));
  nodes.push(element("time", "", timeOf(message.date)));
  if (message.rang) {
    const bell = element("span", "bell", icon("bell"));
    bell.title = "This message rang the phone";
    nodes.push(bell);
  }
  return nodes;
}

const BUILDERS = {
  text: () => [],
  location: ({ location }) => [element("div", "other", `Location ${location.latitude}, ${location.longitude}`)],
  contact: ({ contact }) => [element("div", "other", `Contact · ${contact.first_name}, ${contact.phone_number}`)],
  invoice: ({ invoice }) => [invoiceCard(invoice)],
  successful_payment: (message, handlers) => [serviceLine(message, handlers, "You paid ", " to ")],
  refunded_payment: (message, handlers) => [serviceLine(message, handlers, "You got ", " back from ")],
};
const MEDIA_BUILDERS = {
  photo: ({ media }, handlers) => [frame(media, photo(media, handlers))],
  video: ({ media }) => [frame(media, film(media))],
  animation: ({ media }) => [frame(media, animation(media), element("span", "gif-mark", "GIF"))],
  sticker: ({ media }) => [sticker(media)],
};

function mediaNodes(message, handlers) {
  const { kind, media } = message;
  if (BUILDERS[kind]) return BUILDERS[kind](message, handlers);
  if (!media) return [element("div", "other", kind)];
  return MEDIA_BUILDERS[kind]?.(message, handlers) ?? [fileNode(message)];
}

function invoiceCard({ title, description, total_amount: amount }) {
  const price = element("span", "price", icon("star"), `${starsOf(amount)} Stars`);
  return element("div", "invoice", element("b", "", title), element("p", "", description), price);
}

function serviceLine(message, handlers, before, between) {
  const amount = element("b", "", icon("star"), starsOf(message.payment.total_amount));
  const node = element("button", "service", before, amount, between, handlers.botName());
  node.type = "button";
  node.addEventListener("click", () => handlers.receipt(message));
  return node;
}

function sticker(media) {
  const image = element("img", "sticker");
  image.src = addressOf(media.file_id);
  image.alt = "Sticker";
  return image;
}

function frame(media, ...children) {
  const node = element("div", "media", ...children);
  const [width, height] = [media.width || 320, media.height || 240];
  const scale = Math.min(MEDIA_WIDTH_MAX / width, MEDIA_HEIGHT_MAX / height);
  node.style.width = `${Math.max(Math.round(width * scale), MEDIA_WIDTH_MIN)}px`;
  node.style.maxWidth = "100%";
  node.style.aspectRatio = `${width} / ${height}`;
  node.style.margin = "0 auto";
  return node;
}

const addressOf = (fileId) => `/files/${encodeURIComponent(fileId)}`;

function photo(media, handlers) {
  const image = element("img");
  image.src = addressOf(media.file_id);
  image.alt = "Photo";
  const node = element("button", "photo", image);
  node.type = "button";
  node.setAttribute("aria-label", "Open the photo");
  node.addEventListener("click", () => handlers.view(image.src));
  return node;
}

function film(media) {
  const node = element("video");
  node.controls = true;
  node.playsInline = true;
  node.preload = "metadata";
  if (media.thumbnail_file_id) node.poster = addressOf(media.thumbnail_file_id);
  node.src = addressOf(media.file_id);
  return node;
}

function animation(media) {
  const node = element("video");
  Object.assign(node, { muted: true, loop: true, autoplay: true, playsInline: true, src: addressOf(media.file_id) });
  return node;
}

function fileNode({ kind, media }) {
  const mark = element("span", "file-mark", icon("file"));
  if (media.thumbnail_file_id) {
    const image = element("img");
    image.src = addressOf(media.thumbnail_file_id);
    image.alt = "";
    mark.replaceChildren(image);
  }
  const name = media.file_name ?? (kind === "voice" ? "Voice message" : kind);
  const details = kind === "voice" ? `${media.duration ?? 0} s` : sizeOf(media.file_size ?? 0);
  const node = link(addressOf(media.file_id));
  node.className = "file";
  node.append(mark, element("span", "", element("b", "", name), element("small", "", details)));
  return node;
}
