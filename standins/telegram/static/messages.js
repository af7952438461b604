// One message, one node for its whole life: an edit replaces only the parts that differ, so a film goes on playing.

import { dayOf, element, formatted, icon, link, sizeOf, summary, timeOf } from "./formatting.js";

const MEDIA_WIDTH_MAX = 300;
const MEDIA_HEIGHT_MAX = 400;
const MEDIA_WIDTH_MIN = 210;
const NEAR_BOTTOM = 90;

export class MessageList {
  constructor(container, handlers) {
    this.container = container;
    this.handlers = handlers; // {press, command, open, view, find, botName}
    this.nodes = new Map();
    this.days = new Map();
  }

  clear() {
    this.container.replaceChildren();
    this.nodes.clear();
    this.days.clear();
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
    this.container.append(view.root);
    if (isNew) view.arrive(message);
  }

  remove(messageId) {
    this.nodes.get(messageId)?.root.remove();
    this.nodes.delete(messageId);
  }

  scrollTo(messageId) {
    this.nodes.get(messageId)?.root.scrollIntoView({ behavior: "smooth", block: "center" });
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
      reply: element("div"),
      media: element("div"),
      text: element("div", "text"),
      meta: element("div", "meta"),
      keys: element("div", "keys"),
    };
    const { reply, media, text, meta, keys } = this.parts;
    this.bubble = element("div", "bubble", reply, media, text, meta);
    this.root = element("article", `message ${message.from_bot ? "" : "is-mine"}`, this.bubble, keys);
    this.root.dataset.messageId = message.message_id;
    this.update(message);
  }

  arrive(message) {
    this.root.classList.add("is-new");
    if (message.rang) this.bubble.classList.add("rings");
  }

  update(message) {
    this.part("reply", message.reply_to_message_id, () => this.reply(message));
    this.part("media", [message.kind, message.media?.file_unique_id, message.location], () => mediaNodes(message, this.handlers));
    this.part("text", [message.text, message.entities], () => [
      formatted(message.text, message.entities, this.handlers.command),
    ]);
    this.part("keys", message.buttons, () => message.buttons.map((row) => this.row(message.message_id, row)));
    this.part("meta", [message.edit_date, message.rang], () => metaNodes(message));
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

  row(messageId, buttons) {
    return element("div", "keys-row", ...buttons.map((button) => this.key(messageId, button)));
  }

  key(messageId, button) {
    if (button.url && /^(https?|tg):/i.test(button.url)) {
      const node = link(button.url);
      node.className = "key";
      node.append(button.text, icon("link", "corner"));
      return node;
    }
    const node = element("button", "key", button.text);
    node.type = "button";
    node.dataset.key = `${messageId} ${button.callback_data}`;
    node.disabled = button.callback_data === undefined;
    node.addEventListener("click", () => this.handlers.press(messageId, button.callback_data));
    return node;
  }
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

function mediaNodes(message, handlers) {
  const { kind, media } = message;
  if (kind === "text") return [];
  if (kind === "location") return [element("div", "other", `Location ${message.location.latitude}, ${message.location.longitude}`)];
  if (!media) return [element("div", "other", kind)];
  if (kind === "photo") return [frame(media, photo(media, handlers))];
  if (kind === "video") return [frame(media, film(media))];
  if (kind === "animation") return [frame(media, animation(media), element("span", "gif-mark", "GIF"))];
  return [fileNode(message)];
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
