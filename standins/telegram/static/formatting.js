// Text and entities become nodes. Nothing is ever parsed as HTML, so nothing a stranger writes can become any.

const PLAIN_TAGS = {
  bold: "b",
  italic: "i",
  underline: "u",
  strikethrough: "s",
  code: "code",
  pre: "pre",
  blockquote: "blockquote",
  expandable_blockquote: "blockquote",
};
const SAFE_ADDRESS = /^(https?|mailto|tg):/i;

export function element(tag, className = "", ...children) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...children);
  return node;
}

export function icon(name, className = "") {
  const namespace = "http://www.w3.org/2000/svg";
  const node = document.createElementNS(namespace, "svg");
  const use = document.createElementNS(namespace, "use");
  use.setAttribute("href", `#i-${name}`);
  if (className) node.setAttribute("class", className);
  node.setAttribute("aria-hidden", "true");
  node.append(use);
  return node;
}

export function formatted(text, entities, onCommand) {
  const ordered = [...entities].sort((a, b) => a.offset - b.offset || b.length - a.length);
  const fragment = document.createDocumentFragment();
  fill(fragment, text, 0, text.length, ordered, onCommand);
  return fragment;
}

// Offsets count UTF-16 units, as the characters of a JavaScript string do.
function fill(parent, text, start, end, entities, onCommand) {
  let position = start;
  let rest = entities;
  while (rest.length) {
    const [entity, ...others] = rest;
    const stop = Math.min(entity.offset + entity.length, end);
    if (entity.offset < position) {
      rest = others;
      continue;
    }
    parent.append(text.slice(position, entity.offset));
    const inner = others.filter((other) => other.offset < stop);
    const node = nodeFor(entity, text.slice(entity.offset, stop), onCommand);
    fill(node, text, entity.offset, stop, inner, onCommand);
    parent.append(node);
    position = stop;
    rest = others.filter((other) => other.offset >= stop);
  }
  parent.append(text.slice(position, end));
}

function nodeFor(entity, inside, onCommand) {
  if (entity.type in PLAIN_TAGS) return document.createElement(PLAIN_TAGS[entity.type]);
  if (entity.type === "spoiler") return spoiler();
  if (entity.type === "bot_command") return command(inside, onCommand);
  const address = entity.type === "text_link" ? entity.url : entity.type === "url" ? inside : "";
  return SAFE_ADDRESS.test(address) ? link(address) : document.createElement("span");
}

function spoiler() {
  const node = element("span", "spoiler");
  node.addEventListener("click", () => node.classList.add("is-open"));
  return node;
}

function command(text, onCommand) {
  const node = element("button", "command");
  node.type = "button";
  node.addEventListener("click", () => onCommand(text));
  return node;
}

export function link(address) {
  const node = document.createElement("a");
  node.href = address;
  node.target = "_blank";
  node.rel = "noopener noreferrer";
  return node;
}

export function timeOf(seconds) {
  return new Date(seconds * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false });
}

export function dayOf(seconds) {
  const date = new Date(seconds * 1000);
  if (date.toDateString() === new Date().toDateString()) return "Today";
  return date.toLocaleDateString("en", { day: "numeric", month: "long" });
}

export function sizeOf(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  return bytes < 1024 * 1024 ? `${Math.round(bytes / 1024)} KB` : `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}

export function starsOf(amount) {
  return amount.toLocaleString("en");
}

const NAMES = {
  photo: "Photo",
  video: "Video",
  animation: "GIF",
  voice: "Voice message",
  sticker: "Sticker",
  location: "Location",
  contact: "Contact",
};
const NAMERS = {
  document: ({ media }) => media?.file_name ?? "File",
  invoice: ({ invoice }) => `Invoice · ${invoice.title}`,
  successful_payment: ({ payment }) => `Paid ${starsOf(payment.total_amount)} Stars`,
  refunded_payment: ({ payment }) => `Refund of ${starsOf(payment.total_amount)} Stars`,
};

// One line of a message, for the list and for replies.
export function summary(message) {
  const text = message.text.replace(/\s+/g, " ");
  if (message.kind === "text") return text;
  const name = NAMERS[message.kind]?.(message) ?? NAMES[message.kind] ?? message.kind;
  return text ? `${name} · ${text}` : name;
}
